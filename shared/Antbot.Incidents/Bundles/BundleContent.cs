using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Incidents.Reports;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <summary>Which events belong to an incident: the whole chains of its trades, what its report tells, what was ordered until then, and the beginnings of the processes that took part.</summary>
internal sealed class BundleContent(IEventStore store, ITraceIndex index, List<string> left)
{
    public const string Events = "events.jsonl";
    public const string BlobPrefix = "blobs/";

    private const int TradesMax = 200;
    private const int EventsMax = 50_000;
    private const int ControlMax = 2_000;

    private readonly HashSet<long> _positions = [];
    private readonly HashSet<long> _withheld = [];
    private readonly HashSet<Guid> _processes = [];
    private bool _isFull;

    /// <summary>What is said of tokens is for super admins, and a bundle goes to whoever is to help.</summary>
    public static bool MayShow(string stream) => stream != Streams.Access.Value;

    public async Task<HashSet<long>> FindAsync(IncidentReport report, long signed, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        await AddStreamAsync(Streams.Incident(Guid.ParseExact(report.Incident.Id, "N")), cancellationToken);
        await AddStreamAsync(Streams.Control, cancellationToken, ControlMax);
        foreach (var sequence in report.Before.Select(c => c.Sequence).Concat(report.Timeline.Select(l => l.Sequence)).Distinct())
        {
            if (await store.ReadPageAsync(sequence - 1, 1, cancellationToken) is [var stored] && stored.Sequence == sequence)
                Add(stored);
        }
        foreach (var letter in report.DeadLetters)
            await AddStreamAsync(Streams.DeadLetter(Guid.ParseExact(letter.Id, "N")), cancellationToken);
        await AddTradesAsync(report, progress, cancellationToken);
        foreach (var process in _processes.ToList())
        {
            foreach (var stored in await store.FindDecisionAsync(new Decision(process, "started"), cancellationToken))
                Add(stored);
        }
        if (_withheld.Count > 0)
            left.Add($"{_withheld.Count:N0} events about tokens, which only super admins may see, are not in it.");
        if (_isFull)
            left.Add($"More than {EventsMax:N0} events belong to it; these are the first.");
        var all = _positions.Count;
        if (_positions.RemoveWhere(p => p > signed) is > 0 and var unsigned)
            left.Add($"{unsigned:N0} of its {all:N0} events came after the last checkpoint, at position {signed:N0}, and nothing proves them yet; 'antbot checkpoint' makes one.");
        return _positions;
    }

    private async Task AddTradesAsync(IncidentReport report, Action<long, long>? progress, CancellationToken cancellationToken)
    {
        var (tracer, trades) = (new Tracer(store, index), report.Impact.Trades);
        foreach (var (trade, done) in trades.Take(TradesMax).Select((t, i) => (t.Id, i)))
        {
            progress?.Invoke(done, Math.Min(trades.Count, TradesMax));
            foreach (var step in (await tracer.TraceAsync(new TraceTarget(TraceKind.Trade, trade.Value), cancellationToken))?.Steps ?? [])
                Add(step.Stream, step.Position, step.Process);
        }
        if (trades.Count > TradesMax)
            left.Add($"Of its {trades.Count:N0} trades the chains of the first {TradesMax} are here.");
    }

    private async Task AddStreamAsync(StreamId stream, CancellationToken cancellationToken, int most = EventsMax)
    {
        var version = await store.ReadVersionAsync(stream, cancellationToken);
        if (version > most)
            left.Add($"Of {stream} the last {most:N0} events are here.");
        await foreach (var stored in store.ReadStreamAsync(stream, Math.Max(1, version - most + 1), cancellationToken))
            Add(stored);
    }

    private void Add(StoredEvent stored) => Add(stored.Stream, stored.Position, stored.Process);

    private void Add(string stream, long position, Guid? process)
    {
        if (position == 0 || _positions.Contains(position))
            return;
        if (!MayShow(stream))
        {
            _withheld.Add(position);
            return;
        }
        if (_positions.Count >= EventsMax)
        {
            _isFull = true;
            return;
        }
        _positions.Add(position);
        if (process is { } by)
            _processes.Add(by);
    }
}
