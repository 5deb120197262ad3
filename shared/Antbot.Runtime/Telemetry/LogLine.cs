using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Antbot.Runtime.Telemetry;

/// <summary>What is logged for machines: an entry is a line of JSON, of the same members in the same order whichever process says it.</summary>
public static class LogLine
{
    private static readonly JsonWriterOptions Format = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static string Json(
        DateTimeOffset time, string level, string service, string instance, string category, string message,
        string? trace = null, IEnumerable<(string Name, string? Value)>? further = null, string? exception = null)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(buffer, Format))
        {
            json.WriteStartObject();
            json.WriteString("time", time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
            json.WriteString("level", level);
            json.WriteString("service", service);
            json.WriteString("instance", instance);
            json.WriteString("category", category);
            json.WriteString("message", message);
            if (trace is not null)
                json.WriteString("trace", trace);
            foreach (var (name, value) in further ?? [])
                json.WriteString(name, value);
            if (exception is not null)
                json.WriteString("exception", exception);
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    /// <summary>What it says, for a person; any other line as it is.</summary>
    public static string MessageOf(string line)
    {
        try
        {
            using var json = JsonDocument.Parse(line);
            return json.RootElement is { ValueKind: JsonValueKind.Object } entry && entry.TryGetProperty("message", out var message) && message.ValueKind == JsonValueKind.String ? message.GetString()! : line;
        }
        catch (JsonException)
        {
            return line;
        }
    }
}
