using System.Buffers;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;

namespace Antbot.Reconciliation;

/// <summary>
/// Keeps the order book by following the history. What it knows and how far it came are kept as one snapshot, so that it goes on
/// where it was, neither leaving an event out nor taking one twice, however long the history is.
/// </summary>
public sealed class OrderBookFollower(IEventStore store, EventCodec codec, AccountId account)
{
    private const int Page = 2_000;
    private const int EventsPerSnapshot = 10_000;

    /// <summary>The more the book holds, the more it costs to keep: what is read again after a crash may grow with it.</summary>
    private const int EventsPerOrder = 10;

    private static readonly Dictionary<string, Type> Wanted = new[]
    {
        typeof(EntryPlanned), typeof(OrderIntended), typeof(OrderAttempted), typeof(OrderAccepted), typeof(OrderRefused), typeof(OrderNotSent), typeof(OrderUnknown), typeof(OrderAbsent), typeof(OrderFilled), typeof(OrderFillBusted),
        typeof(OrderEnded), typeof(OrderAdopted), typeof(PositionAdopted), typeof(PositionWrittenOff), typeof(PositionClosed), typeof(EntryFailedRecorded), typeof(OrderCorrected), typeof(OrderConfirmed),
        typeof(ReconciliationAwaited), typeof(TradeVerified),
    }.ToDictionary(StoredNameAttribute.Of, StringComparer.Ordinal);

    /// <summary>Orders, those who wait for a look at the account, and what was held against the venue.</summary>
    private readonly string[] _followed = [Streams.OrderPrefix, StartGate.StreamPrefix, Streams.Reconciliation(account).Value];

    private readonly StreamId _stream = Streams.Reconciliation(account);

    /// <summary>Megabytes with thousands of open orders: not others each time.</summary>
    private readonly ArrayBufferWriter<byte> _buffer = new();

    private Kept? _kept;
    private long _highest;
    private long _snapshot;
    private long _since;

    public OrderBook Book => _kept?.Book ?? OrderBook.Empty(account);

    /// <summary>The sequence of the last event that the book knows of, by which it reads on.</summary>
    public long Sequence => _kept?.Sequence ?? 0;

    /// <summary>
    /// The highest sequence that it knows of: all that is recorded under our lock up to there is in it. The last event may have a lower
    /// one, where another application wrote it.
    /// </summary>
    public long Through => Math.Max(Math.Max(Sequence, Awaited), _highest);

    /// <summary>Where in history somebody last said that they wait for the account to be reconciled.</summary>
    public long Awaited => _kept?.Awaited ?? 0;

    /// <summary>Reads on to the end of the history.</summary>
    public async Task CatchUpAsync(CancellationToken cancellationToken)
    {
        _kept ??= await RestoreAsync(cancellationToken);
        while (true)
        {
            var after = Sequence;
            var page = await store.ReadPageAsync(after, Page, _followed, cancellationToken);
            if (page.Through == after)
                break;
            // What was bought and sold counts for ever: a book that went past some of it would miss money that is nowhere missing.
            _ = page.Whole();
            _highest = Math.Max(_highest, page.Through);
            _kept = await ApplyAsync(_kept, page, cancellationToken);
            _since += page.Events.Count;
            if (_since >= Math.Max(EventsPerSnapshot, EventsPerOrder * Book.Live.Count))
                await KeepAsync(cancellationToken);
            if (page.Through - after < Page)
                break;
        }
    }

    /// <summary>Keeps what is known. Only saves time: without it more is read again.</summary>
    public async Task KeepAsync(CancellationToken cancellationToken)
    {
        if (_kept is not { } kept || kept.Sequence == _snapshot)
            return;
        _buffer.ResetWrittenCount();
        await using (var json = new Utf8JsonWriter(_buffer))
            JsonSerializer.Serialize(json, kept, EventCodec.Json);
        if (_buffer.WrittenCount <= StoreLimits.SnapshotBytesMax)
            await store.SaveSnapshotAsync(new Snapshot(_stream, OrderBook.Name, kept.Sequence, _buffer.WrittenMemory), cancellationToken);
        (_snapshot, _since) = (kept.Sequence, 0);
    }

    private async Task<Kept> ApplyAsync(Kept kept, EventPage page, CancellationToken cancellationToken)
    {
        var (book, awaited) = (kept.Book, kept.Awaited);
        foreach (var stored in page.Events.Where(e => Wanted.ContainsKey(e.Type)))
        {
            var @event = codec.Decode(stored);
            if (@event is ReconciliationAwaited e)
                awaited = e.Account == account ? stored.Sequence : awaited;
            else
                book = (await WithMissingAsync(book, @event, stored, cancellationToken)).Apply(@event, stored.Timestamp);
        }
        return new Kept(book, page.Through, awaited);
    }

    private async Task<OrderBook> WithMissingAsync(OrderBook book, object @event, StoredEvent stored, CancellationToken cancellationToken)
    {
        // By the stream: an order that was found bears another trade's name, or none.
        if (book.Missing(@event) is not { } order || !TradeId.TryParse(stored.Stream[Math.Min(stored.Stream.Length, Streams.OrderPrefix.Length)..], out var trade) || stored.Stream != Streams.Order(trade).Value)
            return book;
        var record = await OrderRecord.ReadAsync(store, codec, trade, account, cancellationToken, stored.Version);
        return record.Orders.TryGetValue(order.Value, out var found) ? book.WithMissing(found) : book;
    }

    private async Task<Kept> RestoreAsync(CancellationToken cancellationToken)
    {
        var snapshot = await store.LoadSnapshotAsync(_stream, OrderBook.Name, cancellationToken);
        try
        {
            if (snapshot is not null && JsonSerializer.Deserialize<Kept>(snapshot.State.Span, EventCodec.Json) is { } kept && kept.Sequence == snapshot.Version)
            {
                _snapshot = kept.Sequence;
                return kept;
            }
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException)
        {
            // Of another build: the history is still there.
        }
        return new Kept(OrderBook.Empty(account), 0, 0);
    }

    private sealed record Kept(OrderBook Book, long Sequence, long Awaited);
}
