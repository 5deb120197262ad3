using System.Collections.Immutable;
using Antbot.Contracts;
using Antbot.Kernel.Decisions;

namespace Antbot.Risk.Core;

public enum HeldStage
{
    Reserved = 1,
    Open = 2,

    /// <summary>Closed, and the news of its opening is still on its way. It holds nothing.</summary>
    Closed = 3,
}

/// <param name="Reserved">What was approved; zero for a position that nobody asked us about.</param>
/// <param name="Cost">What it has cost; zero until it is open.</param>
/// <param name="Symbol">Null where it was recorded before that was kept.</param>
public sealed record HeldTrade(HeldStage Stage, Money Reserved, Money Cost, Symbol? Symbol = null)
{
    /// <summary>What it takes of the account's exposure.</summary>
    public Money Holds => Stage switch
    {
        HeldStage.Reserved => Reserved,
        HeldStage.Open => Cost,
        _ => Money.Zero,
    };
}

/// <param name="Closed">Whether it had been opened and closed; else its entry had failed.</param>
public sealed record Bar(DateTimeOffset At, bool Closed);

/// <summary>
/// The fold of `account-{id}`. It holds what is reserved and open, never what is over: a redelivered message finds its old answer in
/// the store. So it stays small over any number of trades: at most <see cref="RiskLimits.TradesMax"/> that were approved, the
/// positions that Execution reported besides, and <see cref="BarsMax"/> bars.
/// </summary>
/// <param name="Symbols">How many of the trades, but those that are closed, are of a symbol.</param>
/// <param name="BarsUntil">Bars up to this time have been forgotten: what was raised before it is refused.</param>
public sealed record RiskState(
    ImmutableDictionary<TradeId, HeldTrade> Trades, ImmutableDictionary<string, int> Symbols, decimal Reserved, decimal Open, decimal RealisedBefore, DateOnly Day, decimal RealisedToday,
    ImmutableDictionary<TradeId, Bar> Bars, DateTimeOffset BarsUntil)
{
    /// <summary>Beyond this the older half is forgotten.</summary>
    public const int BarsMax = 2_000;

    public static RiskState Initial { get; } = new(
        ImmutableDictionary<TradeId, HeldTrade>.Empty, ImmutableDictionary<string, int>.Empty, 0, 0, 0, DateOnly.MinValue, 0, ImmutableDictionary<TradeId, Bar>.Empty, DateTimeOffset.MinValue);

    /// <summary>Change the name with the state's shape.</summary>
    public static Fold<RiskState> Fold { get; } = new("risk-3", Initial, Apply);

    public HeldTrade? Held(TradeId trade) => Trades.GetValueOrDefault(trade);

    /// <summary>How many other trades hold, or may hold, something of the symbol.</summary>
    public int Others(TradeId trade, Symbol symbol) => Symbols.GetValueOrDefault(symbol.Value) - (Held(trade) is { } held && IsOf(held, symbol) ? 1 : 0);

    /// <summary>The account at this time, by these limits. A clock that goes back over midnight does not bring a day back.</summary>
    public RiskSight Sight(DateTimeOffset now, RiskLimits limits)
    {
        var day = DayOf(now);
        var today = day == Day ? RealisedToday : 0;
        var start = limits.StartingEquity.Value + RealisedBefore + (day == Day ? 0 : RealisedToday);
        return new RiskSight(Reserved, Open, Trades.Count, day, start, today);
    }

    public DateOnly DayOf(DateTimeOffset now)
    {
        var day = DateOnly.FromDateTime(now.UtcDateTime);
        return day > Day ? day : Day;
    }

    private static RiskState Apply(RiskState state, object @event) => @event switch
    {
        ExposureReserved e => state.Held(e.Trade) is null ? state.With(e.Trade, new HeldTrade(HeldStage.Reserved, e.Reserved, Money.Zero, e.Symbol)) : state,
        ReservationFilled e => Filled(state, e),
        ReservationReleased e => state.With(e.Trade, null),
        PositionClosedCounted e => Closed(state, e),
        AssessmentBarred e => Barred(state, e),
        _ => state,
    };

    private static RiskState Filled(RiskState state, ReservationFilled e) => state.Held(e.Trade) switch
    {
        { Stage: HeldStage.Closed } => state.With(e.Trade, null),
        var held => state.With(e.Trade, new HeldTrade(HeldStage.Open, held?.Reserved ?? Money.Zero, e.Cost, held?.Symbol ?? e.Symbol)),
    };

    private static RiskState Closed(RiskState state, PositionClosedCounted e)
    {
        var after = state.With(e.Trade, e.AwaitsFill && state.Held(e.Trade) is { } held ? held with { Stage = HeldStage.Closed, Cost = Money.Zero } : null);
        return e.Day == state.Day
            ? after with { RealisedToday = state.RealisedToday + e.Realised.Value }
            : after with { RealisedBefore = state.RealisedBefore + state.RealisedToday, Day = e.Day, RealisedToday = e.Realised.Value };
    }

    private static RiskState Barred(RiskState state, AssessmentBarred e)
    {
        var bars = state.Bars.SetItem(e.Trade, new Bar(e.At, e.Closed));
        if (bars.Count <= BarsMax)
            return state with { Bars = bars };
        var oldest = bars.OrderBy(b => b.Value.At).ThenBy(b => b.Key.Value, StringComparer.Ordinal).Take(bars.Count / 2).ToList();
        var until = oldest[^1].Value.At;
        return state with { Bars = bars.RemoveRange(oldest.Select(b => b.Key)), BarsUntil = until > state.BarsUntil ? until : state.BarsUntil };
    }

    private RiskState With(TradeId trade, HeldTrade? next)
    {
        var before = Held(trade);
        return this with
        {
            Trades = next is null ? Trades.Remove(trade) : Trades.SetItem(trade, next),
            Symbols = Counted(Counted(Symbols, before, -1), next, 1),
            Reserved = Reserved - In(HeldStage.Reserved, before) + In(HeldStage.Reserved, next),
            Open = Open - In(HeldStage.Open, before) + In(HeldStage.Open, next),
        };
    }

    private static ImmutableDictionary<string, int> Counted(ImmutableDictionary<string, int> symbols, HeldTrade? trade, int by)
    {
        if (trade is not { Symbol: { } symbol } || !IsOf(trade, symbol))
            return symbols;
        var count = symbols.GetValueOrDefault(symbol.Value) + by;
        return count == 0 ? symbols.Remove(symbol.Value) : symbols.SetItem(symbol.Value, count);
    }

    private static bool IsOf(HeldTrade trade, Symbol symbol) => trade.Stage != HeldStage.Closed && trade.Symbol == symbol;

    private static decimal In(HeldStage stage, HeldTrade? trade) => trade?.Stage == stage ? trade.Holds.Value : 0;
}
