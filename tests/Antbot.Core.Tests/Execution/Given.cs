using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Execution;

/// <summary>One trade's orders: what is given is decided input by input, as the host would.</summary>
internal sealed class Given
{
    public static readonly DateTimeOffset Start = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);
    public static readonly Symbol Btc = new("BTCUSDT");
    public static readonly AccountId Account = new("main");
    public static readonly TradeId Trade = new(DeterministicId.From("execution-tests"));
    public static readonly SymbolRules Rules = new(Btc, "BTC", "USDT", 0.01m, 0.00001m, new Quantity(0.00001m), new Quantity(9_000), new Money(5));
    public static readonly ExecutionPolicy Policy = new(0.02m, null, 0.04m, 3_600, 3, 0.005m, 0.02m, 5, 1_000);
    public static readonly ClientOrderId Entry = ClientOrderId.Of(Trade, OrderRole.Entry, 0);
    public static readonly ClientOrderId Stop = ClientOrderId.Of(Trade, OrderRole.Stop, 0);
    public static readonly ClientOrderId Exit = ClientOrderId.Of(Trade, OrderRole.Exit, 0);

    public const int Window = 3_000;

    private readonly List<object> _events = [];

    public OrdersState State { get; private set; } = OrdersState.Initial;

    public DateTimeOffset Now { get; private set; } = Start;

    public string? Bar { get; set; }

    public string? Hold { get; set; }

    public Price? Last { get; set; }

    public bool HasVenueClock { get; set; } = true;

    /// <summary>How far our own clock is behind the venue's.</summary>
    public TimeSpan Behind { get; set; }

    public IReadOnlyList<object> Events => _events;

    public Stamp Stamp => new(HasVenueClock ? Now + Behind : null, Window, 7, Bar, Hold, Last);

    public static Signal Signal(Side side = Side.Buy, OrderKind kind = OrderKind.Market, decimal notional = 650, decimal? limit = null, decimal? stop = null, decimal? profit = null) => new(
        Trade, Account, "strategy:test", Btc, side, kind, new Price(65_000), PriceOf(limit), PriceOf(stop), PriceOf(profit), new Money(notional), 0.9m, Start, Start.AddSeconds(30));

    public IReadOnlyList<object> When(ExecutionInput input)
    {
        var decided = ExecutionDecider.Decide(State, input, Now);
        IsDecidedAgain(input, decided);
        _events.AddRange(decided);
        State = decided.Aggregate(State, OrdersState.Fold.Apply);
        return decided;
    }

    public IReadOnlyList<object> Revalidates(decimal? price = 65_000, SymbolRules? rules = null) => When(new Revalidate(Entry, rules, PriceOf(price), PriceOf(price), Stamp));

    public IReadOnlyList<object> Proposes(ClientOrderId order, string by) => When(new ProposeSettlement(order, Guid.Empty, by, "the venue is gone", "by its id: timed out", Stamp));

    public IReadOnlyList<object> Confirms(ClientOrderId order, string by) => When(new ConfirmSettlement(order, Guid.Empty, by, "the venue is gone", "by its id: timed out", Stamp));

    public IReadOnlyList<object> Enters(Signal? signal = null, decimal reserved = 1_000, decimal? market = 65_000, SymbolRules? rules = null, ExecutionPolicy? policy = null) =>
        When(new Enter(signal ?? Signal(), new Money(reserved), rules ?? Rules, PriceOf(market), policy ?? Policy, Stamp));

    public IReadOnlyList<object> EntersWithoutRules() => When(new Enter(Signal(), new Money(1_000), null, new Price(65_000), Policy, Stamp));

    public IReadOnlyList<object> GetsOut(string reason = "not wanted") => When(new GetOut(Trade, Account, reason, Stamp));

    public IReadOnlyList<object> Answers(ClientOrderId order, VenueAnswer<OrderReport> answer, int? attempt = null) =>
        When(new AttemptAnswered(order, attempt ?? State.Find(order)!.Attempts, answer, Stamp));

    public IReadOnlyList<object> Says(ClientOrderId order, VenueOrderStatus status, params FillReport[] fills) => Answers(order, new VenueAnswer<OrderReport>.Said(Report(order, status, fills)));

    public IReadOnlyList<object> Refuses(ClientOrderId order, Refusal refusal) => Answers(order, new VenueAnswer<OrderReport>.Refused(refusal, "-1", refusal.ToString()));

    public IReadOnlyList<object> KeepsSilent(ClientOrderId order) => Answers(order, new VenueAnswer<OrderReport>.Unknown("timed out"));

    public IReadOnlyList<object> Shows(ClientOrderId order, VenueOrderStatus status, params FillReport[] fills) => When(new OrderSeen(order, Report(order, status, fills), Stamp));

    public IReadOnlyList<object> DoesNotKnow(ClientOrderId order, TimeSpan? askedBefore = null) => When(new OrderNotFound(order, Now - (askedBefore ?? TimeSpan.Zero), "-2013", Stamp));

    public IReadOnlyList<object> Proceeds(decimal? price = null) => When(new Proceed(PriceOf(price), PriceOf(price), Stamp));

    public Given After(double seconds)
    {
        Now += TimeSpan.FromSeconds(seconds);
        return this;
    }

    /// <summary>A position of 0.01 BTC less its fee, with its stop at rest.</summary>
    public Given WithOpenPosition(bool withStop = true)
    {
        Enters(Signal(stop: 64_000));
        var quantity = State.Entry!.Intended.Quantity.Value;
        Says(Entry, VenueOrderStatus.Filled, Fill(Entry, "f1", quantity, 65_000, fee: quantity / 1_000, asset: "BTC"));
        if (withStop)
            Says(Stop, VenueOrderStatus.Open);
        return this;
    }

    public OrderReport Report(ClientOrderId order, VenueOrderStatus status, params FillReport[] fills)
    {
        var intended = State.Find(order)!.Intended;
        return new OrderReport(
            order, VenueId(order), intended.Symbol, intended.Side, status, intended.Quantity, fills.Aggregate(Quantity.Zero, (q, f) => q + f.Quantity),
            fills.Aggregate(Money.Zero, (m, f) => m + f.Price * f.Quantity), Now, fills);
    }

    public FillReport Fill(ClientOrderId order, string id, decimal quantity, decimal price, decimal fee = 0, string asset = "USDT") => new(
        id, VenueId(order), Btc, State.Find(order)!.Intended.Side, new Quantity(quantity), new Price(price), new Money(fee), asset, Now);

    public NextStep Next() => NextStep.Of(State, Now, HasVenueClock ? Now : null);

    /// <summary>Whatever a test decides: with what would be stored of it, it can be decided again.</summary>
    private void IsDecidedAgain(ExecutionInput input, IReadOnlyList<object> decided)
    {
        var recorded = ExecutionDecider.Record(State, input, Now);
        Assert.Equal(decided.Count == 0 ? 0 : decided.Count + 1, recorded.Count);
        if (recorded.Count == 0)
            return;
        var stored = recorded.Select(e => JsonSerializer.Deserialize(Json(e), e.GetType(), EventCodec.Json)!).ToList();
        Assert.Equal(recorded.Select(Json), ExecutionDecider.Record(State, RecordedInput.From(stored)!, Now).Select(Json));
    }

    private static string Json(object value) => JsonSerializer.Serialize(value, value.GetType(), EventCodec.Json);

    private static string VenueId(ClientOrderId order) => $"v-{order.Value[..2]}";

    private static Price? PriceOf(decimal? price) => price is { } known ? new Price(known) : null;
}
