namespace Antbot.Contracts.Events;

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
[StoredName("start_reconciled")]
public sealed record StartReconciled(long Look, AccountId Account, string Venue, long Through, int OpenOrders, int Differences);
