using System.Globalization;
using System.Text.Json;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;

namespace Antbot.Runtime.Store;

/// <summary>
/// An append that has passed the edge: every rule of the store checked, bodies canonical, hashes made.
/// It is done on the caller's thread, before the queue, so that one bad append never meets its neighbours.
/// </summary>
public sealed class PreparedAppend
{
    private static readonly DateTimeOffset TimeMax = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private PreparedAppend(AppendRequest request, DateTimeOffset at, byte[]? headers, PreparedEvent[] events, int bytes)
    {
        Request = request;
        At = at;
        Headers = headers;
        Events = events;
        Bytes = bytes;
    }

    public AppendRequest Request { get; }

    public DateTimeOffset At { get; }

    public byte[]? Headers { get; }

    public IReadOnlyList<PreparedEvent> Events { get; }

    public int Bytes { get; }

    public static PreparedAppend From(AppendRequest request)
    {
        ArgumentNullException.ThrowIfNull(request);
        _ = request.Stream.Value;
        CheckCounts(request);
        StoreChecks.Text("correlation id", request.Meta.CorrelationId);
        StoreChecks.Text("causation id", request.Meta.CausationId);
        StoreChecks.Text("actor", request.Meta.Actor);
        StoreChecks.Text("trace id", request.Meta.TraceId);
        var at = request.At.Cut();
        if (at < DateTimeOffset.UnixEpoch || at >= TimeMax)
            throw Invalid($"The time of an event lies between 1970 and 9999; this one is {request.At:u}.");
        var headers = HeadersOf(request.Meta);
        var events = new PreparedEvent[request.Events.Count];
        var bytes = 0;
        for (var i = 0; i < events.Length; i++)
        {
            events[i] = Prepare(request, i, at, headers);
            bytes += events[i].Data.Length;
            // Checked as it grows: a thousand bodies at the limit would be a gigabyte by the end.
            if (bytes > StoreLimits.AppendBytesMax)
                throw new EventStoreException(StoreFault.TooLarge, $"An append has at most {StoreLimits.AppendBytesMax} bytes; this one has more, by event {i} already. Split it.");
        }
        return new PreparedAppend(request, at, headers, events, bytes);
    }

    /// <summary>All of them, or null where one breaks a rule: sent alone, it learns which.</summary>
    public static IReadOnlyList<PreparedAppend>? TryAll(IReadOnlyList<AppendRequest> requests)
    {
        try
        {
            return [.. requests.Select(From)];
        }
        catch (Exception e) when (e is EventStoreException or ArgumentException or InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>The events as they now stand in the store.</summary>
    public StoredEvent[] ToStored(long firstVersion, long firstPosition, ReadOnlySpan<long> sequences)
    {
        var stored = new StoredEvent[Events.Count];
        for (var i = 0; i < stored.Length; i++)
        {
            stored[i] = new StoredEvent
            {
                Sequence = sequences[i],
                Position = firstPosition + i,
                EventId = Events[i].EventId,
                Stream = Request.Stream.Value,
                Version = firstVersion + i,
                Type = Events[i].Type,
                ClrType = Events[i].ClrType,
                Data = Events[i].Data,
                Timestamp = At,
                CorrelationId = Request.Meta.CorrelationId,
                CausationId = Request.Meta.CausationId,
                Actor = Request.Meta.Actor,
                Headers = Headers,
            };
        }
        return stored;
    }

    private static void CheckCounts(AppendRequest request)
    {
        if (request.Events.Count is 0 or > StoreLimits.EventsPerAppendMax)
            throw Invalid($"An append has 1 to {StoreLimits.EventsPerAppendMax} events; this one has {request.Events.Count}.");
        if (request.Guards.Count > StoreLimits.GuardsPerAppendMax)
            throw Invalid($"An append has at most {StoreLimits.GuardsPerAppendMax} guards; this one has {request.Guards.Count}.");
        foreach (var guard in request.Guards)
            _ = guard.Stream.Value;
    }

    private static PreparedEvent Prepare(AppendRequest request, int ordinal, DateTimeOffset at, byte[]? headers)
    {
        var e = request.Events[ordinal];
        var which = string.Create(CultureInfo.InvariantCulture, $"event {ordinal} of the append to {request.Stream}");
        CheckType(which, e.Type, StoreLimits.TypeLengthMax);
        CheckType(which, e.ClrType, StoreLimits.ClrTypeLengthMax);
        if (e.Data.Length > StoreLimits.EventBytesMax)
            throw TooLarge(which, e.Data.Length);
        var data = Canonical(which, e.Data);
        if (data.Length > StoreLimits.EventBytesMax)
            throw TooLarge(which, data.Length);
        if (data[0] != (byte)'{')
            throw Invalid($"The body of {which} is not a JSON object.");
        var id = request.Decision.EventId(ordinal);
        var content = new EventContent
        {
            EventId = id,
            Stream = request.Stream.Value,
            Type = e.Type,
            ClrType = e.ClrType,
            TimestampMicroseconds = at.ToUnixMicroseconds(),
            Tenant = StoredEvent.DefaultTenant,
            CorrelationId = request.Meta.CorrelationId,
            CausationId = request.Meta.CausationId,
            Actor = request.Meta.Actor,
            CanonicalHeaders = headers,
            HasHeaders = headers is not null,
            CanonicalData = data,
            BinaryData = default,
            HasBinaryData = false,
            IsArchived = false,
        };
        return new PreparedEvent(id, e.Type, e.ClrType, data, content.Hash());
    }

    private static byte[] Canonical(string which, ReadOnlyMemory<byte> json)
    {
        try
        {
            return CanonicalJson.From(json.Span);
        }
        catch (CanonicalJsonException e)
        {
            throw new EventStoreException(StoreFault.Invalid, $"The body of {which} cannot be stored: {e.Message}", e);
        }
    }

    private static byte[]? HeadersOf(EventMeta meta)
    {
        var headers = new Dictionary<string, string>(StringComparer.Ordinal);
        if (meta.TraceId is { } trace)
            headers[EventHeaders.TraceId] = trace;
        if (meta.Process is { } process)
            headers[EventHeaders.Process] = process.ToString("N");
        return headers.Count == 0 ? null : CanonicalJson.From(JsonSerializer.SerializeToUtf8Bytes(headers));
    }

    private static void CheckType(string which, string? name, int lengthMax)
    {
        if (string.IsNullOrEmpty(name) || name.Length > lengthMax)
            throw Invalid($"The type name of {which} has 1 to {lengthMax} characters; this one has {name?.Length ?? 0}.");
        StoreChecks.Characters($"type name of {which}", name);
    }

    private static EventStoreException TooLarge(string which, int bytes) =>
        new(StoreFault.TooLarge, $"The body of {which} has {bytes} bytes; the limit is {StoreLimits.EventBytesMax}. Keep it beside the events and its hash in the event.");

    private static EventStoreException Invalid(string message) => new(StoreFault.Invalid, message);
}

public sealed record PreparedEvent(Guid EventId, string Type, string ClrType, byte[] Data, byte[] ContentHash);
