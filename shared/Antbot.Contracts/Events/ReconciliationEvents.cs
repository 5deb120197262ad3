using Antbot.Contracts.Messages;

namespace Antbot.Contracts.Events;

// What is recorded of an account as a whole, in `reconciliation-{account}`; operators read it too.

/// <summary>
/// In `gate-{service}`: a process began that will enter nothing until the account has been held against the venue. It is answered by
/// <see cref="StartReconciled"/>.
/// </summary>
[StoredName("reconciliation_awaited")]
public sealed record ReconciliationAwaited(string Service, Guid Instance, AccountId Account);

/// <summary>
/// In `reconciliation-{account}`: everything in the history up to <paramref name="Through"/> was held against the venue's open
/// orders. Recorded by the first complete look after Reconciliation itself, or somebody who awaits it, has begun.
/// </summary>
/// <param name="Look">Which look of this stream it was.</param>
/// <param name="Through">The sequence of the last event that the look knew.</param>
/// <param name="Differences">How many differences were open then; each is an event of its own.</param>
/// <param name="Uncompared">Why balances were not held against the record, or not all of them; null where they were.</param>
[StoredName("start_reconciled")]
public sealed record StartReconciled(long Look, AccountId Account, string Venue, long Through, int OpenOrders, int Differences, string? Uncompared = null);

public sealed record AssetAmount(string Asset, decimal Amount);

/// <param name="Base">What was bought less what was sold.</param>
/// <param name="Quote">What was received less what was paid.</param>
public sealed record SymbolFlow(Symbol Symbol, decimal Base, decimal Quote);

/// <summary>The venue's balances from which on all movements must be ours, and what our fills had added up to by then.</summary>
/// <param name="Unread">Assets whose balances made no sense: nothing is said of them until they can be read, and from then on all movements must be ours.</param>
/// <param name="Unprotected">What lay there beside our trades, and is worth a position: it has no stop of ours, and was taken for its owner's own.</param>
[StoredName("balance_baseline_set")]
public sealed record BalanceBaselineSet(
    long Look, AccountId Account, string Venue, long Through, IReadOnlyList<AssetAmount> Balances, IReadOnlyList<SymbolFlow> Flows, IReadOnlyList<AssetAmount> Fees,
    IReadOnlyList<string>? Unread = null, IReadOnlyList<AssetAmount>? Unprotected = null) : ILookEvent;

public enum DifferenceKind
{
    /// <summary>The venue holds an open order that our record knows nothing of.</summary>
    UnknownOrder = 1,

    /// <summary>The venue holds an order open that ended in our record.</summary>
    OpenOrder = 2,

    /// <summary>An order that is open in our record is not open at the venue.</summary>
    VanishedOrder = 3,

    /// <summary>The venue has executed another quantity than our record.</summary>
    Executed = 4,

    /// <summary>Nobody has found out what became of an attempt, for longer than that takes.</summary>
    UnresolvedOrder = 5,

    Balance = 6,
}

/// <param name="Subject">The order or the asset.</param>
/// <param name="Trade">The trade that the order bears in its name.</param>
/// <param name="Ours">Whether our record has an intent for it: then its trade is told too.</param>
[StoredName("difference_found")]
public sealed record DifferenceFound(
    long Look, AccountId Account, DifferenceKind Kind, string Subject, TradeId? Trade, bool Ours, string What, string Evidence, long Through, DateTimeOffset At) : ILookEvent;

[StoredName("difference_settled")]
public sealed record DifferenceSettled(long Look, AccountId Account, DifferenceKind Kind, string Subject, DateTimeOffset Since) : ILookEvent;

public static class DifferenceKey
{
    /// <summary>What a difference is known by while it is open.</summary>
    public static string Of(DifferenceKind kind, string subject) => $"{kind}:{subject}";
}

/// <summary>What is done about a difference, once; it is recorded with the look that found it.</summary>
public interface IRemedy : ILookEvent
{
    /// <summary>The key of the difference.</summary>
    string Difference { get; }
}

/// <summary>What the venue has and our record does not becomes a trade of its own.</summary>
/// <param name="Order">The open order; null for what is held.</param>
[StoredName("adoption_decided")]
public sealed record AdoptionDecided(long Look, AccountId Account, string Difference, Signal Signal, FoundOrder? Order, Quantity Quantity, string What, string Evidence) : IRemedy;

/// <summary>What our record has of a trade and the venue has not is gone.</summary>
/// <param name="Before">What had been written off of it by then.</param>
[StoredName("write_off_decided")]
public sealed record WriteOffDecided(long Look, AccountId Account, string Difference, TradeId Trade, Quantity Quantity, decimal Before, string What, string Evidence) : IRemedy;

/// <summary>A movement that belongs to no trade: from here on the account is reckoned from what the venue says.</summary>
/// <param name="Amount">What was more, or less than zero what was missing.</param>
[StoredName("balance_taken_over")]
public sealed record BalanceTakenOver(long Look, AccountId Account, string Difference, string Asset, decimal Amount, string Evidence) : IRemedy;

/// <summary>
/// What was asked about a difference came to nothing: it was refused, or its trade had ended before it came. The difference is there
/// still, and is remedied anew after a while.
/// </summary>
/// <param name="Trade">Who was asked.</param>
/// <param name="Reason">In the words of that trade's own record.</param>
[StoredName("remedy_ended")]
public sealed record RemedyEnded(long Look, AccountId Account, string Difference, TradeId Trade, string Reason, DateTimeOffset At) : ILookEvent;

/// <summary>The venue did not say what it holds: nothing is concluded from that but that it is not known.</summary>
[StoredName("reconciliation_stalled")]
public sealed record ReconciliationStalled(long Look, AccountId Account, string Reason, DateTimeOffset At) : ILookEvent;

[StoredName("reconciliation_resumed")]
public sealed record ReconciliationResumed(long Look, AccountId Account, DateTimeOffset StalledSince) : ILookEvent;

/// <summary>Recorded by a look at the whole account; looks are numbered so that two processes cannot record the same one twice.</summary>
public interface ILookEvent
{
    long Look { get; }
}
