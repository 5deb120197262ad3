using System.Globalization;
using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// From a symbol and a time, or an actor and a period, to what has a chain of its own. Trades and what people did are looked up; what services
/// did is read in the order of commits, so many events a page at most.
/// </summary>
public sealed class TraceSelector(IEventStore store, ITraceIndex index)
{
    /// <summary>So many events are looked through for a page.</summary>
    public const int ReadMax = 20_000;

    private const int PageSize = 2_000;
    private const int WordsMax = 20;

    /// <summary>So far the clocks of two services are taken to differ at most.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    public Task<TracePage> SelectAsync(TraceSelection selection, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Fault is { } fault)
            throw new ArgumentException(fault, nameof(selection));
        if (selection.Symbol is { } symbol)
            return TradesAsync(selection, symbol, cancellationToken);
        var after = selection.After is { } text ? long.Parse(text, CultureInfo.InvariantCulture) : (long?)null;
        return IsService(selection.Actor!) ? ReadThroughAsync(selection, after, cancellationToken) : LookUpAsync(selection, after, cancellationToken);
    }

    private static bool IsService(string actor) => actor.StartsWith("service:", StringComparison.Ordinal) || actor.StartsWith("process:", StringComparison.Ordinal);

    private static TracePage Page(Subjects subjects, long? next) => new(subjects.All, next?.ToString(CultureInfo.InvariantCulture));

    private async Task<TracePage> TradesAsync(TraceSelection selection, string symbol, CancellationToken cancellationToken)
    {
        var trades = await index.TradesAsync(symbol, selection.Since, selection.Until, selection.After, selection.Limit, cancellationToken);
        return new TracePage([.. trades.Select(t => new TraceSubject(new TraceTarget(TraceKind.Trade, t.Trade), t.From, t.Until, null, [t.State]))], trades.Count == selection.Limit ? trades[^1].Trade : null);
    }

    private async Task<TracePage> LookUpAsync(TraceSelection selection, long? after, CancellationToken cancellationToken)
    {
        var places = await index.ActionsAsync(selection.Actor!, selection.Since, selection.Until, after, selection.Limit, cancellationToken);
        var subjects = new Subjects();
        foreach (var place in places)
        {
            if (await store.ReadPageAsync(place.Sequence - 1, 1, cancellationToken) is [var stored] && stored.Sequence == place.Sequence)
                subjects.Add(stored);
        }
        return Page(subjects, places.Count == selection.Limit ? places[^1].Sequence : null);
    }

    private async Task<TracePage> ReadThroughAsync(TraceSelection selection, long? after, CancellationToken cancellationToken)
    {
        var from = selection.Since - DateTimeOffset.UnixEpoch < Skew ? DateTimeOffset.UnixEpoch : selection.Since - Skew;
        var through = after ?? (await Moment.FindAsync(store, from.ToString("O"), cancellationToken)).Sequence;
        var (subjects, read) = (new Subjects(), 0);
        while (read < ReadMax)
        {
            var page = await store.ReadPageAsync(through, PageSize, cancellationToken);
            foreach (var stored in page)
            {
                if (stored.Timestamp > selection.Until + Skew)
                    return Page(subjects, null);
                if (stored.Actor == selection.Actor && stored.Timestamp >= selection.Since && stored.Timestamp <= selection.Until && !subjects.TryAdd(stored, selection.Limit))
                    return Page(subjects, through);
                through = stored.Sequence;
            }
            if (page.Count == 0)
                return Page(subjects, null);
            read += page.Count;
        }
        return Page(subjects, through);
    }

    private static TraceTarget TargetOf(StoredEvent stored)
    {
        if (new Traced(stored, null, []).Trade is { } trade)
            return new TraceTarget(TraceKind.Trade, trade.Value);
        if (stored.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal))
            return new TraceTarget(TraceKind.DeadLetter, stored.Stream[Streams.DeadLetterPrefix.Length..]);
        return Guid.TryParseExact(stored.CorrelationId, "N", out _)
            ? new TraceTarget(TraceKind.Request, stored.CorrelationId)
            : new TraceTarget(TraceKind.Event, $"{stored.Sequence}");
    }

    private sealed class Subjects
    {
        private readonly Dictionary<TraceTarget, TraceSubject> _known = [];
        private readonly List<TraceTarget> _order = [];

        public IReadOnlyList<TraceSubject> All => [.. _order.Select(t => _known[t])];

        /// <summary>False, and nothing is added, where it is a new thing and there are as many as are wanted.</summary>
        public bool TryAdd(StoredEvent stored, int limit)
        {
            if (_known.Count >= limit && !_known.ContainsKey(TargetOf(stored)))
                return false;
            Add(stored);
            return true;
        }

        public void Add(StoredEvent stored)
        {
            var target = TargetOf(stored);
            if (!_known.TryGetValue(target, out var subject))
            {
                _order.Add(target);
                subject = new TraceSubject(target, stored.Timestamp, stored.Timestamp, 0, []);
            }
            _known[target] = subject with
            {
                First = subject.First < stored.Timestamp ? subject.First : stored.Timestamp,
                Last = subject.Last > stored.Timestamp ? subject.Last : stored.Timestamp,
                Events = subject.Events + 1,
                What = With(subject.What, stored.Type),
            };
        }

        private static IReadOnlyList<string> With(IReadOnlyList<string> words, string word) => words.Contains(word) || words.Count >= WordsMax ? words : [.. words, word];
    }
}
