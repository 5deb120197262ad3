using System.Globalization;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>A moment of the history: everything up to and including the event with this sequence.</summary>
/// <param name="At">The time that was asked for; null where a sequence was.</param>
public sealed record Moment(long Sequence, DateTimeOffset? At)
{
    /// <summary>So far the clocks of two services are taken to differ at most: what is recorded later than this after a time was not recorded before it.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    private const int PageSize = 500;

    /// <summary>Why a text names no moment, or null.</summary>
    public static string? Fault(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return IsSequence(text, out _) || TryTime(text, out _) ? null : "A moment is a sequence, such as 12345, or a time, such as 2026-01-02T03:04:05Z (in UTC where no zone is named).";
    }

    /// <summary>
    /// The moment that a text names. A time is the last event that was recorded by then, whichever service's clock said so; all that was
    /// committed before that event belongs to it.
    /// </summary>
    public static async Task<Moment> FindAsync(IEventStore store, string text, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (Fault(text) is { } fault)
            throw new ArgumentException(fault, nameof(text));
        var end = (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence;
        if (IsSequence(text, out var sequence))
            return new Moment(Math.Min(sequence, end), null);
        _ = TryTime(text, out var at);
        return new Moment(await LastAsync(end, at, async (after, limit) => [.. (await store.ReadPageAsync(after, limit, cancellationToken)).Select(e => (e.Sequence, e.Timestamp))]), at);
    }

    /// <summary>The last event by a time of those that the store itself has: what archives have is passed over.</summary>
    public static async Task<long> LastKeptAsync(IEventStore store, DateTimeOffset at, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        return await LastAsync((await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence, at, async (after, limit) =>
        {
            while (true)
            {
                var page = await store.ReadPageAsync(after, limit, EventPage.EveryStream, cancellationToken);
                if (page.Events.Count > 0 || page.Through == after)
                    return [.. page.Events.Select(e => (e.Sequence, e.Timestamp))];
                (after, limit) = (page.Through, PageSize);
            }
        });
    }

    /// <summary>The last that was recorded by a time.</summary>
    /// <param name="read">At most so many behind a sequence, in commit order, with the times at which they were recorded.</param>
    internal static async Task<long> LastAsync(long end, DateTimeOffset at, Func<long, int, Task<IReadOnlyList<(long Sequence, DateTimeOffset At)>>> read)
    {
        var (low, high) = (0L, end);
        // The last of which nothing later by its number was found to be earlier by its clock.
        while (low < high)
        {
            var middle = low + (high - low) / 2;
            var next = await read(middle, 1);
            if (next.Count > 0 && next[0].Sequence <= end && next[0].At <= at)
                low = next[0].Sequence;
            else
                high = middle;
        }
        var (last, through) = (low, low);
        while (await read(through, PageSize) is { Count: > 0 } page)
        {
            foreach (var (sequence, recorded) in page)
            {
                if (sequence > end || recorded > at + Skew)
                    return last;
                if (recorded <= at)
                    last = sequence;
            }
            through = page[^1].Sequence;
        }
        return last;
    }

    private static bool IsSequence(string text, out long sequence) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out sequence);

    /// <summary>A time as people type it: ISO 8601, in UTC where no zone is named.</summary>
    public static bool TryTime(string text, out DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(text);
        time = default;
        return text.Length is >= 8 and <= 40 && text.Contains('-', StringComparison.Ordinal)
            && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }
}
