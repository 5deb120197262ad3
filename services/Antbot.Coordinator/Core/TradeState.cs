using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.Coordinator.Core;

/// <summary>One trade as its events tell it.</summary>
/// <param name="Cancelling">Its compensation has been asked for: whatever is approved from now on is not executed.</param>
/// <param name="EntryUnknown">Whether the venue has the entry is not known; the sub-state of Executing.</param>
/// <param name="DeadlinesPassed">In this phase.</param>
public sealed record TradeState(
    TradePhase Phase,
    Signal? Signal,
    bool Cancelling,
    bool EntryUnknown,
    int DeadlinesPassed,
    DateTimeOffset? Due,
    bool Reconciled)
{
    public static TradeState Initial { get; } = new(TradePhase.None, null, Cancelling: false, EntryUnknown: false, 0, null, Reconciled: false);

    public static Fold<TradeState> Fold { get; } = new("trade-1", Initial, Apply);

    /// <summary>Nothing is under way and nothing is expected.</summary>
    public bool IsOver => IsTerminal(Phase);

    public static bool IsTerminal(TradePhase phase) => phase is TradePhase.Closed or TradePhase.Rejected or TradePhase.Denied or TradePhase.Expired or TradePhase.Failed;

    private static TradeState Apply(TradeState state, object @event) => @event switch
    {
        TradeRaised e => state.Enter(TradePhase.Validating, e.Due) with { Signal = e.Signal },
        TradeAdopted e => state.Enter(TradePhase.Executing, e.Due) with { Signal = e.Signal },
        TradeValidated e => state.Enter(TradePhase.AssessingRisk, e.Due),
        TradeRejected => state.Enter(TradePhase.Rejected, null),
        TradeApproved e => state.Enter(TradePhase.Executing, e.Due),
        TradeDenied => state.Enter(TradePhase.Denied, null),
        TradeEntryAccepted => state with { EntryUnknown = false },
        TradeEntryUnknown => state with { EntryUnknown = true },
        TradeOpenedRecorded e => state.Enter(TradePhase.Open, e.Due),
        TradeClosingRecorded e => state.Enter(TradePhase.Closing, e.Due),
        TradeClosedRecorded => state.Enter(TradePhase.Closed, null) with { Reconciled = false },
        TradeFailed => state.Enter(TradePhase.Failed, null),
        TradeExpired => state.Enter(TradePhase.Expired, null),
        TradeDeadlinePassed e => state with { Due = e.NextDue, DeadlinesPassed = state.DeadlinesPassed + 1, Cancelling = state.Cancelling || e.Phase is TradePhase.AssessingRisk or TradePhase.Executing },
        TradeReconciledRecorded e => state with { Reconciled = state.Reconciled || e.Closed == (state.Phase == TradePhase.Closed) },
        _ => state,
    };

    private TradeState Enter(TradePhase phase, DateTimeOffset? due) => this with { Phase = phase, Due = due, DeadlinesPassed = 0, EntryUnknown = false };
}
