using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using Xunit;

namespace Antbot.Architecture.Tests;

/// <summary>Project files say what may be used; the compiled assemblies say what is.</summary>
public sealed class AssemblyReferenceTests
{
    [Fact]
    public void What_is_compiled_uses_no_more_than_the_map_allows()
    {
        var bound = Repository.Projects.Where(p => p.Area != "tests" && Rules.AllowedAssemblies(p.Name) is not null).Select(p => p.Name).ToList();
        Assert.Subset(bound.ToHashSet(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal) { "Antbot.Contracts", "Antbot.Kernel", "Antbot.Runtime" });
        Assert.Empty(bound.SelectMany(name => Violations(name, ReferencesOf(name))));
    }

    [Fact]
    public void A_compiled_violation_is_caught()
    {
        var mine = ReferencesOf("Antbot.Architecture.Tests");
        Assert.Contains("Antbot.Risk.Core uses xunit.v3.assert", Violations("Antbot.Risk.Core", mine));
        Assert.Contains("Antbot.Contracts uses Antbot.Contracts", Violations("Antbot.Contracts", ReferencesOf("Antbot.Kernel").Append("Antbot.Contracts")));
        Assert.Equal(["Antbot.Kernel uses Antbot.Kernel"], Violations("Antbot.Kernel", ReferencesOf("Antbot.Runtime")));
        // The name alone does not make it the platform's.
        Assert.Equal(["Antbot.Runtime uses System.CommandLine"], Violations("Antbot.Runtime", ["System.Runtime", "System.CommandLine"]));
    }

    private static List<string> Violations(string assembly, IEnumerable<string> references) =>
        [.. references.Except(Rules.AllowedAssemblies(assembly)!, StringComparer.Ordinal).Where(r => !IsPlatform(r)).Select(r => $"{assembly} uses {r}")];

    private static bool IsPlatform(string assembly) => File.Exists(Path.Combine(Path.GetDirectoryName(typeof(object).Assembly.Location)!, $"{assembly}.dll"));

    private static List<string> ReferencesOf(string assembly)
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, $"{assembly}.dll"));
        using var image = new PEReader(file);
        var metadata = image.GetMetadataReader();
        return [.. metadata.AssemblyReferences.Select(r => metadata.GetString(metadata.GetAssemblyReference(r).Name))];
    }
}
