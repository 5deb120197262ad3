using Antbot.Contracts.Events;

namespace Antbot.Coordinator.Core;

/// <summary>How a phase is being worked off.</summary>
/// <param name="YoungestLeft">Of the trades that have left it, the one that came last: when it came.</param>
/// <param name="LastLeft">When one last left it.</param>
/// <param name="Usual">How long it has lately taken a trade to leave it, from beginning to end.</param>
public sealed record PhaseProgress(DateTimeOffset YoungestLeft, DateTimeOffset LastLeft, TimeSpan Usual)
{
    private const int Memory = 16;

    public static PhaseProgress None { get; } = new(DateTimeOffset.MinValue, DateTimeOffset.MinValue, TimeSpan.Zero);

    public PhaseProgress With(OpenTrade left, DateTimeOffset at)
    {
        var took = at > left.EnteredAt ? at - left.EnteredAt : TimeSpan.Zero;
        return new PhaseProgress(left.EnteredAt > YoungestLeft ? left.EnteredAt : YoungestLeft, at, Usual + ((took - Usual) / Memory));
    }
}

/// <summary>
/// Tells a trade that was forgotten from one that waits its turn. Messages are taken in their order: as long as trades that came
/// before this one leave the phase, its message waits in a queue, which the same message again would only make longer.
/// </summary>
public static class Standstill
{
    /// <summary>Where a whole phase stands, so many of its oldest are driven on: enough to set it going, too few to flood a queue.</summary>
    public const int ProbesMax = 64;

    /// <summary>Those that have not moved for <paramref name="wait"/> and have been overtaken by far, and the oldest of each phase in which nothing moves at all.</summary>
    public static IEnumerable<OpenTrade> Of(IReadOnlyList<OpenTrade> trades, IReadOnlyDictionary<TradePhase, PhaseProgress> progress, DateTimeOffset now, TimeSpan wait)
    {
        foreach (var phase in trades.Where(t => IsExpectingNews(t.Phase) && now - t.MovedAt >= wait).GroupBy(t => t.Phase))
        {
            var known = progress.GetValueOrDefault(phase.Key) ?? PhaseProgress.None;
            var probes = now - known.LastLeft >= wait ? ProbesMax : 0;
            // Many are under way at once, and the slower it goes, the more of them pass one another.
            var far = known.Usual * 2 is var usual && usual > wait ? usual : wait;
            foreach (var trade in phase.OrderBy(t => t.EnteredAt))
            {
                if (known.YoungestLeft - trade.EnteredAt >= far || probes-- > 0)
                    yield return trade;
            }
        }
    }

    /// <summary>An open position stays open as long as the market and its exits want; no service owes an answer.</summary>
    public static bool IsExpectingNews(TradePhase phase) => phase != TradePhase.Open;
}
