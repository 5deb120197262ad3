using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;

namespace Antbot.Reconciliation;

/// <summary>A remedy that came to nothing, by the record of the trade that was asked.</summary>
public sealed record FailedRemedy(string Difference, TradeId Trade, string Reason);

/// <summary>What was seen when the account as a whole was looked at; see <see cref="AccountComparison"/>.</summary>
/// <param name="Number">One more than the looks of the state that it was prepared on; another number has been overtaken.</param>
/// <param name="OpenOrders">How many the venue lists; null where it was not heard even of these: then the look says nothing else.</param>
/// <param name="Trouble">Why the venue was not heard, wholly or in part.</param>
/// <param name="Confirmed">Differences that have lasted.</param>
/// <param name="Present">The keys of all differences that are there, confirmed or not: the others are settled.</param>
/// <param name="BalancesCompared">False while orders are under way: balances then say nothing.</param>
/// <param name="Baseline">What the balances start from, where there is none yet.</param>
/// <param name="Completes">It completes the look after a start.</param>
/// <param name="Remedies">What can be done about those that have lasted.</param>
/// <param name="Failed">What was done about some before, and came to nothing.</param>
/// <param name="Uncompared">Why balances were not held against the record, or not all of them; null where they were.</param>
public sealed record AccountLook(
    long Number, AccountId Account, string Venue, long Through, int? OpenOrders, string? Trouble, IReadOnlyList<Difference> Confirmed,
    IReadOnlySet<string> Present, bool BalancesCompared, BalanceBaselineSet? Baseline, bool Completes, IReadOnlyList<IRemedy> Remedies, IReadOnlyList<FailedRemedy> Failed,
    string? Uncompared = null);

/// <summary>Reconciliation's decisions. Every difference is told once; what is unknown is never told as fine.</summary>
public static class ReconciliationDecider
{
    public const string Consumer = "reconciliation";

    /// <summary>The rest comes with the next look.</summary>
    private const int PerLookMax = 400;

    public static Behaviour<ReconciliationState> Behaviour { get; } = new(Consumer, ReconciliationState.Fold, Decide, React);

    /// <summary>The input of what comes later of a verification that stayed open, the same in every process that tries it.</summary>
    public static Guid StepId(Guid message, int steps) => DeterministicId.From("verification-step", message.ToString("N"), steps.ToString());

    public static Guid LookId(AccountId account, long number) => DeterministicId.From("account-look", account.Value, number.ToString());

    public static IReadOnlyList<object> Decide(ReconciliationState state, object input, DateTimeOffset now) => input switch
    {
        TradeSeen seen => Decide(state, seen),
        AccountLook look => Decide(state, look, now),
        _ => throw new ArgumentException($"Reconciliation does not decide on {input.GetType().Name}.", nameof(input)),
    };

    public static IReadOnlyList<object> React(object @event) => @event switch
    {
        TradeVerified e => [new TradeReconciled(e.Verify.Trade, e.Verify.Closed, e.Evidence)],
        TradeDrifted e =>
        [
            new DriftFound(e.Verify.Trade, e.Verify.Account, e.What, e.Evidence),
            .. e.Corrections.Select(c => new CorrectOrder(e.Verify.Trade, e.Verify.Account, c.Order, c.What, e.Evidence)),
        ],
        AdoptionDecided e => [new AdoptTrade(e.Signal, e.Order, e.Quantity, e.What, e.Evidence)],
        WriteOffDecided e => [new WriteOffPosition(e.Trade, e.Account, e.Quantity, e.What, e.Evidence)],
        DifferenceFound { Trade: { } trade } e =>
        [
            .. e.Ours ? new object[] { new DriftFound(trade, e.Account, $"{e.Subject}: {e.What}", e.Evidence) } : [],
            // Of a trade, what differs is one of its orders; anything else has nobody to correct it.
            .. ClientOrderId.Fault(e.Subject) is null ? new object[] { new CorrectOrder(trade, e.Account, new ClientOrderId(e.Subject), e.What, e.Evidence) } : [],
        ],
        _ => [],
    };

    private static IReadOnlyList<object> Decide(ReconciliationState state, TradeSeen seen)
    {
        var told = state.Pending.TryGetValue(ReconciliationState.KeyOf(seen.Verify), out var pending) && pending.Message == seen.Message ? pending.Told : null;
        if (seen.Trouble is { } trouble)
            return told is null ? [new VerificationPending(seen.Verify, seen.Message, trouble)] : [];
        var evidence = TradeCheck.Evidence(seen.Orders);
        if (TradeCheck.Drift(seen) is not { } drift)
            return [new TradeVerified(seen.Verify, seen.Orders, new Quantity(seen.Entered), new Quantity(Math.Abs(seen.Net)), evidence, seen.Record, seen.Unsellable, seen.Adopted, seen.WrittenOff)];
        return drift == told ? [] : [new TradeDrifted(seen.Verify, seen.Message, seen.Orders, drift, evidence, TradeCheck.Corrections(seen), seen.Record, seen.Unsellable, seen.Adopted, seen.WrittenOff)];
    }

    private static List<object> Decide(ReconciliationState state, AccountLook look, DateTimeOffset now)
    {
        var events = new List<object>();
        // Another process has looked meanwhile.
        if (look.Number != state.Looks + 1)
            return events;
        if (look.Trouble is { } trouble && state.StalledSince is null)
            events.Add(new ReconciliationStalled(look.Number, look.Account, trouble, now));
        if (look.OpenOrders is not { } openOrders)
            return events;
        if (look.Trouble is null && state.StalledSince is { } since)
            events.Add(new ReconciliationResumed(look.Number, look.Account, since));
        if (look.Baseline is { } baseline && (state.Baseline?.Venue != baseline.Venue || state.Baseline.Unread is not null))
            events.Add(baseline with { Look = look.Number });
        events.AddRange(look.Failed
            .Where(f => state.Awaits(f.Difference, f.Trade))
            .Take(PerLookMax)
            .Select(f => new RemedyEnded(look.Number, look.Account, f.Difference, f.Trade, f.Reason, now)));
        events.AddRange(state.Differences
            .Where(d => !look.Present.Contains(d.Key) && (d.Value.Kind != DifferenceKind.Balance || look.BalancesCompared))
            .Take(PerLookMax)
            .Select(d => new DifferenceSettled(look.Number, look.Account, d.Value.Kind, d.Value.Subject, d.Value.Since)));
        events.AddRange(look.Confirmed
            .Where(d => !state.Differences.TryGetValue(d.Key, out var open) || open.What != d.What)
            .Take(PerLookMax)
            .Select(d => new DifferenceFound(look.Number, look.Account, d.Kind, d.Subject, d.Trade, d.Ours, d.What, d.Evidence, look.Through, now)));
        // Something is only done about what an earlier look had found already.
        events.AddRange(look.Remedies.Where(r => look.Present.Contains(r.Difference) && state.Differences.ContainsKey(r.Difference)));
        if (look.Completes && look.Trouble is null)
            events.Add(new StartReconciled(look.Number, look.Account, look.Venue, look.Through, openOrders, look.Confirmed.Count, look.Uncompared));
        return events;
    }
}
