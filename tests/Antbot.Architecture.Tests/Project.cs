namespace Antbot.Architecture.Tests;

/// <summary>A project as the rules see it.</summary>
/// <param name="Path">From the repository's root, with forward slashes.</param>
/// <param name="Projects">The paths of the projects it references.</param>
/// <param name="Packages">What else it references (packages, frameworks, files), analyzers excepted.</param>
internal sealed record Project(string Path, IReadOnlyList<string> Projects, IReadOnlyList<string> Packages)
{
    public string Name { get; } = NameOf(Path);

    public string Area => Path.Split('/')[0];

    /// <summary>The folder under services/, or null.</summary>
    public string? Service => ServiceOf(Path);

    public bool IsCore => Service is not null && Name.EndsWith(".Core", StringComparison.Ordinal);

    public static string NameOf(string path) => System.IO.Path.GetFileNameWithoutExtension(path);

    public static string? ServiceOf(string path) => path.Split('/') is ["services", var service, ..] ? service : null;

    public override string ToString() => Path;
}
