using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Changes;

/// <summary>Reads a long stream from its end, as far back as is needed.</summary>
internal static class StreamEnd
{
    private const int First = 64;
    private const int Most = 16_384;

    /// <summary>So far the clocks of two services are taken to differ at most.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    /// <param name="since">What was recorded from then on is all read.</param>
    /// <param name="needs">One such event is needed among those before it, too.</param>
    /// <returns>The events, oldest first, and whether nothing that is needed was left out.</returns>
    public static async Task<(IReadOnlyList<StoredEvent> Events, bool IsWhole)> ReadAsync(IEventStore store, StreamId stream, DateTimeOffset since, Func<StoredEvent, bool> needs, CancellationToken cancellationToken)
    {
        var version = await store.ReadVersionAsync(stream, cancellationToken);
        for (var count = First; ; count *= 4)
        {
            var from = Math.Max(1, version - count + 1);
            var events = await store.ReadStreamAsync(stream, from, cancellationToken).ToListAsync(cancellationToken);
            if (from == 1 || (events.Count > 0 && events[0].Timestamp < since - Skew && events.Exists(e => needs(e))))
                return (events, IsWhole: true);
            if (count >= Most)
                return (events, IsWhole: false);
        }
    }
}
