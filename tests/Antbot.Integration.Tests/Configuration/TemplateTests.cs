using System.ComponentModel.DataAnnotations;
using System.Reflection;
using Antbot.Hosting;
using Xunit;

namespace Antbot.Integration.Tests.Configuration;

/// <summary>The template in <c>deploy/</c> is made from the options themselves, so that it names every variable and no other.</summary>
public sealed class TemplateTests
{
    private const string Rewrite = "ANTBOT_REWRITE_TEMPLATE";

    [Fact]
    public void The_template_is_what_the_options_say()
    {
        var rendered = ConfigurationTemplate.Render(Modules());
        var file = Path.Combine(Root(), "deploy", "antbot.env.example");
        if (Environment.GetEnvironmentVariable(Rewrite) == "true")
            File.WriteAllText(file, rendered);
        Assert.True(File.Exists(file) && File.ReadAllText(file) == rendered, $"{file} does not name what the options have now. Run this test with {Rewrite}=true, and commit what it writes.");
    }

    [Fact]
    public void Every_variable_says_what_it_means()
    {
        var lines = ConfigurationTemplate.Render(Modules()).Split('\n');
        Assert.DoesNotContain(lines.Zip(lines.Skip(1)), pair => pair.Second.StartsWith("#ANTBOT_", StringComparison.Ordinal) && (!pair.First.StartsWith("# ", StringComparison.Ordinal) || pair.First.Length < 12 || pair.First.StartsWith("# --", StringComparison.Ordinal) || pair.First.StartsWith("#  (", StringComparison.Ordinal)));
        Assert.Contains("#ANTBOT_STORE=", lines);
        Assert.Contains("#ANTBOT_RISK__MAXEXPOSURE=10000", lines);
    }

    /// <summary>A range compares by the type of its bounds: what does not fit into that ended a service with a trace and without the setting's name.</summary>
    [Fact]
    public void Every_range_has_bounds_that_take_whatever_its_setting_can_be()
    {
        var ranges = Modules().Select(m => m.GetType().Assembly).Append(typeof(PlatformOptions).Assembly).Distinct().SelectMany(a => a.GetTypes()).SelectMany(t => t.GetProperties())
            .Select(p => (Property: p, Range: p.GetCustomAttribute<RangeAttribute>())).Where(p => p.Range is not null).ToList();
        Assert.True(ranges.Count > 20, $"{ranges.Count} ranges");
        Assert.All(ranges, r => Assert.True(r.Range!.OperandType == r.Property.PropertyType || r.Range.OperandType == typeof(double), $"{r.Property.DeclaringType!.Name}.{r.Property.Name} is compared as {r.Range.OperandType.Name}"));
    }

    /// <summary>All that a service's own program hosts; Standalone puts them together and has no settings of its own.</summary>
    private static List<IServiceModule> Modules()
    {
        var modules = Directory.GetFiles(AppContext.BaseDirectory, "Antbot.*.dll")
            .Select(Path.GetFileNameWithoutExtension).Where(n => !n!.Contains("Testing", StringComparison.Ordinal) && !n.Contains("Tests", StringComparison.Ordinal))
            .SelectMany(n => Assembly.Load(n!).GetTypes())
            .Where(t => t is { IsClass: true, IsAbstract: false, IsPublic: true } && typeof(IServiceModule).IsAssignableFrom(t) && t.GetConstructor(Type.EmptyTypes) is not null)
            .Select(t => (IServiceModule)Activator.CreateInstance(t)!)
            .OrderBy(m => m.Name, StringComparer.Ordinal).ToList();
        Assert.Subset(
            modules.Select(m => m.Name).ToHashSet(StringComparer.Ordinal),
            new HashSet<string>(StringComparer.Ordinal) { "coordinator", "execution", "reconciliation", "risk", "signal", "validation" });
        return modules;
    }

    private static string Root()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Antbot.Services.sln")))
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not run within the repository.");
        return folder;
    }
}
