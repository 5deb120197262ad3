namespace Antbot.ConsoleService.DeadLetters;

/// <summary>When a letter that nobody was heard of is sent again: after a while, and then after twice as long each time.</summary>
/// <param name="first">The first while.</param>
internal sealed class Resends(TimeSpan first)
{
    private static readonly TimeSpan PauseMax = TimeSpan.FromHours(1);

    private Dictionary<string, Waiting> _known = new(StringComparer.Ordinal);
    private Dictionary<string, Waiting> _round = new(StringComparer.Ordinal);

    /// <summary>Asked of every letter that is under way, round after round.</summary>
    public bool IsDue(string letter, int replay, DateTimeOffset sentAt, DateTimeOffset now)
    {
        var waiting = _known.TryGetValue(letter, out var known) && known.Replay == replay ? known : new Waiting(replay, sentAt + first, first);
        var isDue = now >= waiting.Next;
        if (isDue)
        {
            var pause = TimeSpan.FromTicks(Math.Max(first.Ticks, Math.Min(waiting.Pause.Ticks * 2, PauseMax.Ticks)));
            waiting = new Waiting(replay, now + pause, pause);
        }
        _round[letter] = waiting;
        return isDue;
    }

    /// <summary>What was not asked of in this round is forgotten.</summary>
    public void EndRound() => (_known, _round) = (_round, new Dictionary<string, Waiting>(StringComparer.Ordinal));

    private sealed record Waiting(int Replay, DateTimeOffset Next, TimeSpan Pause);
}
