using System.Text.Json;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;

namespace Antbot.Runtime.Store;

/// <summary>An event as its row has it.</summary>
public sealed record StoredEvent
{
    public const string DefaultTenant = "*DEFAULT*";

    /// <summary>The database's number (<c>seq_id</c>). It has gaps; the ledger's position has none.</summary>
    public required long Sequence { get; init; }

    /// <summary>The place in the ledger; 0 while an event that somebody else appended awaits the sealer.</summary>
    public required long Position { get; init; }

    public required Guid EventId { get; init; }
    public required string Stream { get; init; }
    public required long Version { get; init; }
    public required string Type { get; init; }
    public required string? ClrType { get; init; }

    /// <summary>JSON in UTF-8, as the engine renders it: equal to what was appended in its canonical form, not in its bytes.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    public required DateTimeOffset Timestamp { get; init; }
    public string? CorrelationId { get; init; }
    public string? CausationId { get; init; }
    public string? Actor { get; init; }

    /// <summary>A JSON object in UTF-8.</summary>
    public byte[]? Headers { get; init; }

    public string? Tenant { get; init; } = DefaultTenant;
    /// <summary>False in everything that is appended here. Marten's column may be null, which is not the same.</summary>
    public bool? IsArchived { get; init; } = false;
    public byte[]? BinaryData { get; init; }

    /// <summary>What of it may be large.</summary>
    public int Bytes => Data.Length + (BinaryData?.Length ?? 0) + (Headers?.Length ?? 0);

    public string? TraceId => Header(EventHeaders.TraceId);

    /// <summary>The process that recorded it: what it ran is in that process's own first event.</summary>
    public Guid? Process => Guid.TryParseExact(Header(EventHeaders.Process), "N", out var process) ? process : null;

    private string? Header(string name)
    {
        if (Headers is not { } headers)
            return null;
        using var document = JsonDocument.Parse(headers);
        return document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }

    /// <summary>The hash the ledger chains. A body that has no canonical form throws <see cref="CanonicalJsonException"/>.</summary>
    public byte[] ContentHash()
    {
        var headers = Headers is null ? null : CanonicalJson.From(Headers);
        return new EventContent
        {
            EventId = EventId,
            Stream = Stream,
            Type = Type,
            ClrType = ClrType,
            TimestampMicroseconds = Timestamp.ToUnixMicroseconds(),
            Tenant = Tenant,
            CorrelationId = CorrelationId,
            CausationId = CausationId,
            Actor = Actor,
            CanonicalHeaders = headers,
            HasHeaders = headers is not null,
            CanonicalData = CanonicalJson.From(Data.Span),
            BinaryData = BinaryData,
            HasBinaryData = BinaryData is not null,
            IsArchived = IsArchived,
        }.Hash();
    }
}

public static class EventHeaders
{
    public const string TraceId = "trace_id";
    public const string Process = "process";
}
