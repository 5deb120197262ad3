using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>Reads what a process recorded when it began. Its class lives with the hosts, which are none of what is needed here.</summary>
internal static class ProcessStarts
{
    /// <summary>A process begins once, under its own id: so is its event found.</summary>
    public const string Consumer = "started";

    /// <param name="events">How many events of a chain it recorded.</param>
    public static TraceProcess? Read(StoredEvent stored, int events)
    {
        using var document = JsonDocument.Parse(stored.Data);
        var body = document.RootElement;
        return body.TryGetProperty("Instance", out var instance) && instance.TryGetGuid(out var id)
            ? new TraceProcess(id, Text(body, "Service") ?? "", Text(body, "Name") ?? "", Text(body, "Build") ?? "", Text(body, "BuildHash"), Text(body, "Configuration"), stored.Timestamp, events)
            : null;
    }

    private static string? Text(JsonElement body, string name) => body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
