using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Changes;

/// <summary>What a process said when it began. Its class lives with the hosts, which are none of what is needed here.</summary>
internal sealed record ProcessRun(long Sequence, DateTimeOffset At, string Service, Guid Instance, string Name, string Build, string? BuildHash, string? Configuration)
{
    private const int HashShown = 12;

    /// <summary>Null where it is no beginning of a process.</summary>
    public static ProcessRun? Read(StoredEvent stored)
    {
        if (stored.Type != "process_started")
            return null;
        using var document = JsonDocument.Parse(stored.Data);
        var body = document.RootElement;
        return body.ValueKind == JsonValueKind.Object && body.TryGetProperty("Instance", out var instance) && instance.ValueKind == JsonValueKind.String && instance.TryGetGuid(out var id)
            ? new ProcessRun(stored.Sequence, stored.Timestamp, Text(body, "Service") ?? "", id, Text(body, "Name") ?? "", Text(body, "Build") ?? "", Text(body, "BuildHash"), Text(body, "Configuration"))
            : null;
    }

    /// <summary>What is another than in the process of the same service that began before it.</summary>
    /// <param name="first">Where none is known, there was none.</param>
    public IEnumerable<Change> Since(ProcessRun? before, bool first)
    {
        var unknown = first ? "nothing: it is the first" : "not known";
        if (before is null || (before.BuildHash, before.Build) != (BuildHash, Build))
            yield return New(ChangeKind.Build, $"{Code(this)}, before {(before is null ? unknown : Code(before))}");
        if (before is null || before.Configuration != Configuration)
            yield return New(ChangeKind.Configuration, $"{Settings(this)}, before {(before is null ? unknown : Settings(before))}");
    }

    private Change New(ChangeKind kind, string what) => new(Sequence, At, kind, Service, EventWords.Plain(what, 300), EventWords.Plain($"process:{Service} {Name} {Instance:N}".Replace("  ", " ", StringComparison.Ordinal), 200), "");

    private static string Code(ProcessRun run) => $"build {run.Build} {(run.BuildHash is { } hash ? Short(hash) : "of which no hash was recorded")}";

    private static string Settings(ProcessRun run) => run.Configuration is { } hash ? $"settings {Short(hash)}" : "settings that were not recorded";

    private static string Short(string hash) => hash.Length <= HashShown ? hash : hash[..HashShown];

    private static string? Text(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
