using Antbot.Contracts;
using Antbot.Contracts.Venue;

namespace Antbot.Runtime.Venue;

/// <summary>
/// An exchange, as Execution and Reconciliation see it. No method throws for what the venue or the way to it does: an answer that
/// did not come is <c>Unknown</c>, and a failed listing is unknown too, never empty.
/// </summary>
public interface IVenue
{
    string Name { get; }

    /// <summary>Whose keys it is asked with: nobody else's trades belong there.</summary>
    AccountId Account { get; }

    /// <summary>A venue without real money. In Dry nothing is sent anywhere else.</summary>
    bool IsPaper { get; }

    /// <summary>The venue's clock as last measured; null while it never was. Attempts are stamped with it.</summary>
    DateTimeOffset? Now { get; }

    Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default);

    Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default);

    /// <summary>Sends an order that is signed for <see cref="VenueOrder.SignedAt"/> and <see cref="VenueOrder.Window"/>: the venue takes it within that time or never.</summary>
    Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default);

    Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default);

    /// <summary>The same by the venue's own number, which its trades bear.</summary>
    Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default);

    Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default);

    Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default);

    /// <summary>Those of one symbol, which costs a venue much less.</summary>
    Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default);

    /// <summary>The same for the sake of an entry: it takes nothing of what is kept back for finding out and getting out, and is not sent where entries have none left.</summary>
    Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersForEntryAsync(Symbol symbol, CancellationToken cancellationToken = default) => ListOpenOrdersAsync(symbol, cancellationToken);

    /// <summary>Fills of one order, oldest first.</summary>
    Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default);

    /// <summary>Every fill of the account in this symbol from this time of the venue's on, oldest first.</summary>
    Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default);

    /// <summary>Why nothing may be entered with real money there, whatever else allows it; null where it may. Answered from memory.</summary>
    string? LiveBar { get; }

    /// <summary>What our key may do; <see cref="LiveBar"/> goes by the last answer.</summary>
    Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default);

    /// <summary>Null where it has none, as Binance's spot.</summary>
    IEntryCountdown? EntryCountdown => null;

    Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default);
}
