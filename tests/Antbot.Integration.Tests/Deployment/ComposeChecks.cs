using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Antbot.Watchdog;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>What must hold of docker-compose.yml. Gives every fault in words, or none.</summary>
internal static partial class ComposeChecks
{
    public const string SecretsRoot = "/run/antbot/";

    /// <summary>They end when they have done their work.</summary>
    public static readonly IReadOnlySet<string> OneShots = new HashSet<string>(StringComparer.Ordinal) { "keys", "schema", "cli" };

    private const string Gate = "gate";

    /// <summary>Other names for the command line's image.</summary>
    private static readonly HashSet<string> CommandLines = new(StringComparer.Ordinal) { "schema", "notary", Gate };

    private static readonly Dictionary<string, string> PublicImages = new(StringComparer.Ordinal) { ["postgres"] = "postgres:17", ["rabbitmq"] = "rabbitmq:4-management" };

    private static readonly Dictionary<string, string> Projects = ServiceProgram.All.ToDictionary(p => p.Name, p => p.Project, StringComparer.Ordinal);

    public static IReadOnlyList<string> Faults(JsonObject raw, Keys keys)
    {
        ComposeFile file;
        try
        {
            file = ComposeFile.Read(raw);
        }
        catch (FormatException e)
        {
            return [e.Message];
        }
        var faults = new List<string>();
        var wanted = Projects.Keys.Concat(PublicImages.Keys).Concat(OneShots).Union(CommandLines, StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        if (!wanted.SequenceEqual(file.Services.Keys.Order(StringComparer.Ordinal), StringComparer.Ordinal))
            faults.Add($"The services are {string.Join(", ", file.Services.Keys)}; there should be {string.Join(", ", wanted)}.");
        foreach (var (name, service) in file.Services)
            faults.AddRange(Faults(file, name, service, keys).Select(f => $"{name}: {f}"));
        var mounted = file.Services.Values.SelectMany(s => s.Mounts).Select(m => m.Source).Where(s => !s.StartsWith('.')).ToHashSet(StringComparer.Ordinal);
        if (!mounted.SetEquals(file.Volumes.Keys))
            faults.Add($"The volumes that are declared are not those that are mounted: {string.Join(", ", mounted.Except(file.Volumes.Keys, StringComparer.Ordinal).Concat(file.Volumes.Keys.Except(mounted, StringComparer.Ordinal)))}.");
        return faults;
    }

    private static IEnumerable<string> Faults(ComposeFile file, string name, ComposeService service, Keys keys) =>
        [.. Confinement(name, service), .. Life(file, name, service), .. Image(name, service), .. Variables(name, service, keys)];

    private static IEnumerable<string> Confinement(string name, ComposeService service)
    {
        if (!UserAndGroup().IsMatch(service.User))
            yield return $"user '{service.User}' is not a user and a group by number, neither of them root.";
        if (!service.ReadOnly)
            yield return "its root file system can be written.";
        if (service.CapDrop is not ["ALL"])
            yield return "it keeps capabilities.";
        if (!service.SecurityOpt.Contains("no-new-privileges:true", StringComparer.Ordinal))
            yield return "it may gain privileges.";
        if (service.MemoryBytes is < 64 << 20 or > 2L << 30 || service.Cpus is <= 0 or > 2 || service.PidsLimit is < 64 or > 4_096)
            yield return "its limits are out of bounds.";
        foreach (var port in (service.Ports ?? []).Where(p => !LoopbackPort().IsMatch(p)))
            yield return $"port '{port}' is not published on loopback alone, at one address that stays.";
        if (name != Gate && service.Ports is { Count: > 0 })
            yield return "it publishes a port, and a second instance of it could not; that is the gate's to do.";
        foreach (var mount in service.Mounts.Where(m => m.Path.StartsWith(SecretsRoot, StringComparison.Ordinal) && !m.IsReadOnly))
            yield return $"it may write secrets: {mount.Source}.";
    }

    private static IEnumerable<string> Life(ComposeFile file, string name, ComposeService service)
    {
        var once = OneShots.Contains(name);
        if (service.Restart != (once ? "no" : "unless-stopped"))
            yield return $"restart '{service.Restart}' is not right for it.";
        if (service.Healthcheck.Disable != once)
            yield return once ? "it has a health check and nothing to check." : "it has no health check.";
        if (!once && service.Healthcheck is { } health && (health.Test is not { Count: > 1 } || ComposeHealth.Seconds(health.Interval) > 60 || ComposeHealth.Seconds(health.Timeout) > 30
            || ComposeHealth.Seconds(health.StartPeriod) < 30 || ComposeHealth.Seconds(health.StartInterval) > 5 || health.Retries is not (>= 1 and <= 10)))
            yield return "its health check is not complete.";
        if (service.Variables.TryGetValue("ANTBOT_SHUTDOWNSECONDS", out var seconds) && ComposeHealth.Seconds(service.StopGracePeriod) < int.Parse(seconds) + 5)
            yield return $"it is killed {service.StopGracePeriod} after it is asked to stop, and may take {seconds} s.";
        foreach (var (on, how) in service.DependsOn ?? [])
        {
            var right = OneShots.Contains(on) ? "service_completed_successfully" : "service_healthy";
            if (!file.Services.ContainsKey(on) || how.Condition != right)
                yield return $"it waits for {on} until '{how.Condition}', which is not there or not '{right}'.";
        }
    }

    private static IEnumerable<string> Image(string name, ComposeService service)
    {
        if (PublicImages.TryGetValue(name, out var image))
        {
            if (service.Image != image || service.Build is not null)
                yield return $"image '{service.Image}' is not the public {image}.";
            yield break;
        }
        if (service.Image != $"antbot/{(CommandLines.Contains(name) ? "cli" : name)}")
            yield return $"image '{service.Image}' is not its own.";
        if (Projects.TryGetValue(name, out var project) && service.Build?.Args?.GetValueOrDefault("SERVICE") != project)
            yield return $"what is built for it is not {project}.";
        if (service.Build is { } build && (build.Dockerfile != "deploy/Dockerfile" || build.Context != "."))
            yield return "it is not built from deploy/Dockerfile.";
    }

    private static IEnumerable<string> Variables(string name, ComposeService service, Keys keys)
    {
        foreach (var (variable, value) in service.Variables)
        {
            if (variable.StartsWith("ANTBOT_", StringComparison.Ordinal) && !Settings.Reads(name, variable))
                yield return $"{variable} is nothing that it reads.";
            if (SecretName().IsMatch(variable) && !variable.EndsWith("_FILE", StringComparison.Ordinal))
                yield return $"{variable} is a secret in the open.";
            if (SecretValue().IsMatch(value))
                yield return $"{variable} holds a secret.";
            if (variable.EndsWith("_FILE", StringComparison.Ordinal) && FaultOfFile(service, value, keys) is { } fault)
                yield return $"{variable}: {fault}";
        }
    }

    private static string? FaultOfFile(ComposeService service, string path, Keys keys)
    {
        if (path.Split('/') is not ["", "run", "antbot", var folder, var file] || !keys.Has(folder, file))
            return $"nobody makes {path}.";
        return service.Mounts.Any(m => m.Path == $"{SecretsRoot}{folder}" && m.Source == $"keys-{folder}") ? null : $"keys-{folder} is not mounted where {path} is read.";
    }

    [GeneratedRegex("^[1-9][0-9]*:[1-9][0-9]*$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex UserAndGroup();

    [GeneratedRegex(@"^127\.0\.0\.1:\$\{[A-Z_]+:-[0-9]+\}:[0-9]+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex LoopbackPort();

    [GeneratedRegex("PASS|SECRET|TOKEN|KEY", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();

    [GeneratedRegex("password=|://[^/]*:[^/]*@|[0-9a-f]{24}", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretValue();
}
