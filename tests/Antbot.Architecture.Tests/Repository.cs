using System.Text.Json;
using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Antbot.Architecture.Tests;

/// <summary>The repository these tests were built from.</summary>
internal static partial class Repository
{
    /// <summary>What Directory.Build.props gives to every project: they are no part of what is built.</summary>
    private static readonly string[] Analyzers = ["Meziantou.Analyzer", "Microsoft.CodeAnalysis.BannedApiAnalyzers"];

    public static string Root { get; } = FindRoot();

    public static IReadOnlyList<Project> Projects { get; } = [.. ProjectFiles().Select(Read)];

    /// <summary>Every project file in the folders that hold projects, in the solution or not.</summary>
    public static IReadOnlyList<string> ProjectFiles() =>
    [
        .. new[] { "services", "shared", "tests" }
            .SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
            .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'))
            .Where(path => !path.Contains("/bin/", StringComparison.Ordinal) && !path.Contains("/obj/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    public static IReadOnlyList<string> SolutionEntries(string solution) =>
        [.. ProjectEntry().Matches(solution).Select(m => m.Groups["path"].Value.Replace('\\', '/'))];

    /// <summary>A project file and its lock file: the second also knows what the props files add.</summary>
    public static Project Read(string path)
    {
        var folder = Path.GetDirectoryName(path)!.Replace('\\', '/');
        var lockFile = Path.Combine(Root, folder, "packages.lock.json");
        var locked = File.Exists(lockFile) ? File.ReadAllText(lockFile) : "{}";
        return Parse(path, File.ReadAllText(Path.Combine(Root, path)), locked);
    }

    /// <summary>Conditions are not looked at: what a property can switch on counts.</summary>
    public static Project Parse(string path, string project, string locked)
    {
        var folder = Path.GetDirectoryName(path)!;
        var items = XDocument.Parse(project).Descendants().Where(e => e.Attribute("Include") is not null).ToLookup(e => e.Name.LocalName, e => e.Attribute("Include")!.Value);
        var projects = items["ProjectReference"].SelectMany(include => Expand(folder, include.Replace('\\', '/')));
        var others = new[] { "PackageReference", "FrameworkReference", "Reference" }.SelectMany(kind => items[kind]);
        var packages = others.Concat(DirectPackages(locked)).Except(Analyzers, StringComparer.OrdinalIgnoreCase);
        return new Project(path, [.. projects], [.. packages.Distinct(StringComparer.OrdinalIgnoreCase)]);
    }

    private static List<string> DirectPackages(string locked)
    {
        using var document = JsonDocument.Parse(locked);
        if (!document.RootElement.TryGetProperty("dependencies", out var frameworks))
            return [];
        return [.. frameworks.EnumerateObject()
            .SelectMany(framework => framework.Value.EnumerateObject())
            .Where(package => package.Value.GetProperty("type").GetString() == "Direct")
            .Select(package => package.Name)];
    }

    /// <summary>The project files that a reference means; one without a wildcard need not exist.</summary>
    private static IEnumerable<string> Expand(string folder, string include)
    {
        var path = Path.GetRelativePath(Root, Path.GetFullPath(Path.Combine(Root, folder, include))).Replace('\\', '/');
        if (!path.Contains('*', StringComparison.Ordinal))
            return [path];
        var pattern = new Regex("^" + Regex.Escape(path).Replace(@"\*", "[^/]*", StringComparison.Ordinal) + "$", RegexOptions.None, TimeSpan.FromSeconds(1));
        return ProjectFiles().Where(file => pattern.IsMatch(file));
    }

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Antbot.Services.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return folder.FullName;
    }

    [GeneratedRegex("""^Project\("[^"]*"\) = "[^"]*", "(?<path>[^"]*\.csproj)",""", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ProjectEntry();
}
