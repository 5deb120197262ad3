using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

/// <summary>Dead letters that are sent once more together.</summary>
/// <param name="Reason">Of whoever requested it.</param>
/// <param name="Batch">The last one that was begun.</param>
/// <param name="Refused">Those that were not sent any more, for a reason of their own.</param>
/// <param name="Why">Why it goes no further, or has not begun.</param>
public sealed record ReplaysView(
    string Id, ReplaysStatus State, ReplaysQuery Query, int Letters, Money? Notional, ReplaysPace Pace, string By, string Reason, string? ApprovedBy, int Batch, int Replayed, int Refused, int Failed, string Why,
    DateTimeOffset RequestedAt, DateTimeOffset ChangedAt)
{
    public static bool IsOver(ReplaysStatus state) => state is ReplaysStatus.Done or ReplaysStatus.Stopped or ReplaysStatus.Cancelled;
}

/// <param name="Misses">Every letter of it that was not replayed, and why.</param>
public sealed record ReplaysStory(ReplaysView Selection, IReadOnlyList<ReplayMiss> Misses);

public static class ReplaysFold
{
    /// <summary>The selection that an event is about.</summary>
    public static Guid? SubjectOf(object? @event) => @event switch
    {
        ReplaysRequested e => e.Selection,
        ReplaysApproved e => e.Selection,
        ReplaysCancelled e => e.Selection,
        ReplayBatchBegun e => e.Selection,
        ReplayBatchEnded e => e.Selection,
        ReplaysDone e => e.Selection,
        ReplaysStopped e => e.Selection,
        _ => null,
    };

    public static ReplaysView? Apply(ReplaysView? view, object @event, DateTimeOffset at) => @event switch
    {
        ReplaysRequested e => new ReplaysView(
            e.Selection.ToString("N"), e.NeedsApproval ? ReplaysStatus.Requested : ReplaysStatus.Running, e.Query, e.Letters.Count, e.Notional, e.Pace, e.By, e.Reason, null, 0, 0, 0, 0,
            e.NeedsApproval ? $"More than {e.Limits.Letters} letters or {e.Limits.Notional} take another operator's approval." : "", at, at),
        _ => view is null ? null : Next(view, @event) with { ChangedAt = at },
    };

    private static ReplaysView Next(ReplaysView view, object @event) => @event switch
    {
        ReplaysApproved e => view with { State = ReplaysStatus.Running, ApprovedBy = e.By, Why = "" },
        ReplaysCancelled e => view with { State = ReplaysStatus.Cancelled, Why = $"{e.By}: {e.Reason}" },
        ReplayBatchBegun e => view with { Batch = e.Batch },
        ReplayBatchEnded e => view with { Replayed = view.Replayed + e.Replayed, Refused = view.Refused + e.Refused.Count, Failed = view.Failed + e.Failed.Count },
        ReplaysDone => view with { State = ReplaysStatus.Done },
        ReplaysStopped e => view with { State = ReplaysStatus.Stopped, Why = $"Batch {e.Batch} failed, and {e.Left} letters were left alone: {e.Why}" },
        _ => view,
    };
}
