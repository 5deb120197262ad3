using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>One thing in which the venue and our record differed, and what came of it.</summary>
/// <param name="Evidence">The venue's own words.</param>
/// <param name="Cause">What this kind of difference comes from.</param>
/// <param name="SettledAt">Null while it is open.</param>
/// <param name="Corrections">What was recorded to bring the two together, oldest first.</param>
/// <param name="MoreCorrections">How many more there are.</param>
public sealed record DifferenceView(
    DifferenceKind Kind, string Subject, TradeId? Trade, string What, string Evidence, string Cause, DateTimeOffset FoundAt, DateTimeOffset? SettledAt, IReadOnlyList<string> Corrections, int MoreCorrections = 0);

/// <summary>How an account stands beside the venue.</summary>
/// <param name="UnheardSince">Since when the venue has not said what it holds; null while it does.</param>
/// <param name="StartedAt">When the whole account was last found reconciled after a start.</param>
/// <param name="Settled">The last of them, the newest first.</param>
/// <param name="Uncompared">Why at the last start balances were not held against the record, or not all of them; null where they were.</param>
/// <param name="MoreSettled">How many were settled before these.</param>
/// <param name="Unprotected">What was taken for its owner's own when the account was first reckoned from: worth a position each, and without a stop of ours.</param>
public sealed record ReconciliationReport(
    AccountId Account, DateTimeOffset? UnheardSince, string? Trouble, DateTimeOffset? StartedAt, IReadOnlyList<DifferenceView> Open, IReadOnlyList<DifferenceView> Settled,
    string? Uncompared = null, IReadOnlyList<AssetAmount>? Unprotected = null, int MoreSettled = 0);

/// <summary>Reads `reconciliation-{account}` for people.</summary>
public static class Reconciliations
{
    private const int SettledMax = 50;
    private const int CorrectionsMax = 20;

    /// <summary>Of either, where all of it is asked for: more than anybody reads, and less than fills the memory.</summary>
    private const int WholeMax = 1_000;

    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(DifferenceFound).Assembly));

    private static readonly HashSet<string> Wanted = new(
        new[]
        {
            typeof(DifferenceFound), typeof(DifferenceSettled), typeof(AdoptionDecided), typeof(WriteOffDecided), typeof(BalanceTakenOver), typeof(RemedyEnded), typeof(StartReconciled), typeof(BalanceBaselineSet),
            typeof(ReconciliationStalled), typeof(ReconciliationResumed),
        }.Select(StoredNameAttribute.Of),
        StringComparer.Ordinal);

    /// <summary>Null where nothing was ever recorded of the account.</summary>
    /// <param name="whole">As many as anybody reads, and not the last of them alone.</param>
    public static async Task<ReconciliationReport?> ReadAsync(IEventStore store, AccountId account, bool whole, CancellationToken cancellationToken = default)
    {
        var open = new Dictionary<string, DifferenceView>(StringComparer.Ordinal);
        var settled = new LinkedList<DifferenceView>();
        var moreSettled = 0;
        var report = new ReconciliationReport(account, null, null, null, [], []);
        var any = false;
        await foreach (var stored in store.ReadStreamAsync(Streams.Reconciliation(account), 1, cancellationToken))
        {
            any = true;
            if (!Wanted.Contains(stored.Type))
                continue;
            var @event = Codec.Decode(stored);
            report = @event switch
            {
                StartReconciled e => report with { StartedAt = stored.Timestamp, Uncompared = e.Uncompared },
                BalanceBaselineSet e => report with { Unprotected = e.Unprotected },
                ReconciliationStalled e => report with { UnheardSince = e.At, Trouble = e.Reason },
                ReconciliationResumed => report with { UnheardSince = null, Trouble = null },
                _ => report,
            };
            Note(open, settled, @event, stored.Timestamp);
            if (settled.Count > (whole ? WholeMax : SettledMax))
            {
                settled.RemoveLast();
                moreSettled++;
            }
        }
        if (!any)
            return null;
        var explained = new List<DifferenceView>();
        foreach (var difference in open.Values.OrderBy(d => d.FoundAt).Concat(settled))
            explained.Add(await ExplainAsync(store, difference, whole ? WholeMax : CorrectionsMax, cancellationToken));
        return report with { Open = explained[..open.Count], Settled = explained[open.Count..], MoreSettled = moreSettled };
    }

    private static void Note(Dictionary<string, DifferenceView> open, LinkedList<DifferenceView> settled, object @event, DateTimeOffset at)
    {
        switch (@event)
        {
            case DifferenceFound e:
                var key = DifferenceKey.Of(e.Kind, e.Subject);
                open[key] = new DifferenceView(e.Kind, e.Subject, e.Trade, e.What, e.Evidence, CauseOf(e.Kind), open.TryGetValue(key, out var before) ? before.FoundAt : at, null, before?.Corrections ?? []);
                break;
            case AdoptionDecided e:
                Correct(open, e.Difference, e.Signal.Trade, $"{Tell(at)}: {(e.Order is null ? "what is held" : $"the order {e.Order.Order}")} was adopted as trade {e.Signal.Trade} ({e.Quantity} {e.Signal.Symbol} at {e.Signal.Reference})");
                break;
            case WriteOffDecided e:
                Correct(open, e.Difference, e.Trade, $"{Tell(at)}: {e.Quantity} of trade {e.Trade} were written off");
                break;
            case BalanceTakenOver e:
                Correct(open, e.Difference, null, $"{Tell(at)}: {e.Amount:+0.################;-0.################} {e.Asset} belong to no trade; the account is reckoned from what the venue says");
                break;
            case RemedyEnded e:
                Correct(open, e.Difference, e.Trade, $"{Tell(at)}: what was asked of trade {e.Trade} came to nothing: {e.Reason}");
                break;
            case DifferenceSettled e when open.Remove(DifferenceKey.Of(e.Kind, e.Subject), out var difference):
                settled.AddFirst(difference with { SettledAt = at });
                break;
            default:
                // Of something else.
                break;
        }
    }

    private static void Correct(Dictionary<string, DifferenceView> open, string key, TradeId? trade, string correction)
    {
        if (open.TryGetValue(key, out var difference))
            open[key] = difference with { Trade = difference.Trade ?? trade, Corrections = [.. difference.Corrections, correction] };
    }

    /// <summary>With what its owner recorded between the finding and the settling.</summary>
    private static async Task<DifferenceView> ExplainAsync(IEventStore store, DifferenceView difference, int most, CancellationToken cancellationToken)
    {
        var (corrections, more) = (difference.Corrections.Take(most).ToList(), Math.Max(0, difference.Corrections.Count - most));
        if (difference.Trade is not { } trade)
            return difference with { Corrections = corrections, MoreCorrections = more };
        await foreach (var stored in store.ReadStreamAsync(Streams.Order(trade), 1, cancellationToken))
        {
            if (stored.Timestamp < difference.FoundAt || stored.Timestamp > (difference.SettledAt ?? DateTimeOffset.MaxValue))
                continue;
            if (Told(stored) is not { } told)
                continue;
            if (corrections.Count < most)
                corrections.Add($"{Tell(stored.Timestamp)}: {told}");
            else
                more++;
        }
        return difference with { Corrections = corrections, MoreCorrections = more };
    }

    private static string? Told(StoredEvent stored) => Codec.Find<OrderCorrected>(stored) is { } corrected ? $"{corrected.Order} was asked after: {corrected.What}"
        : Codec.Find<OrderFilled>(stored) is { } filled ? $"{filled.Order} was filled: {filled.Quantity} at {filled.Price} (fill {filled.FillId})"
        : Codec.Find<OrderFillBusted>(stored) is { } busted ? $"a fill of {busted.Fill.Order} was taken back: {busted.Evidence}"
        : Codec.Find<OrderAccepted>(stored) is { } accepted ? $"{accepted.Order} is the venue's order {accepted.VenueOrderId}"
        : Codec.Find<OrderAbsent>(stored) is { } absent ? $"{absent.Order} is not at the venue and cannot come there any more{(absent.Evidence is { } words ? $": {words}" : "")}"
        : Codec.Find<OrderCancelIntended>(stored) is { } cancel ? $"{cancel.Order} is to be cancelled: {cancel.Reason}"
        : Codec.Find<OrderSettled>(stored) is { } settled ? $"{settled.Order} was settled by {settled.ProposedBy} and {settled.By} as never placed: {settled.Reason}"
        : Codec.Find<OrderEnded>(stored) is { } ended ? $"{ended.Order} has ended ({ended.End}, executed {ended.Executed}): {ended.Evidence}"
        : Codec.Find<OrderConfirmed>(stored) is { } confirmed ? $"{confirmed.Order} is as it was recorded: {confirmed.Evidence}"
        : Codec.Find<OrderIntended>(stored) is { } intended ? $"{intended.Order} was intended: {intended.Reason}"
        : Codec.Find<PositionAdopted>(stored) is { } adopted ? $"{adopted.Quantity} {adopted.Symbol} are this trade's"
        : Codec.Find<OrderAdopted>(stored) is { } order ? $"the order {order.Order} is this trade's"
        : Codec.Find<PositionWrittenOff>(stored) is { } gone ? $"{gone.Quantity} are gone: {gone.What}"
        : null;

    private static string CauseOf(DifferenceKind kind) => kind switch
    {
        DifferenceKind.UnknownOrder => "somebody else placed it, or our record of it was lost",
        DifferenceKind.OpenOrder => "the venue's word of its end was wrong, or it lives again",
        DifferenceKind.VanishedOrder => "its end was not heard: it was filled, cancelled or expired while nobody listened",
        DifferenceKind.Executed => "a fill was not heard, or was taken back",
        DifferenceKind.UnresolvedOrder => "the answer to an attempt was lost, and the venue could not be asked since",
        DifferenceKind.Balance => "a deposit, a withdrawal, a conversion, or trading by somebody else",
        _ => "",
    };

    private static string Tell(DateTimeOffset at) => $"{at.UtcDateTime:HH:mm:ss.fff}";
}
