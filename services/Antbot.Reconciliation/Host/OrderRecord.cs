using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.Reconciliation;

/// <summary>What `order-{trade}` says of a trade's orders, those that are over included.</summary>
internal static class OrderRecord
{
    /// <param name="beforeVersion">Only what was said before; 0 for all of it.</param>
    public static async Task<IReadOnlyDictionary<string, BookedOrder>> ReadAsync(
        IEventStore store, EventCodec codec, TradeId trade, AccountId account, CancellationToken cancellationToken, long beforeVersion = 0)
    {
        var book = OrderBook.Empty(account);
        await foreach (var stored in store.ReadStreamAsync(Streams.Order(trade), 1, cancellationToken))
        {
            if (beforeVersion > 0 && stored.Version >= beforeVersion)
                break;
            var @event = codec.Decode(stored);
            // That the trade is over would take its orders out of the book.
            if (@event is not (PositionClosed or EntryFailedRecorded))
                book = book.Apply(@event, stored.Timestamp);
        }
        return book.Live;
    }
}
