namespace Antbot.Chaos.Running;

/// <summary>Where the services' programs are: in the build folders of a checkout.</summary>
internal sealed record Programs(string Root, string Configuration)
{
    private static readonly Dictionary<string, string> Projects = new(StringComparer.Ordinal)
    {
        ["venue"] = "Antbot.PaperVenue",
        ["coordinator"] = "Antbot.Coordinator",
        ["validation"] = "Antbot.Validation",
        ["risk"] = "Antbot.Risk",
        ["execution"] = "Antbot.Execution",
        ["reconciliation"] = "Antbot.Reconciliation",
        ["signal"] = "Antbot.Signal",
        ["console"] = "Antbot.Console",
    };

    public static IReadOnlyList<string> Services { get; } = [.. Projects.Keys.Where(p => p != "venue")];

    /// <summary>Of the checkout that this program was built in.</summary>
    public static Programs Own()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Antbot.Services.sln")))
                return new Programs(folder.FullName, new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name);
        }
        throw new ChaosException("This program does not lie within a checkout of Antbot.");
    }

    public string Find(string service) => Need(Path.Combine(Root, "services", Projects[service], "Host", "bin", Configuration, "net10.0", $"{Projects[service]}.dll"));

    public string Standalone => Need(Path.Combine(Root, "services", "Antbot.Standalone", "bin", Configuration, "net10.0", "Antbot.Standalone.dll"));

    private static string Need(string file) => File.Exists(file) ? file : throw new ChaosException($"{file} is not there. Build everything first: make build.");
}
