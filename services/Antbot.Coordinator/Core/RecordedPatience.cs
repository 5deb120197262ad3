using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.Coordinator.Core;

/// <summary>How patient a decision was: no setting is recorded, but what a phase is due at is, and when that was said.</summary>
public static class RecordedPatience
{
    /// <param name="decided">All events of one decision.</param>
    /// <param name="now">The time that it was made with.</param>
    /// <param name="before">What is known of the others.</param>
    public static TradePatience Of(IReadOnlyList<object> decided, DateTimeOffset now, TradePatience? before = null)
    {
        var patience = before ?? TradePatience.Default;
        return decided is not [var first, ..] ? patience : first switch
        {
            TradeRaised e => patience with { Validating = e.Due - now, Entering = Begun(patience, e, now) },
            TradeAdopted e => patience with { Executing = e.Due - Sent(e.Signal, now) },
            TradeValidated e => patience with { AssessingRisk = e.Due - now, Entering = patience.IsTooLateToGoOn(e.Signal, now) ? (e.Signal.ValidUntil - now) * 2 : patience.Entering },
            // At an answer of Execution's nobody asks how much time is left.
            TradeExpired => patience with { Entering = TimeSpan.MaxValue },
            TradeApproved e => patience with { Executing = e.Due - Sent(e.Signal, now) },
            TradeOpenedRecorded e => patience with { Open = e.Due - now },
            TradeClosingRecorded e => patience with { Closing = e.Due - now },
            TradeDeadlinePassed { NextDue: { } next } => patience with { Again = next - now },
            _ => patience,
        };
    }

    /// <summary>Whether it was too late is said, and not how much is: where it would be decided otherwise, the bound that it was on the other side of.</summary>
    private static TimeSpan Begun(TradePatience patience, TradeRaised raised, DateTimeOffset now) => (raised.TooLate is true, patience.IsTooLateToBegin(raised.Signal, now)) switch
    {
        (true, false) => raised.Signal.ValidUntil - now + TimeSpan.FromTicks(1),
        (false, true) => raised.Signal.ValidUntil - now,
        _ => patience.Entering,
    };

    /// <summary>Until when an entry may still be sent; only from then on is its answer waited for.</summary>
    private static DateTimeOffset Sent(Signal signal, DateTimeOffset now) => signal.ValidUntil > now ? signal.ValidUntil : now;
}
