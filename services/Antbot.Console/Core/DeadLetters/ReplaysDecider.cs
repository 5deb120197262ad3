using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.ConsoleService.DeadLetters;

/// <param name="Status">Null before it was requested.</param>
/// <param name="Left">Those that have not had their turn, the oldest first.</param>
/// <param name="Batch">The last one that was begun.</param>
/// <param name="UnderWay">Null between two batches.</param>
public sealed record ReplaysState(ReplaysStatus? Status, string Reason, string By, IReadOnlyList<SelectedLetter> Left, ReplaysPace Pace, int Batch, ReplayBatchBegun? UnderWay)
{
    public static ReplaysState Initial { get; } = new(null, "", "", [], new ReplaysPace(1, 1, 1), 0, null);
}

/// <param name="Letters">The oldest first.</param>
/// <param name="Notional">Of all wishes to enter among them; null where that cannot be said.</param>
public sealed record RequestReplays(Guid Selection, ReplaysQuery Query, IReadOnlyList<SelectedLetter> Letters, Money? Notional, ReplaysPace Pace, ReplaysLimits Limits, string Reason, string By);

public sealed record ApproveReplays(Guid Selection, Guid Request, string Reason, string By);

public sealed record CancelReplays(Guid Selection, Guid Request, string Reason, string By);

public sealed record BeginReplayBatch(Guid Selection);

public sealed record EndReplayBatch(Guid Selection, int Batch, int Replayed, IReadOnlyList<ReplayMiss> Refused, IReadOnlyList<ReplayMiss> Failed);

/// <summary>The life of a selection: what is in it never changes, it grows bolder batch by batch, and it stops where anything fails.</summary>
public static class ReplaysDecider
{
    public const string Consumer = "replays";

    /// <summary>One event has all of them.</summary>
    public const int LettersMax = 5_000;

    private static readonly int[] Sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000];

    public static Behaviour<ReplaysState> Behaviour { get; } = new(Consumer, new Fold<ReplaysState>("replays-1", ReplaysState.Initial, Apply), Decide, _ => [])
    {
        IsOver = state => state.Status is ReplaysStatus.Done or ReplaysStatus.Stopped or ReplaysStatus.Cancelled && state.UnderWay is null,
    };

    private static ReplaysState Apply(ReplaysState state, object @event) => @event switch
    {
        ReplaysRequested e => new(e.NeedsApproval ? ReplaysStatus.Requested : ReplaysStatus.Running, e.Reason, e.By, e.Letters, e.Pace, 0, null),
        ReplaysApproved => state with { Status = ReplaysStatus.Running },
        ReplaysCancelled => state with { Status = ReplaysStatus.Cancelled },
        ReplayBatchBegun e => state with { Batch = e.Batch, UnderWay = e, Left = Without(state.Left, e.Letters) },
        ReplayBatchEnded => state with { UnderWay = null },
        ReplaysDone => state with { Status = ReplaysStatus.Done },
        ReplaysStopped => state with { Status = ReplaysStatus.Stopped },
        _ => state,
    };

    private static IReadOnlyList<object> Decide(ReplaysState state, object input, DateTimeOffset now) => input switch
    {
        RequestReplays r => Judged(r.Selection, r.Selection, "request", r.By, [IsUnheardOf(state), .. Reasonable(r.Letters.Count)], Requested(r)),
        ApproveReplays a => Judged(a.Selection, a.Request, "approve", a.By, [Waits(state), IsAnother(state, a.By)], new ReplaysApproved(a.Selection, a.Request, a.Reason, a.By)),
        CancelReplays c => Judged(c.Selection, c.Request, "cancel", c.By, [IsOpen(state)], new ReplaysCancelled(c.Selection, c.Request, c.Reason, c.By)),
        BeginReplayBatch b => state is { Status: ReplaysStatus.Running, UnderWay: null } ? [Next(state, b.Selection, now)] : [],
        EndReplayBatch e => state.UnderWay?.Batch == e.Batch ? [new ReplayBatchEnded(e.Selection, e.Batch, e.Replayed, e.Refused, e.Failed), .. Consequence(state, e)] : [],
        _ => throw new ArgumentException($"{input.GetType().Name} is nothing that is decided of replays.", nameof(input)),
    };

    /// <summary>Unknown is more than any limit.</summary>
    private static ReplaysRequested Requested(RequestReplays r) => new(
        r.Selection, r.Query, r.Letters, r.Notional, r.Pace, r.Limits, r.Letters.Count > r.Limits.Letters || r.Notional is not { } notional || notional > r.Limits.Notional, r.Reason, r.By);

    private static object Next(ReplaysState state, Guid selection, DateTimeOffset now)
    {
        if (state.Left.Count == 0)
            return new ReplaysDone(selection);
        var letters = BatchOf(state);
        return new ReplayBatchBegun(selection, state.Batch + 1, letters, now + TimeSpan.FromSeconds(state.Pace.PatienceSeconds + (letters.Count / Math.Max(1, state.Pace.PerSecond))));
    }

    /// <summary>Of one trade one at a time: what comes of the first is known before the second goes.</summary>
    private static List<Guid> BatchOf(ReplaysState state)
    {
        var size = Math.Max(1, Math.Min(state.Pace.BatchMax, Sizes[Math.Min(state.Batch, Sizes.Length - 1)]));
        var (letters, trades) = (new List<Guid>(), new HashSet<TradeId>());
        foreach (var (letter, trade) in state.Left)
        {
            if (letters.Count == size)
                break;
            if (trade is not { } about || trades.Add(about))
                letters.Add(letter);
        }
        return letters;
    }

    private static IEnumerable<object> Consequence(ReplaysState state, EndReplayBatch e)
    {
        // Cancelled while it was under way: what came of it is recorded, and nothing follows.
        if (state.Status != ReplaysStatus.Running)
            return [];
        if (e.Failed is [var first, ..])
            return [new ReplaysStopped(e.Selection, e.Batch, state.Left.Count, $"{first.Letter:N}: {first.Why}")];
        return state.Left.Count == 0 ? [new ReplaysDone(e.Selection)] : [];
    }

    private static IReadOnlyList<SelectedLetter> Without(IReadOnlyList<SelectedLetter> letters, IReadOnlyList<Guid> taken)
    {
        var gone = taken.ToHashSet();
        return [.. letters.Where(l => !gone.Contains(l.Letter))];
    }

    private static IEnumerable<Verdict> Reasonable(int letters) =>
    [
        new Verdict("some", letters > 0, letters > 0 ? $"{letters} letters" : "no letter about which nothing has been decided is like that"),
        new Verdict("few", letters <= LettersMax, $"{letters} letters, of which at most {LettersMax} are sent at once"),
    ];

    private static Verdict IsUnheardOf(ReplaysState state) => new("unheard-of", state.Status is null, Stands(state));

    private static Verdict Waits(ReplaysState state) => new("requested", state.Status == ReplaysStatus.Requested, Stands(state));

    private static Verdict IsOpen(ReplaysState state) => new("open", state.Status is ReplaysStatus.Requested or ReplaysStatus.Running, Stands(state));

    private static Verdict IsAnother(ReplaysState state, string by) => new("another", !string.Equals(by, state.By, StringComparison.Ordinal), $"{state.By} requested it");

    private static string Stands(ReplaysState state) => state.Status is { } status ? $"it is {status}" : "there is no such selection";

    private static IReadOnlyList<object> Judged(Guid selection, Guid request, string command, string by, IReadOnlyList<Verdict> verdicts, object done) =>
        verdicts.All(v => v.Passed) ? [done] : [new ReplaysRefused(selection, request, command, by, verdicts)];
}
