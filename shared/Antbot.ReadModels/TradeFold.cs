using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

internal static class TradeFold
{
    /// <summary>Null where there is nothing to show yet: every trade begins with its signal.</summary>
    public static TradeView? Apply(TradeView? trade, object @event, DateTimeOffset at)
    {
        return @event switch
        {
            TradeRaised e => Begin(e.Signal, TradePhase.Validating, at, e.Due, ""),
            TradeAdopted e => Begin(e.Signal, TradePhase.Executing, at, e.Due, e.What),
            _ => trade is null ? null : Next(trade, @event) with { ChangedAt = at },
        };
    }

    private static TradeView Begin(Contracts.Messages.Signal s, TradePhase phase, DateTimeOffset at, DateTimeOffset due, string reason) => new(
        s.Trade, s.Account, s.Symbol, s.Side, s.Source, phase, Unknown: false, ReconciledPart.Nothing, 0, s.RaisedAt, at, due, s.Reference, s.Notional,
        null, null, null, null, null, s.Stop, s.TakeProfit, null, null, reason, []);

    private static TradeView Next(TradeView trade, object @event) => @event switch
    {
        TradeValidated e => trade with { Phase = TradePhase.AssessingRisk, Confidence = e.Confidence, Due = e.Due },
        TradeRejected e => trade with { Phase = TradePhase.Rejected, Due = null, Refusals = [.. e.Verdicts.Where(v => !v.Passed)], Reason = Why(e.Verdicts) },
        TradeApproved e => trade with { Phase = TradePhase.Executing, Reserved = e.Reserved, Due = e.Due },
        TradeDenied e => trade with { Phase = TradePhase.Denied, Due = null, Refusals = [.. e.Verdicts.Where(v => !v.Passed)], Reason = Why(e.Verdicts) },
        TradeEntryAccepted => trade with { Unknown = false },
        TradeEntryUnknown e => trade with { Unknown = true, Reason = e.Reason },
        TradeOpenedRecorded e => trade with
        {
            Phase = TradePhase.Open, Unknown = false, Quantity = e.Opened.Quantity, Entry = e.Opened.Average, Fees = e.Opened.Fees, Due = e.Due, Reason = "",
        },
        TradeClosingRecorded e => trade with { Phase = TradePhase.Closing, Due = e.Due, Reason = e.Reason },
        TradeClosedRecorded e => trade with
        {
            Phase = TradePhase.Closed, Unknown = false, Due = null, Quantity = e.Closed.Quantity, Entry = e.Closed.Entry, Exit = e.Closed.Exit, Realised = e.Closed.Realised, Fees = e.Closed.Fees, Reason = e.Closed.Reason,
        },
        TradeFailed e => trade with { Phase = TradePhase.Failed, Unknown = false, Due = null, Reason = e.Reason },
        TradeExpired e => trade with { Phase = TradePhase.Expired, Unknown = false, Due = null, Reason = e.Reason },
        TradeDeadlinePassed e => trade with { Due = e.NextDue },
        TradeReconciledRecorded e => trade with { Reconciled = e.Closed ? ReconciledPart.End : ReconciledPart.Entry },
        TradeDriftFound e => trade with { Drifts = trade.Drifts + 1, Reason = e.What },
        TradeOpenedLate => trade with { Reason = "opened after it was over: it is flattened" },
        _ => trade,
    };

    private static string Why(IReadOnlyList<Contracts.Messages.Verdict> verdicts) => string.Join("; ", verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}"));
}
