using System.Diagnostics;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Store;

/// <summary>A long history made on the fly: streams of twenty events, twenty streams interleaved, a correlation id for each stream.</summary>
internal static class History
{
    public const int EventsPerStream = 20;
    private const int Interleaved = 20;

    private static readonly byte[] Headers = CanonicalJson.From(Sample.Headers);

    private const int HashedEvents = 100_000;

    /// <summary>What verifying cannot do without: content and link hashed anew, with the events at hand and nothing read.</summary>
    public static double HashesPerSecond()
    {
        var one = Event(0);
        var previous = ChainLink.Genesis(Guid.NewGuid());
        var at = Stopwatch.GetTimestamp();
        for (var position = 1L; position <= HashedEvents; position++)
            previous = ChainLink.Hash(previous, one.ContentHash(), position, position, 1, foreign: false);
        return HashedEvents / Stopwatch.GetElapsedTime(at).TotalSeconds;
    }

    public static string StreamOf(long number) => $"order-{DeterministicId.From("bench", number.ToString()):N}";

    public static string CorrelationOf(long number) => DeterministicId.From("trade", number.ToString()).ToString("N");

    public static IEnumerable<List<LedgerLink>> Pages(Guid storeId, int events, int page)
    {
        var previous = ChainLink.Genesis(storeId);
        var links = new List<LedgerLink>(page);
        for (var n = 0L; n < events; n++)
        {
            var e = Event(n);
            var hash = ChainLink.Hash(previous, e.ContentHash(), e.Position, e.Sequence, e.Version, foreign: false);
            links.Add(new LedgerLink(e.Position, e.Sequence, e.EventId, e.CorrelationId, previous, hash, Foreign: false, e));
            previous = hash;
            if (links.Count < page && n + 1 < events)
                continue;
            yield return links;
            links = new List<LedgerLink>(page);
        }
    }

    private static StoredEvent Event(long n)
    {
        var round = n / (Interleaved * EventsPerStream);
        var within = n % (Interleaved * EventsPerStream);
        var stream = round * Interleaved + within % Interleaved;
        var version = within / Interleaved + 1;
        var text = StreamOf(stream);
        return new StoredEvent
        {
            Sequence = n + 1,
            Position = n + 1,
            EventId = new Decision(DeterministicId.From(text), "bench").EventId((int)version),
            Stream = text,
            Version = version,
            Type = Sample.Type,
            ClrType = Sample.ClrType,
            Data = Sample.Body,
            Timestamp = new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddMilliseconds(n),
            CorrelationId = CorrelationOf(stream),
            CausationId = text,
            Actor = "execution",
            Headers = Headers,
        };
    }
}
