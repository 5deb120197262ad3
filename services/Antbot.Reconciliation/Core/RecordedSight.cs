using Antbot.Contracts.Events;

namespace Antbot.Reconciliation;

/// <summary>What a decision of Reconciliation rested on, from its own events: what it told is what it saw, and what it did not tell was as it had been.</summary>
public static class RecordedSight
{
    /// <summary>Null where these are no decision of Reconciliation.</summary>
    /// <param name="state">Before it.</param>
    /// <param name="decided">All events of one decision.</param>
    public static object? Of(ReconciliationState state, IReadOnlyList<object> decided) => (object?)Seen(decided) ?? Looked(state, decided);

    /// <summary>What the venue said of a trade, as Reconciliation has recorded it.</summary>
    private static TradeSeen? Seen(IReadOnlyList<object> decided) => decided switch
    {
        [TradeVerified e] => new TradeSeen(e.Verify, Guid.Empty, e.Orders, null, e.Record, e.Unsellable, e.Adopted, e.WrittenOff),
        [TradeDrifted e] => new TradeSeen(e.Verify, e.Message, e.Orders, null, e.Record, e.Unsellable, e.Adopted, e.WrittenOff),
        [VerificationPending e] => new TradeSeen(e.Verify, e.Message, [], e.Reason, null, 0),
        _ => null,
    };

    /// <summary>
    /// A look at the whole account: each of its findings is an event of its own. What is not said to be new or settled is as it was.
    /// </summary>
    private static AccountLook? Looked(ReconciliationState state, IReadOnlyList<object> decided)
    {
        if (decided is [ReconciliationStalled stalled])
            return new AccountLook(stalled.Look, stalled.Account, "", 0, null, stalled.Reason, [], new HashSet<string>(), BalancesCompared: false, null, Completes: false, [], []);
        if (decided.Any(e => e is not (ReconciliationStalled or ReconciliationResumed or BalanceBaselineSet or DifferenceFound or DifferenceSettled or IRemedy or RemedyEnded or StartReconciled)))
            return null;
        var settled = decided.OfType<DifferenceSettled>().ToDictionary(e => DifferenceKey.Of(e.Kind, e.Subject), StringComparer.Ordinal);
        var found = decided.OfType<DifferenceFound>().Select(e => (e.Through, Difference: new Difference(e.Kind, e.Subject, e.Trade, e.Ours, e.What, e.Evidence))).ToList();
        var known = state.Differences.Where(d => !settled.ContainsKey(d.Key) && !found.Exists(f => f.Difference.Key == d.Key)).Select(d => d.Value).ToList();
        var (baseline, start) = (decided.OfType<BalanceBaselineSet>().FirstOrDefault(), decided.OfType<StartReconciled>().FirstOrDefault());
        // Balances alone may not have been heard, now or for a while.
        var trouble = decided.OfType<ReconciliationStalled>().FirstOrDefault()?.Reason ?? (state.StalledSince is not null && !decided.OfType<ReconciliationResumed>().Any() ? "not heard still" : null);
        var (look, account) = decided[0] switch
        {
            ReconciliationStalled e => (e.Look, e.Account),
            ReconciliationResumed e => (e.Look, e.Account),
            BalanceBaselineSet e => (e.Look, e.Account),
            DifferenceFound e => (e.Look, e.Account),
            DifferenceSettled e => (e.Look, e.Account),
            AdoptionDecided e => (e.Look, e.Account),
            WriteOffDecided e => (e.Look, e.Account),
            BalanceTakenOver e => (e.Look, e.Account),
            RemedyEnded e => (e.Look, e.Account),
            StartReconciled e => (e.Look, e.Account),
            var other => throw new InvalidOperationException($"A look does not begin with {other.GetType().Name}."),
        };
        return new AccountLook(
            look, account, start?.Venue ?? baseline?.Venue ?? "", start?.Through ?? found.FirstOrDefault().Through, start?.OpenOrders ?? 0, trouble,
            [.. found.Select(f => f.Difference), .. known.Take((start?.Differences ?? 0) - found.Count).Select(d => new Difference(d.Kind, d.Subject, d.Trade, Ours: true, d.What, ""))],
            new HashSet<string>(known.Select(d => DifferenceKey.Of(d.Kind, d.Subject)).Concat(found.Select(f => f.Difference.Key)), StringComparer.Ordinal),
            settled.Values.Any(e => e.Kind == DifferenceKind.Balance), baseline, start is not null, [.. decided.OfType<IRemedy>()],
            [.. decided.OfType<RemedyEnded>().Select(e => new FailedRemedy(e.Difference, e.Trade, e.Reason))], start?.Uncompared);
    }
}
