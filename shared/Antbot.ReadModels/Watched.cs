using System.Globalization;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>Events that are not told here, because an archive has them whose folder was not named. Which trades they are of is in the file.</summary>
/// <param name="First">The sequence of the first of them.</param>
/// <param name="Through">The sequence of the last of them.</param>
public sealed record ArchiveGap(string Archive, long Events, long First, long Through)
{
    /// <summary>The event's name where they are sent: no event of the history is called so.</summary>
    public const string Name = "archive-gap";

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Events:N0} events, from sequence {First} to {Through}, are in the archive '{Archive}' and not told here");
}

/// <summary>What whoever watches is told next: an event, or which ones are left out.</summary>
public sealed record Watched(TimelineEntry? Entry, ArchiveGap? Gap)
{
    /// <summary>A page in its order. What is left out is told whichever trade is asked for: it may be of that one.</summary>
    public static IEnumerable<Watched> Of(EventPage page, string? trade)
    {
        var next = 0;
        foreach (var stored in page.Events)
        {
            foreach (var before in Gaps(stored.Position))
                yield return before;
            if (trade is null || stored.CorrelationId == trade)
                yield return new Watched(Timeline.Of(stored), null);
        }
        foreach (var rest in Gaps(long.MaxValue))
            yield return rest;

        IEnumerable<Watched> Gaps(long until)
        {
            ArchiveGap? gap = null;
            for (; next < page.Archived.Count && page.Archived[next] is var archived && archived.Position < until; next++)
            {
                if (gap is not null && gap.Archive != archived.Archive)
                    yield return new Watched(null, gap);
                gap = gap?.Archive == archived.Archive
                    ? gap with { Events = gap.Events + 1, Through = archived.Sequence }
                    : new ArchiveGap(archived.Archive, 1, archived.Sequence, archived.Sequence);
            }
            if (gap is not null)
                yield return new Watched(null, gap);
        }
    }
}
