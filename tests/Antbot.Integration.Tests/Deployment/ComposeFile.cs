using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>docker-compose.yml, as strictly read as the manifests are. Texts that may be numbers elsewhere are texts here.</summary>
internal sealed record ComposeFile(string Name, Dictionary<string, ComposeService> Services, Dictionary<string, ComposeVolume?> Volumes)
{
    public static JsonObject ReadRaw()
    {
        var root = (JsonObject)Yaml.ReadFile(Path.Combine(RepositoryFolder.Root, "docker-compose.yml")).Single();
        foreach (var fragment in root.Select(r => r.Key).Where(k => k.StartsWith("x-", StringComparison.Ordinal)).ToList())
            root.Remove(fragment);
        return root;
    }

    public static ComposeFile Read(JsonObject raw) => Strict.Read<ComposeFile>(raw);
}

internal sealed record ComposeVolume;

internal sealed record ComposeBuild(string Context, string Dockerfile, string? Target = null, Dictionary<string, string>? Args = null);

internal sealed record ComposeLogging(string Driver, Dictionary<string, string> Options);

internal sealed record ComposeDependency(string Condition);

internal sealed record ComposeHealth(bool Disable = false, IReadOnlyList<string>? Test = null, string? Interval = null, string? Timeout = null, int? Retries = null, string? StartPeriod = null, string? StartInterval = null)
{
    public static int Seconds(string? text) => text is not null && text.EndsWith('s') ? int.Parse(text.AsSpan()[..^1], CultureInfo.InvariantCulture) : throw new FormatException($"'{text}' is not in seconds.");
}

internal sealed record ComposeService(
    string Image, bool ReadOnly, IReadOnlyList<string> CapDrop, IReadOnlyList<string> SecurityOpt, int PidsLimit, string Restart, ComposeLogging Logging, string User, string MemLimit, decimal Cpus, ComposeHealth Healthcheck,
    ComposeBuild? Build = null, IReadOnlyList<string>? Command = null, IReadOnlyList<string>? Tmpfs = null, string? StopGracePeriod = null, Dictionary<string, string>? Environment = null,
    IReadOnlyList<string>? Volumes = null, Dictionary<string, ComposeDependency>? DependsOn = null, IReadOnlyList<string>? Ports = null, string? NetworkMode = null, string? Hostname = null,
    string? ShmSize = null, IReadOnlyList<string>? Profiles = null)
{
    public IReadOnlyDictionary<string, string> Variables => Environment ?? [];

    public IEnumerable<ComposeMount> Mounts => (Volumes ?? []).Select(ComposeMount.Parse);

    /// <summary>Written with Docker's units, which are powers of two.</summary>
    public long MemoryBytes => MemLimit[^1] switch
    {
        'm' => long.Parse(MemLimit.AsSpan()[..^1], CultureInfo.InvariantCulture) << 20,
        'g' => long.Parse(MemLimit.AsSpan()[..^1], CultureInfo.InvariantCulture) << 30,
        _ => throw new FormatException($"'{MemLimit}' is no limit such as 512m."),
    };
}

/// <param name="Source">A volume's name, or a path that begins with '.'.</param>
internal sealed partial record ComposeMount(string Source, string Path, bool IsReadOnly)
{
    public static ComposeMount Parse(string text) => Form().Match(text) is { Success: true } m
        ? new ComposeMount(m.Groups["source"].Value, m.Groups["path"].Value, m.Groups["ro"].Success)
        : throw new FormatException($"'{text}' is no mount such as volume:/path:ro.");

    [GeneratedRegex("^(?<source>[^:]+):(?<path>/[^:]+)(?<ro>:ro)?$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Form();
}
