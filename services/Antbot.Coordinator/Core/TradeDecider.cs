using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;

namespace Antbot.Coordinator.Core;

/// <summary>The sweeper's word that a phase has lasted until it was due. Its id is a hash of all three, so it comes once.</summary>
public sealed record DeadlineReached(TradeId Trade, TradePhase Phase, DateTimeOffset Due) : ITradeMessage
{
    public Guid InputId() => DeterministicId.From("deadline", Trade.Value, Phase.ToString(), Due.ToString("O", CultureInfo.InvariantCulture));
}

/// <summary>What a message does to a trade in a phase.</summary>
public enum Treatment
{
    /// <summary>It moves the trade, or is kept as part of its story.</summary>
    Act = 1,

    /// <summary>The trade has moved on; that it came is kept, and changes nothing.</summary>
    Absorb = 2,

    /// <summary>What must come before it has not. It is refused, delivered again, and in the end set aside with this reason.</summary>
    Hold = 3,
}

/// <summary>A message came before what it follows from.</summary>
public sealed class PredecessorMissingException(string message) : Exception(message);

/// <summary>
/// Owns the whole table of phases and messages. <c>TradeSaga</c> is the same table as a state machine; a test compares every cell.
/// </summary>
public static class TradeDecider
{
    public const string Consumer = "coordinator";

    private static readonly IReadOnlyList<object> Nothing = [];

    private static readonly DateTimeOffset TimeMax = new(9999, 12, 31, 0, 0, 0, TimeSpan.Zero);

    public static IReadOnlyList<Type> Messages { get; } =
    [
        typeof(SignalRaised), typeof(SignalValidated), typeof(SignalRejected), typeof(RiskApproved), typeof(RiskDenied),
        typeof(EntryAccepted), typeof(EntryUnknown), typeof(EntryFailed), typeof(TradeOpened), typeof(TradeClosing), typeof(TradeClosed),
        typeof(TradeReconciled), typeof(DriftFound), typeof(DeadlineReached), typeof(AdoptTrade),
    ];

    public static Behaviour<TradeState> With(TradePatience patience) =>
        new(Consumer, TradeState.Fold, (state, input, now) => Decide(state, (ITradeMessage)input, now, patience), React) { IsOver = state => state.IsOver && (state.Reconciled || state.Phase != TradePhase.Closed) };

    /// <summary>The table.</summary>
    public static Treatment Treat(TradePhase phase, Type message)
    {
        if (phase == TradePhase.None)
            return message == typeof(SignalRaised) || message == typeof(AdoptTrade) ? Treatment.Act : Treatment.Hold;
        var (from, to) = Window(message);
        if (phase < from)
            return Treatment.Hold;
        return phase <= to || IsLateNewsOfMoney(phase, message) ? Treatment.Act : Treatment.Absorb;
    }

    public static IReadOnlyList<object> Decide(TradeState state, ITradeMessage message, DateTimeOffset now, TradePatience patience)
    {
        ArgumentNullException.ThrowIfNull(message);
        // A deadline of a phase that is over says nothing any more: the trade itself has said more since.
        if (message is DeadlineReached deadline)
            return deadline.Phase == state.Phase && deadline.Due == state.Due ? Overdue(state, deadline, now, patience) : Nothing;
        return Treat(state.Phase, message.GetType()) switch
        {
            Treatment.Act => Act(state, message, now, patience),
            Treatment.Absorb => [new TradeMessageAbsorbed(message.Trade, message.GetType().Name, state.Phase)],
            Treatment.Hold => throw new PredecessorMissingException($"{message.GetType().Name} came for trade {message.Trade} in phase {state.Phase}: what it follows from is not there."),
            _ => throw new InvalidOperationException("A message is acted on, absorbed or held."),
        };
    }

    /// <summary>What each event makes the others do; from the event alone, so that it can be said again at any time.</summary>
    public static IReadOnlyList<object> React(object @event) => @event switch
    {
        TradeRaised { TooLate: true } => Nothing,
        TradeRaised e => [new ValidateSignal(e.Signal)],
        TradeValidated e => [new AssessRisk(e.Signal, e.Confidence)],
        TradeApproved e => [new ExecuteTrade(e.Signal, e.Reserved, e.InSymbol)],
        TradeAdopted e => [new AdoptPosition(e.Signal, e.Order, e.Quantity, e.Evidence)],
        TradeOpenedRecorded e => [new VerifyTrade(e.Opened.Trade, e.Opened.Account, e.Opened.Symbol, e.Opened.Side, e.Opened.Quantity, Closed: false, e.Opened.Orders)],
        TradeClosedRecorded e => [new VerifyTrade(e.Closed.Trade, e.Closed.Account, e.Closed.Symbol, e.Side, e.Closed.Quantity, Closed: true, e.Closed.Orders)],
        TradeOpenedLate e => [new CancelTrade(e.Opened.Trade, e.Opened.Account, $"it was opened after the trade was {e.Phase}")],
        TradeDeadlinePassed { Phase: TradePhase.AssessingRisk or TradePhase.Executing } e => [new CancelTrade(e.Trade, e.Account, $"{e.Phase} lasted until {e.Due:O}")],
        TradeDeadlinePassed { Phase: TradePhase.Open or TradePhase.Closing } e => [new CloseTrade(e.Trade, e.Account, $"{e.Phase} lasted until {e.Due:O}")],
        _ => Nothing,
    };

    /// <summary>From which phase on a message makes sense, and up to which it moves something.</summary>
    private static (TradePhase From, TradePhase To) Window(Type message) => message.Name switch
    {
        nameof(SignalRaised) or nameof(AdoptTrade) => (TradePhase.None, TradePhase.None),
        nameof(SignalValidated) or nameof(SignalRejected) => (TradePhase.Validating, TradePhase.Validating),
        nameof(RiskApproved) or nameof(RiskDenied) => (TradePhase.AssessingRisk, TradePhase.AssessingRisk),
        // A compensation is answered by the failure of an entry that was never commanded.
        nameof(EntryFailed) => (TradePhase.AssessingRisk, TradePhase.Executing),
        nameof(EntryAccepted) or nameof(EntryUnknown) or nameof(TradeOpened) => (TradePhase.Executing, TradePhase.Executing),
        nameof(TradeClosing) => (TradePhase.Executing, TradePhase.Open),
        nameof(TradeClosed) => (TradePhase.Executing, TradePhase.Closing),
        nameof(TradeReconciled) or nameof(DriftFound) => (TradePhase.Executing, TradePhase.Closed),
        nameof(DeadlineReached) => (TradePhase.None, TradePhase.Failed),
        _ => throw new ArgumentException($"{message.Name} is no message of a trade.", nameof(message)),
    };

    /// <summary>What was opened for a trade that came to nothing is never only absorbed: it must be flattened.</summary>
    private static bool IsLateNewsOfMoney(TradePhase phase, Type message) =>
        message == typeof(TradeOpened) && TradeState.IsTerminal(phase) && phase != TradePhase.Closed;

    private static IReadOnlyList<object> Act(TradeState state, ITradeMessage message, DateTimeOffset now, TradePatience patience) => message switch
    {
        SignalRaised m when patience.IsTooLateToBegin(m.Signal, now) => [new TradeRaised(m.Signal, now + patience.Validating, TooLate: true), TooLate(m.Signal, "begun", now)],
        SignalRaised m => [new TradeRaised(m.Signal, now + patience.Validating)],
        AdoptTrade m => [new TradeAdopted(m.Signal, m.Order, m.Quantity, m.What, m.Evidence, Sum(Later(m.Signal.ValidUntil, now), patience.Executing))],
        // Nothing is reserved yet; what was found of it is in Validation's stream.
        SignalValidated when patience.IsTooLateToGoOn(Signal(state), now) => [TooLate(Signal(state), "validated", now)],
        SignalValidated m => [new TradeValidated(Signal(state), m.Confidence, m.Verdicts, now + patience.AssessingRisk)],
        SignalRejected m => [new TradeRejected(m.Trade, m.Verdicts)],
        // Its compensation is on the way: Execution answers that one, and frees what was reserved here.
        RiskApproved m when state.Cancelling => [new TradeMessageAbsorbed(m.Trade, nameof(RiskApproved), state.Phase)],
        RiskApproved m => [new TradeApproved(Signal(state), m.Reserved, m.Verdicts, Sum(Later(Signal(state).ValidUntil, now), patience.Executing), m.InSymbol)],
        RiskDenied m => [new TradeDenied(m.Trade, m.Verdicts)],
        EntryAccepted m => [new TradeEntryAccepted(m.Trade, m.Order, m.VenueOrderId, m.VenueTime)],
        EntryUnknown m => [new TradeEntryUnknown(m.Trade, m.Reason)],
        EntryFailed m => [state.Cancelling ? new TradeExpired(m.Trade, m.Reason) : new TradeFailed(m.Trade, m.Reason)],
        TradeOpened m when state.IsOver => [new TradeOpenedLate(m, state.Phase)],
        // What was adopted is valid for ever, and so is held for as long as its owner likes.
        TradeOpened m => [new TradeOpenedRecorded(m, Later(Signal(state).ValidUntil, now + patience.Open))],
        TradeClosing m => [new TradeClosingRecorded(m.Trade, m.Reason, now + patience.Closing)],
        TradeClosed m => [new TradeClosedRecorded(m, Signal(state).Side)],
        TradeReconciled m => [new TradeReconciledRecorded(m.Trade, m.Closed, m.Evidence)],
        DriftFound m => [new TradeDriftFound(m.Trade, m.What, m.Evidence)],
        _ => throw new ArgumentException($"{message.GetType().Name} is no message of a trade.", nameof(message)),
    };

    private static IReadOnlyList<object> Overdue(TradeState state, DeadlineReached deadline, DateTimeOffset now, TradePatience patience)
    {
        var account = Signal(state).Account;
        return state.Phase switch
        {
            // Nothing is reserved and nothing sent yet: it can end here.
            TradePhase.Validating =>
            [
                new TradeDeadlinePassed(deadline.Trade, account, state.Phase, deadline.Due, NextDue: null),
                new TradeExpired(deadline.Trade, $"not validated until {deadline.Due:O}"),
            ],
            TradePhase.AssessingRisk or TradePhase.Executing or TradePhase.Open or TradePhase.Closing =>
                [new TradeDeadlinePassed(deadline.Trade, account, state.Phase, deadline.Due, NextDue: now + patience.Again)],
            TradePhase.None or TradePhase.Closed or TradePhase.Rejected or TradePhase.Denied or TradePhase.Expired or TradePhase.Failed => Nothing,
            _ => throw new InvalidOperationException($"{state.Phase} is no phase of a trade."),
        };
    }

    private static TradeExpired TooLate(Signal signal, string what, DateTimeOffset now) =>
        new(signal.Trade, string.Create(CultureInfo.InvariantCulture, $"{what} {(now - signal.RaisedAt).TotalSeconds:0.0} s after it was raised: valid until {signal.ValidUntil:O}, it cannot be entered in time any more"));

    private static Signal Signal(TradeState state) => state.Signal ?? throw new InvalidOperationException("A trade past its first phase has its signal.");

    /// <summary>Up to when a signal is valid its sender says, and it may be the last moment that there is.</summary>
    private static DateTimeOffset Sum(DateTimeOffset at, TimeSpan more) => at < TimeMax - more ? at + more : TimeMax;

    private static DateTimeOffset Later(DateTimeOffset one, DateTimeOffset other) => one > other ? one : other;
}
