using System.Text.Json;
using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// From a symbol and a time, or an actor and a period, to what has a chain of its own. What people did is looked up; what services did, and
/// what happened in a symbol, is read in the order of commits, so many events a page at most.
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
        return selection.Actor is { } actor && !IsService(actor) ? LookUpAsync(selection, actor, cancellationToken) : ReadThroughAsync(selection, cancellationToken);
    }

    private static bool IsService(string actor) => actor.StartsWith("service:", StringComparison.Ordinal) || actor.StartsWith("process:", StringComparison.Ordinal);

    private async Task<TracePage> LookUpAsync(TraceSelection selection, string actor, CancellationToken cancellationToken)
    {
        var places = await index.ActionsAsync(actor, selection.Since, selection.Until, selection.After, selection.Limit, cancellationToken);
        var found = new List<StoredEvent>();
        foreach (var place in places)
        {
            if (await store.ReadPageAsync(place.Sequence - 1, 1, cancellationToken) is [var stored] && stored.Sequence == place.Sequence)
                found.Add(stored);
        }
        var symbols = await SymbolsAsync(found, cancellationToken);
        var subjects = new Subjects();
        foreach (var stored in found.Where(e => selection.Symbol is null || SymbolOf(e, symbols) == selection.Symbol))
            subjects.Add(stored, SymbolOf(stored, symbols));
        var through = places.Count == 0 ? selection.After ?? 0 : places[^1].Sequence;
        return new TracePage(subjects.All, through, places.Count == selection.Limit ? through : null);
    }

    private async Task<TracePage> ReadThroughAsync(TraceSelection selection, CancellationToken cancellationToken)
    {
        var through = selection.After ?? (await Moment.FindAsync(store, (selection.Since - Skew).ToString("O"), cancellationToken)).Sequence;
        var (subjects, read) = (new Subjects(), 0);
        while (read < ReadMax)
        {
            var page = await store.ReadPageAsync(through, PageSize, cancellationToken);
            var symbols = selection.Symbol is null ? new Dictionary<string, string>() : await SymbolsAsync(page, cancellationToken);
            foreach (var stored in page)
            {
                if (stored.Timestamp > selection.Until + Skew)
                    return new TracePage(subjects.All, through, null);
                if (stored.Timestamp >= selection.Since && stored.Timestamp <= selection.Until && (selection.Actor is null || stored.Actor == selection.Actor))
                {
                    var symbol = SymbolOf(stored, symbols);
                    if ((selection.Symbol is null || symbol == selection.Symbol) && !subjects.TryAdd(stored, symbol, selection.Limit))
                        return new TracePage(subjects.All, through, through);
                }
                through = stored.Sequence;
            }
            if (page.Count == 0)
                return new TracePage(subjects.All, through, null);
            read += page.Count;
        }
        return new TracePage(subjects.All, through, through);
    }

    /// <summary>Of the trades whose chains these events are part of.</summary>
    private Task<IReadOnlyDictionary<string, string>> SymbolsAsync(IEnumerable<StoredEvent> events, CancellationToken cancellationToken) =>
        index.SymbolsAsync([.. events.Select(e => e.CorrelationId).OfType<string>().Where(c => TradeId.TryParse(c, out _)).Distinct(StringComparer.Ordinal)], cancellationToken);

    private static string? SymbolOf(StoredEvent stored, IReadOnlyDictionary<string, string> symbols)
    {
        if (stored.CorrelationId is { } chain && symbols.TryGetValue(chain, out var known))
            return known;
        if (stored.Stream.StartsWith(Streams.ValidationPrefix, StringComparison.Ordinal))
            return stored.Stream[Streams.ValidationPrefix.Length..];
        using var document = JsonDocument.Parse(stored.Data);
        var body = document.RootElement;
        return Text(body, "Symbol") ?? (body.TryGetProperty("Signal", out var signal) ? Text(signal, "Symbol") : null);

        static string? Text(JsonElement body, string name) => body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
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
        public bool TryAdd(StoredEvent stored, string? symbol, int limit)
        {
            if (_known.Count >= limit && !_known.ContainsKey(TargetOf(stored)))
                return false;
            Add(stored, symbol);
            return true;
        }

        public void Add(StoredEvent stored, string? symbol)
        {
            var target = TargetOf(stored);
            if (!_known.TryGetValue(target, out var subject))
            {
                _order.Add(target);
                subject = new TraceSubject(target, symbol, stored.Timestamp, stored.Timestamp, stored.Sequence, 0, [], []);
            }
            _known[target] = subject with
            {
                Symbol = subject.Symbol ?? symbol,
                First = subject.First < stored.Timestamp ? subject.First : stored.Timestamp,
                Last = subject.Last > stored.Timestamp ? subject.Last : stored.Timestamp,
                Events = subject.Events + 1,
                Types = With(subject.Types, stored.Type),
                Actors = With(subject.Actors, stored.Actor ?? ""),
            };
        }

        private static IReadOnlyList<string> With(IReadOnlyList<string> words, string word) => word.Length == 0 || words.Contains(word) || words.Count >= WordsMax ? words : [.. words, word];
    }
}
