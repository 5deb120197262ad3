using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Integration.Tests.Reconciliation;

/// <summary>A venue that says what a test has put into it, or nothing while it is away.</summary>
internal sealed class FakeVenue : IVenue, IMarketData
{
    public static readonly Symbol Btc = new("BTCUSDT");

    private int _questions;

    public string Name => "fake";

    public AccountId Account { get; } = new("main");

    public bool IsPaper { get; set; } = true;

    public DateTimeOffset? Now => DateTimeOffset.UtcNow;

    public volatile bool Away;

    /// <summary>Called before open orders are listed: what a test wants to happen just then.</summary>
    public Func<Task> BeforeListing { get; set; } = () => Task.CompletedTask;

    /// <summary>Balances alone are not to be had.</summary>
    public volatile bool BalancesAway;

    /// <summary>How many balances make no sense.</summary>
    public int PassedOver { get; set; }

    /// <summary>Of which assets, where that can be read.</summary>
    public IReadOnlyList<string> Names { get; set; } = [];

    public int Questions => Volatile.Read(ref _questions);

    public ConcurrentDictionary<string, OrderReport> Orders { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, FillReport[]> Fills { get; } = new(StringComparer.Ordinal);

    public ConcurrentDictionary<string, decimal> Balances { get; } = new(StringComparer.Ordinal) { ["USDT"] = 1_000 };

    public OrderReport Put(ClientOrderId order, Side side, decimal executed, VenueOrderStatus status, decimal quantity = 1) => Orders[order.Value] =
        new(order, $"v-{order.Value}", Btc, side, status, new Quantity(quantity), new Quantity(executed), new Money(executed * 100), DateTimeOffset.UtcNow, []);

    public Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default) => Answer(() => DateTimeOffset.UtcNow);

    public Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<SymbolRules>>(() => [new(Btc, "BTC", "USDT", 0.01m, 0.001m, new Quantity(0.001m), new Quantity(100), new Money(5))]);

    public Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default) => throw new InvalidOperationException("Reconciliation places nothing.");

    public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) => throw new InvalidOperationException("Reconciliation cancels nothing.");

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _questions);
        return Task.FromResult<VenueAnswer<OrderReport>>(Away ? new VenueAnswer<OrderReport>.Unknown("timed out")
            : Orders.TryGetValue(order.Value, out var report) ? new VenueAnswer<OrderReport>.Said(report)
            : new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2013", "Order does not exist."));
    }

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _questions);
        return Task.FromResult<VenueAnswer<OrderReport>>(Away ? new VenueAnswer<OrderReport>.Unknown("timed out")
            : Orders.Values.FirstOrDefault(o => o.VenueOrderId == venueOrderId) is { } report ? new VenueAnswer<OrderReport>.Said(report)
            : new VenueAnswer<OrderReport>.Refused(Refusal.UnknownOrder, "-2013", "Order does not exist."));
    }

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<FillReport>>(() => [.. Fills.Values.SelectMany(f => f).Where(f => f.Symbol == symbol && f.At >= since)]);

    public async Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default)
    {
        await BeforeListing();
        return await Answer<IReadOnlyList<OrderReport>>(() => [.. Orders.Values.Where(o => !o.IsOver)]);
    }

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<OrderReport>>(() => [.. Orders.Values.Where(o => !o.IsOver && o.Symbol == symbol)]);

    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) =>
        Answer<IReadOnlyList<FillReport>>(() => Fills.GetValueOrDefault(venueOrderId) ?? []);

    public string? LiveBar => null;

    public Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default) =>
        Task.FromResult<VenueAnswer<KeyPermissions>>(new VenueAnswer<KeyPermissions>.Said(new KeyPermissions(Reads: true, Trades: true, Withdraws: false, Transfers: false, IsBoundToAddresses: true)));

    public Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) => BalancesAway
        ? Task.FromResult<VenueAnswer<IReadOnlyList<Balance>>>(new VenueAnswer<IReadOnlyList<Balance>>.NotSent("the request budget is used up", null))
        : Away ? Answer<IReadOnlyList<Balance>>(() => [])
        : Task.FromResult<VenueAnswer<IReadOnlyList<Balance>>>(new VenueAnswer<IReadOnlyList<Balance>>.Said([.. Balances.Select(b => new Balance(b.Key, b.Value, 0))], PassedOver, Names));

    /// <summary>Null where the market is not to be had.</summary>
    public decimal? Price { get; set; } = 100;

    public MarketPrice? Latest(Symbol symbol) => null;

    public Task<VenueAnswer<IReadOnlyList<Candle>>> ReadCandlesAsync(Symbol symbol, TimeSpan interval, int count, CancellationToken cancellationToken = default) =>
        Price is { } price ? Answer<IReadOnlyList<Candle>>(() => [new(symbol, interval, DateTimeOffset.UnixEpoch, new Price(price), new Price(price), new Price(price), new Price(price), new Quantity(1))])
        : Task.FromResult<VenueAnswer<IReadOnlyList<Candle>>>(new VenueAnswer<IReadOnlyList<Candle>>.Unknown("timed out"));

    public IAsyncEnumerable<Candle> FollowCandlesAsync(IReadOnlyCollection<Symbol> symbols, TimeSpan interval, CancellationToken cancellationToken = default) => throw new InvalidOperationException("Nobody follows candles here.");

    public Task FollowPricesAsync(IReadOnlyCollection<Symbol> symbols, CancellationToken cancellationToken = default) => throw new InvalidOperationException("Nobody follows prices here.");

    private Task<VenueAnswer<T>> Answer<T>(Func<T> value) =>
        Task.FromResult<VenueAnswer<T>>(Away ? new VenueAnswer<T>.Unknown("timed out") : new VenueAnswer<T>.Said(value()));
}
