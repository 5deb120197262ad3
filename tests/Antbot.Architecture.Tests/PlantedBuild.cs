using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Antbot.Architecture.Tests;

/// <summary>One error that the compiler reported, on a line of a planted project.</summary>
internal sealed record BuildError(string Project, int Line, string Code);

/// <summary>
/// Projects planted inside the repository, where its props and its .editorconfig reach them as they reach any other, and built once
/// for all tests of this class. artifacts/ is ignored by git; the folder is gone when the tests end.
/// </summary>
public sealed partial class PlantedBuild : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Repository.Root, "artifacts", "planted", Guid.NewGuid().ToString("N"));

    public string Output { get; private set; } = "";

    internal IReadOnlyList<BuildError> Errors { get; private set; } = [];

    public async ValueTask InitializeAsync()
    {
        foreach (var (project, source) in PlantedSources.All)
        {
            var folder = Directory.CreateDirectory(Path.Combine(_folder, project)).FullName;
            await File.WriteAllTextAsync(Path.Combine(folder, $"{project}.csproj"), """<Project Sdk="Microsoft.NET.Sdk" />""" + "\n");
            await File.WriteAllTextAsync(Path.Combine(folder, "Planted.cs"), source);
        }
        var entries = PlantedSources.All.Keys.Select(p => $"""<Project Path="{p}/{p}.csproj" />""");
        await File.WriteAllTextAsync(Path.Combine(_folder, "Planted.slnx"), $"<Solution>{string.Concat(entries)}</Solution>\n");
        Output = await BuildAsync();
        Errors = [.. ErrorLine().Matches(Output)
            .Select(m => new BuildError(m.Groups["project"].Value, int.Parse(m.Groups["line"].ValueSpan, CultureInfo.InvariantCulture), m.Groups["code"].Value))
            .Distinct()];
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private async Task<string> BuildAsync() => (await Dotnet.RunAsync(
        // Nothing that needs a network: every package is in the cache already.
        _folder, "build", "Planted.slnx", "-v:q", "-tl:off", "-nodeReuse:false", "-p:UseSharedCompilation=false", "-p:NuGetAudit=false", "-p:GenerateDocumentationFile=false")).Output;

    [GeneratedRegex(@"[/\\](?<project>[^/\\]+)[/\\]Planted\.cs\((?<line>\d+),\d+\): error (?<code>\w+):", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ErrorLine();
}
