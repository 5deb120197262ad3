namespace Antbot.Contracts.Events;

// What is recorded in `replays-{id}`: dead letters that are sent once more together, chosen once and for all before the first of them goes.

public enum ReplaysStatus
{
    /// <summary>Another operator has to approve it.</summary>
    Requested = 1,

    /// <summary>It goes on, batch by batch.</summary>
    Running = 2,

    /// <summary>Every letter has had its turn.</summary>
    Done = 3,

    /// <summary>Something in a batch failed, and the rest was left alone.</summary>
    Stopped = 4,

    Cancelled = 5,
}

/// <summary>Which letters were wanted, of those about which nothing had been decided; what is null was not asked for.</summary>
/// <param name="Limit">The newest of them, so many; null for all.</param>
public sealed record ReplaysQuery(string? Endpoint, string? MessageType, string? Fingerprint, TradeId? Trade, int? Limit);

/// <param name="PerSecond">So many letters at most.</param>
/// <param name="BatchMax">Batches grow up to so many letters.</param>
/// <param name="PatienceSeconds">Of what has not been heard within so long, the batch has failed.</param>
public sealed record ReplaysPace(int PerSecond, int BatchMax, int PatienceSeconds);

/// <summary>What one operator may have sent alone.</summary>
public sealed record ReplaysLimits(int Letters, Money Notional);

/// <param name="Trade">Null where it is about none, or about many.</param>
public sealed record SelectedLetter(Guid Letter, TradeId? Trade);

/// <summary>A letter of a selection that was not replayed.</summary>
public sealed record ReplayMiss(Guid Letter, string Why);

/// <param name="Letters">The oldest first.</param>
/// <param name="Notional">Of all wishes to enter among them; null where that cannot be said.</param>
/// <param name="NeedsApproval">It is more than <paramref name="Limits"/> allow one operator.</param>
[StoredName("replays_requested")]
public sealed record ReplaysRequested(
    Guid Selection, ReplaysQuery Query, IReadOnlyList<SelectedLetter> Letters, Money? Notional, ReplaysPace Pace, ReplaysLimits Limits, bool NeedsApproval, string Reason, string By);

[StoredName("replays_approved")]
public sealed record ReplaysApproved(Guid Selection, Guid Request, string Reason, string By);

/// <summary>No further batch of it begins.</summary>
[StoredName("replays_cancelled")]
public sealed record ReplaysCancelled(Guid Selection, Guid Request, string Reason, string By);

/// <param name="Until">What has not been heard of by then has failed.</param>
[StoredName("replay_batch_begun")]
public sealed record ReplayBatchBegun(Guid Selection, int Batch, IReadOnlyList<Guid> Letters, DateTimeOffset Until);

/// <param name="Refused">Those that may not be sent, or not any more: the rest goes on.</param>
/// <param name="Failed">Those that died again, or were not heard of.</param>
[StoredName("replay_batch_ended")]
public sealed record ReplayBatchEnded(Guid Selection, int Batch, int Replayed, IReadOnlyList<ReplayMiss> Refused, IReadOnlyList<ReplayMiss> Failed);

[StoredName("replays_done")]
public sealed record ReplaysDone(Guid Selection);

/// <param name="Left">So many had not had their turn.</param>
[StoredName("replays_stopped")]
public sealed record ReplaysStopped(Guid Selection, int Batch, int Left, string Why);

/// <param name="Command">What was wanted: request, approve, cancel.</param>
[StoredName("replays_refused")]
public sealed record ReplaysRefused(Guid Selection, Guid Request, string Command, string By, IReadOnlyList<Messages.Verdict> Verdicts);
