using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;
using Antbot.Risk.Core.Rules;

namespace Antbot.Risk.Core;

/// <summary>Whether a trade may be made, and what becomes of what was held back for it.</summary>
public static class RiskDecider
{
    public const string Consumer = "risk";

    public static Behaviour<RiskState> With(RiskLimits limits) => new(Consumer, RiskState.Fold, (state, input, now) => Decide(state, input, now, limits), React);

    /// <summary>Everything that is said of an account's trades is decided in the order of that account's stream.</summary>
    public static StreamId StreamOf(ITradeMessage message) => Streams.Account(message switch
    {
        AssessRisk m => m.Signal.Account,
        TradeOpened m => m.Account,
        EntryFailed m => m.Account,
        TradeClosed m => m.Account,
        _ => throw new ArgumentException($"Risk does not know what to do with a {message.GetType().Name}.", nameof(message)),
    });

    /// <summary>At least one event for whatever comes: a redelivery is recognised by it.</summary>
    public static IReadOnlyList<object> Decide(RiskState state, object input, DateTimeOffset now, RiskLimits limits) => input switch
    {
        AssessRisk m => [Assess(state, m, now, limits)],
        TradeOpened m => [Opened(state, m)],
        EntryFailed m => [Failed(state, m, now)],
        TradeClosed m => Closed(state, m, now),
        _ => throw new ArgumentException($"Risk does not know what to do with a {input.GetType().Name}.", nameof(input)),
    };

    /// <summary>From the event alone, so that it can be said again at any time.</summary>
    public static IReadOnlyList<object> React(object @event) => @event switch
    {
        ExposureReserved e => [new RiskApproved(e.Trade, e.Reserved, e.Verdicts, e.InSymbol)],
        RiskDeniedRecorded e => [new RiskDenied(e.Trade, e.Verdicts)],
        _ => [],
    };

    private static object Assess(RiskState state, AssessRisk message, DateTimeOffset now, RiskLimits limits)
    {
        var signal = message.Signal;
        var sight = state.Sight(now, limits);
        // Asked again in another message: the answer stands, and nothing is reserved twice.
        if (state.Held(signal.Trade) is { Reserved.Value: > 0 } held)
            return Reserve(state, message, held.Reserved, sight, limits, [new Verdict("approved_before", Passed: true, $"{held.Reserved} was approved; the trade is {held.Stage}")]);
        var assessment = new Assessment(signal, state, sight, limits, now);
        Verdict[] verdicts = [.. Assessment.Rules.Select(rule => rule(assessment))];
        return verdicts.All(v => v.Passed)
            ? Reserve(state, message, signal.Notional, sight, limits, verdicts)
            : new RiskDeniedRecorded(
                signal.Trade, signal.Account, signal.Symbol, signal.Side, signal.Notional, message.Confidence, signal.RaisedAt, signal.ValidUntil, sight, limits, verdicts);
    }

    private static ExposureReserved Reserve(RiskState state, AssessRisk message, Money reserved, RiskSight sight, RiskLimits limits, IReadOnlyList<Verdict> verdicts)
    {
        var signal = message.Signal;
        return new ExposureReserved(
            signal.Trade, signal.Account, signal.Symbol, signal.Side, reserved, message.Confidence, signal.RaisedAt, signal.ValidUntil, sight, limits, verdicts,
            state.Others(signal.Trade, signal.Symbol) + 1);
    }

    /// <summary>What is open at the venue counts, whether or not anybody asked: only what is known to be closed already does not.</summary>
    private static object Opened(RiskState state, TradeOpened message)
    {
        var held = state.Held(message.Trade);
        return held is null && state.Bars.TryGetValue(message.Trade, out var bar) && bar.Closed
            ? new RiskNewsAbsorbed(message.Trade, nameof(TradeOpened), "it was closed before")
            : new ReservationFilled(message.Trade, held?.Holds ?? Money.Zero, message.Cost, message.Symbol);
    }

    private static object Failed(RiskState state, EntryFailed message, DateTimeOffset now) => state.Held(message.Trade) switch
    {
        { Stage: HeldStage.Reserved } held => new ReservationReleased(message.Trade, held.Reserved, message.Reason),
        { } held => new RiskNewsAbsorbed(message.Trade, nameof(EntryFailed), $"the trade is {held.Stage}"),
        null => new AssessmentBarred(message.Trade, now, Closed: false, message.Reason),
    };

    private static object[] Closed(RiskState state, TradeClosed message, DateTimeOffset now)
    {
        var held = state.Held(message.Trade);
        var day = state.DayOf(now);
        return held switch
        {
            { Stage: HeldStage.Closed } => [new RiskNewsAbsorbed(message.Trade, nameof(TradeClosed), "it was counted before")],
            { } => [new PositionClosedCounted(message.Trade, held.Holds, message.Realised, day, AwaitsFill: held.Stage == HeldStage.Reserved)],
            null when state.Bars.TryGetValue(message.Trade, out var bar) && bar.Closed => [new RiskNewsAbsorbed(message.Trade, nameof(TradeClosed), "it was counted before")],
            null =>
            [
                new PositionClosedCounted(message.Trade, Money.Zero, message.Realised, day, AwaitsFill: false),
                new AssessmentBarred(message.Trade, now, Closed: true, message.Reason),
            ],
        };
    }
}
