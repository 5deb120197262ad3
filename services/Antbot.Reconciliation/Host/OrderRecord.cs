using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.Reconciliation;

/// <summary>What `order-{trade}` says of a trade, its orders that are over included.</summary>
/// <param name="Adopted">What came to it without an order of ours.</param>
/// <param name="WrittenOff">What left it without one.</param>
/// <param name="AdoptedAt">At what price.</param>
/// <param name="Nothing">Why nothing was begun, nor ever will be; null where something was, or may be yet.</param>
internal sealed record OrderRecord(IReadOnlyDictionary<string, BookedOrder> Orders, Quantity Adopted, Quantity WrittenOff, Price? AdoptedAt, string? Nothing)
{
    /// <summary>It has orders, or something to hold.</summary>
    public bool HasBegun => Orders.Count > 0 || Adopted > Quantity.Zero;

    /// <param name="beforeVersion">Only what was said before; 0 for all of it.</param>
    public static async Task<OrderRecord> ReadAsync(IEventStore store, EventCodec codec, TradeId trade, AccountId account, CancellationToken cancellationToken, long beforeVersion = 0)
    {
        var (book, adopted, writtenOff, price, failed) = (OrderBook.Empty(account), Quantity.Zero, Quantity.Zero, (Price?)null, (string?)null);
        await foreach (var stored in store.ReadStreamAsync(Streams.Order(trade), 1, cancellationToken))
        {
            if (beforeVersion > 0 && stored.Version >= beforeVersion)
                break;
            var @event = codec.Decode(stored);
            adopted += @event is PositionAdopted a ? a.Quantity : Quantity.Zero;
            price = @event is PositionAdopted { Price: var at } ? at : price;
            writtenOff += @event is PositionWrittenOff w ? w.Quantity : Quantity.Zero;
            failed = @event switch
            {
                EntryForbidden e => $"it was to end before it began: {e.Reason}",
                EntryFailedRecorded e => e.Reason,
                _ => failed,
            };
            // That the trade is over would take its orders out of the book. What was adopted is no order that the venue could be asked after.
            if (@event is not (PositionClosed or EntryFailedRecorded or PositionAdopted))
                book = book.Apply(@event, stored.Timestamp);
        }
        return new OrderRecord(book.Live, adopted, writtenOff, price, book.Live.IsEmpty && adopted == Quantity.Zero ? failed : null);
    }
}
