namespace Antbot.LocalServers;

/// <summary>What is looked at to find servers: the environment and the file system from a root. Tests give their own.</summary>
internal sealed record HostView(Func<string, string?> Variable, string Root)
{
    public const string PostgresVariable = "ANTBOT_TEST_POSTGRES";
    public const string RabbitVariable = "ANTBOT_TEST_RABBITMQ";
    public const string RabbitManagementVariable = "ANTBOT_TEST_RABBITMQ_MANAGEMENT";

    public static HostView Machine { get; } = new(Environment.GetEnvironmentVariable, "/");

    public string? Value(string name) => Variable(name) is { } value && !string.IsNullOrWhiteSpace(value) ? value.Trim() : null;

    public IEnumerable<string> PathFolders =>
        (Value("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    public string? OnPath(string program) =>
        PathFolders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(IsThere);

    /// <summary>A file, or a link to one: what a removed package leaves in a folder of links does not count.</summary>
    public static bool IsThere(string path) =>
        File.Exists(path) && (File.ResolveLinkTarget(path, returnFinalTarget: true)?.Exists ?? true);

    /// <summary>
    /// Folders that match a pattern of one starred segment, such as <c>usr/lib/postgresql/*/bin</c>, the newest version first.
    /// </summary>
    public IEnumerable<string> Folders(string pattern)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0)
            return Directory.Exists(Path.Combine(Root, pattern)) ? [Path.Combine(Root, pattern)] : [];

        var parent = Path.Combine(Root, pattern[..(pattern.LastIndexOf('/', star) + 1)]);
        var end = pattern.IndexOf('/', star);
        var name = pattern[(pattern.LastIndexOf('/', star) + 1)..(end < 0 ? pattern.Length : end)];
        var rest = end < 0 ? "" : pattern[(end + 1)..];
        if (!Directory.Exists(parent))
            return [];
        return Directory.EnumerateDirectories(parent, name)
            .OrderByDescending(VersionIn)
            .Select(folder => Path.Combine(folder, rest))
            .Where(Directory.Exists);
    }

    private static Version VersionIn(string folder)
    {
        var text = new string([.. Path.GetFileName(folder).SkipWhile(c => !char.IsAsciiDigit(c)).TakeWhile(c => char.IsAsciiDigit(c) || c == '.')]);
        text = text.TrimEnd('.');
        return Version.TryParse(text.Contains('.', StringComparison.Ordinal) ? text : text + ".0", out var version) ? version : new Version(0, 0);
    }
}
