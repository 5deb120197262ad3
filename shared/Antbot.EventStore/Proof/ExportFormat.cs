using System.Buffers;
using System.Text.Json;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>
/// A history as JSON lines: a header, the checkpoints, an event with its proof a line, an end that says how much there should
/// be. The same from every engine, so that history moves between them.
/// </summary>
internal static class ExportFormat
{
    public const int FormatVersion = 1;
    public const int FlushBytes = 1024 * 1024;
    public const int LineBytesMax = 4 * StoreLimits.EventBytesMax;

    public const string Whole = "AntbotExport";
    public const string Excerpt = "AntbotExcerpt";

    /// <param name="kind"><see cref="Whole"/> or <see cref="Excerpt"/>.</param>
    /// <param name="events">How many an excerpt shows.</param>
    public static void WriteHeader(ArrayBufferWriter<byte> output, string kind, Guid storeId, int checkpoints, int? events = null)
    {
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteNumber(kind, FormatVersion);
            json.WriteString("StoreId", storeId);
            json.WriteNumber("Checkpoints", checkpoints);
            if (events is { } count)
                json.WriteNumber("Events", count);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    /// <summary>A link of which only that is told that the next one's proof needs: of its event no more than a hash.</summary>
    public static void WriteBare(ArrayBufferWriter<byte> output, LedgerLink link)
    {
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("Bare", link.Position);
            json.WriteNumber("Sequence", link.Sequence);
            json.WriteNumber("Version", link.Event?.Version ?? link.Archived!.Version);
            json.WriteBase64String("Content", link.Event?.ContentHash() ?? link.Archived!.Content);
            json.WriteBoolean("Foreign", link.Foreign);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    public static BareLink ReadBare(JsonElement line) => new(
        line.GetProperty("Bare").GetInt64(), line.GetProperty("Sequence").GetInt64(), line.GetProperty("Version").GetInt64(), Bytes(line.GetProperty("Content")), line.GetProperty("Foreign").GetBoolean());

    public static void WriteLink(ArrayBufferWriter<byte> output, LedgerLink link)
    {
        var e = link.Event!;
        using (var json = new Utf8JsonWriter(output, new JsonWriterOptions { SkipValidation = true }))
        {
            json.WriteStartObject();
            json.WriteNumber("Position", link.Position);
            json.WriteNumber("Sequence", link.Sequence);
            json.WriteString("EventId", e.EventId);
            json.WriteString("Stream", e.Stream);
            json.WriteNumber("Version", e.Version);
            json.WriteString("Type", e.Type);
            json.WriteString("ClrType", e.ClrType);
            json.WriteNumber("AtMicroseconds", e.Timestamp.ToUnixMicroseconds());
            json.WriteString("Tenant", e.Tenant);
            json.WriteString("CorrelationId", e.CorrelationId);
            json.WriteString("CausationId", e.CausationId);
            json.WriteString("Actor", e.Actor);
            if (e.IsArchived is { } archived)
                json.WriteBoolean("IsArchived", archived);
            if (e.Headers is not null)
            {
                json.WritePropertyName("Headers");
                json.WriteRawValue(CanonicalJson.From(e.Headers), skipInputValidation: true);
            }
            if (e.BinaryData is not null)
                json.WriteBase64String("BinaryData", e.BinaryData);
            json.WritePropertyName("Data");
            json.WriteRawValue(CanonicalJson.From(e.Data.Span), skipInputValidation: true);
            json.WriteBase64String("PreviousHash", link.PreviousHash);
            json.WriteBase64String("Hash", link.Hash);
            json.WriteBoolean("Foreign", link.Foreign);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    public static void WriteCheckpoint(ArrayBufferWriter<byte> output, Checkpoint checkpoint)
    {
        output.Write("{\"Checkpoint\":"u8);
        output.Write(System.Text.Encoding.UTF8.GetBytes(CheckpointFile.Format(checkpoint)));
        output.Write("}\n"u8);
    }

    public static void WriteEnd(ArrayBufferWriter<byte> output, long position, byte[] hash)
    {
        using (var json = new Utf8JsonWriter(output))
        {
            json.WriteStartObject();
            json.WriteNumber("End", position);
            json.WriteBase64String("Hash", hash);
            json.WriteEndObject();
        }
        output.Write("\n"u8);
    }

    public static LedgerLink ReadLink(JsonElement line)
    {
        var (position, sequence) = (line.GetProperty("Position").GetInt64(), line.GetProperty("Sequence").GetInt64());
        var e = new StoredEvent
        {
            Position = position,
            Sequence = sequence,
            EventId = line.GetProperty("EventId").GetGuid(),
            Stream = line.GetProperty("Stream").GetString()!,
            Version = line.GetProperty("Version").GetInt64(),
            Type = line.GetProperty("Type").GetString()!,
            ClrType = line.GetProperty("ClrType").GetString(),
            Timestamp = Microseconds.FromUnixMicroseconds(line.GetProperty("AtMicroseconds").GetInt64()),
            Tenant = line.GetProperty("Tenant").GetString(),
            CorrelationId = line.GetProperty("CorrelationId").GetString(),
            CausationId = line.GetProperty("CausationId").GetString(),
            Actor = line.GetProperty("Actor").GetString(),
            IsArchived = line.TryGetProperty("IsArchived", out var archived) ? archived.GetBoolean() : null,
            Headers = line.TryGetProperty("Headers", out var headers) ? Raw(headers) : null,
            BinaryData = line.TryGetProperty("BinaryData", out var binary) ? Bytes(binary) : null,
            Data = Raw(line.GetProperty("Data")),
        };
        return new LedgerLink(
            position, sequence, e.EventId, e.CorrelationId, Bytes(line.GetProperty("PreviousHash")), Bytes(line.GetProperty("Hash")),
            line.GetProperty("Foreign").GetBoolean(), e);
    }

    public static async Task FlushAsync(ArrayBufferWriter<byte> buffer, Stream output, CancellationToken cancellationToken)
    {
        await output.WriteAsync(buffer.WrittenMemory, cancellationToken);
        buffer.ResetWrittenCount();
    }

    /// <summary>In one spelling only: base64's last character can hold bits that mean nothing.</summary>
    public static byte[] Bytes(JsonElement element)
    {
        var bytes = element.GetBytesFromBase64();
        return Convert.ToBase64String(bytes) == element.GetString() ? bytes : throw new FormatException("its base64 is not as it is written here");
    }

    private static byte[] Raw(JsonElement element) => System.Text.Encoding.UTF8.GetBytes(element.GetRawText());
}

internal sealed record BareLink(long Position, long Sequence, long Version, byte[] Content, bool Foreign);
