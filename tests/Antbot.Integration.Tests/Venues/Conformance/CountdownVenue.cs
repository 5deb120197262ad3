using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>
/// A venue that has everything another one has, and a countdown for entries besides. It goes wrong as it is told, and counts down only
/// when it is asked to.
/// </summary>
internal sealed class CountdownVenue(IVenue inner, TimeProvider clock) : IVenue, IEntryCountdown
{
    private DateTimeOffset? _runsOut;

    /// <summary>When it was armed, and for how long.</summary>
    public List<(DateTimeOffset At, TimeSpan Countdown)> Armed { get; } = [];

    /// <summary>What it says instead; null where it does as it is asked.</summary>
    public VenueAnswer<DateTimeOffset>? Instead { get; set; }

    /// <summary>How often it has run out.</summary>
    public int Lapses { get; private set; }

    public IEntryCountdown? EntryCountdown => this;

    public string Name => inner.Name;

    public AccountId Account => inner.Account;

    public bool IsPaper => inner.IsPaper;

    public DateTimeOffset? Now => inner.Now;

    public string? LiveBar => inner.LiveBar;

    public Task<VenueAnswer<DateTimeOffset>> ArmAsync(TimeSpan countdown, CancellationToken cancellationToken = default)
    {
        if (Instead is { } other)
            return Task.FromResult(other);
        var now = clock.GetUtcNow();
        if (now >= _runsOut)
            Lapses++;
        Armed.Add((now, countdown));
        _runsOut = now + countdown;
        return Task.FromResult<VenueAnswer<DateTimeOffset>>(new VenueAnswer<DateTimeOffset>.Said(now + countdown));
    }

    /// <summary>Where it has run out it cancels what was entered, as its own doing.</summary>
    public async Task CountDownAsync(CancellationToken cancellationToken)
    {
        if (!(clock.GetUtcNow() >= _runsOut) || await inner.ListOpenOrdersAsync(cancellationToken) is not VenueAnswer<IReadOnlyList<OrderReport>>.Said { Value: var open })
            return;
        (_runsOut, Lapses) = (null, Lapses + 1);
        foreach (var order in open.Where(o => o.Side == Side.Buy))
            await inner.CancelAsync(order.Symbol, order.Id, cancellationToken);
    }

    public Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default) => inner.MeasureClockAsync(cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default) => inner.ReadRulesAsync(cancellationToken);

    public Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) => inner.PlaceAsync(order, cancellationToken);

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => inner.FindOrderAsync(symbol, order, cancellationToken);

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => inner.FindOrderAsync(symbol, venueOrderId, cancellationToken);

    public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => inner.CancelAsync(symbol, order, cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => inner.ListOpenOrdersAsync(cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) => inner.ListOpenOrdersAsync(symbol, cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersForEntryAsync(Symbol symbol, CancellationToken cancellationToken = default) => inner.ListOpenOrdersForEntryAsync(symbol, cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) => inner.ListFillsAsync(symbol, venueOrderId, cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) => inner.ListFillsAsync(symbol, since, cancellationToken);

    public Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default) => inner.ReadPermissionsAsync(cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => inner.ReadBalancesAsync(cancellationToken);
}
