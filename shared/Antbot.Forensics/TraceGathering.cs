using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>Brings the events of one chain together, within bounds, each once.</summary>
internal sealed class TraceGathering(IEventStore store, ITraceIndex index, TraceReader reader)
{
    private const int EventsMax = 5_000;
    private const int BytesMax = 8 * 1024 * 1024;
    private const int TradesMax = 4;
    private const int RelatedMax = 100;
    private const int LookUpsMax = 1_000;
    private const int ControlsMax = 20;

    private readonly HashSet<Guid> _lookedUp = [];
    private readonly HashSet<string> _read = new(StringComparer.Ordinal);
    private readonly HashSet<string> _causes = new(StringComparer.Ordinal);
    private readonly List<TradeId> _trades = [];
    private readonly List<TraceTarget> _related = [];
    private long _bytes;

    /// <summary>By their sequence, which is the order of commits.</summary>
    public SortedDictionary<long, Traced> Events { get; } = [];

    public IReadOnlyList<TradeId> Trades => _trades;

    public IReadOnlyList<TraceTarget> Related => _related;

    public bool More { get; private set; }

    public void Add(StoredEvent stored)
    {
        if (Events.ContainsKey(stored.Sequence))
            return;
        if (Events.Count >= EventsMax || _bytes + stored.Bytes > BytesMax)
        {
            More = true;
            return;
        }
        _bytes += stored.Bytes;
        var traced = reader.Read(stored);
        Events[stored.Sequence] = traced;
        if (stored.CausationId is { } cause && !traced.IsLetter)
            _causes.Add(cause);
    }

    /// <summary>All that is found by the trade's id, all of its own streams, and what else names it.</summary>
    public async Task AddTradeAsync(TradeId trade, CancellationToken cancellationToken)
    {
        if (_trades.Contains(trade))
            return;
        if (_trades.Count == TradesMax)
        {
            Relate(new TraceTarget(TraceKind.Trade, trade.Value));
            return;
        }
        _trades.Add(trade);
        await AddCorrelatedAsync(trade.Value, cancellationToken);
        foreach (var stream in new[] { Streams.Signal(trade), Streams.Trade(trade), Streams.Order(trade) })
            await AddStreamAsync(stream, cancellationToken);
        foreach (var place in await index.MentionsAsync(MentionKind.Trade, trade.Value, cancellationToken))
            await AddPlaceAsync(place, cancellationToken);
    }

    public async Task AddCorrelatedAsync(string? correlation, CancellationToken cancellationToken)
    {
        // An account's whole life is found by its name: that is no chain.
        if (!Guid.TryParseExact(correlation, "N", out _))
            return;
        foreach (var stored in await store.FindByCorrelationAsync(correlation, EventsMax + 1, cancellationToken))
            Add(stored);
    }

    public async Task AddStreamAsync(StreamId stream, CancellationToken cancellationToken)
    {
        if (!_read.Add(stream.Value))
            return;
        await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
        {
            Add(stored);
            if (More)
                return;
        }
    }

    public async Task AddPlaceAsync(EventPlace place, CancellationToken cancellationToken)
    {
        // A letter is told whole: what was done about it is part of what became of the trade.
        if (place.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal))
            await AddStreamAsync(new StreamId(place.Stream), cancellationToken);
        else if (!Events.ContainsKey(place.Sequence) && await store.ReadPageAsync(place.Sequence - 1, 1, cancellationToken) is [var stored] && stored.Sequence == place.Sequence)
            Add(stored);
    }

    /// <summary>
    /// What follows from the events so far and is found by nothing but the ids of their messages: whoever works on an account, or is told
    /// something by one who does, records it under another chain's name. Then the operator's words that were in force.
    /// </summary>
    public async Task FollowAsync(CancellationToken cancellationToken)
    {
        while (!More && Unanswered() is { Count: > 0 } open)
        {
            foreach (var said in open)
            {
                _lookedUp.Add(said.Id);
                if (StreamKinds.All.FirstOrDefault(k => k.Service == said.Endpoint) is not { } kind)
                    continue;
                foreach (var stored in await store.FindDecisionAsync(new Decision(said.Id, kind.Consumer), cancellationToken))
                    Add(stored);
            }
        }
        await AddControlsAsync(cancellationToken);
        foreach (var letter in Events.Values.Select(e => e.Event).OfType<DeadLetterKept>().ToList())
        {
            foreach (var trade in letter.Trades.Where(t => !_trades.Contains(t)))
                Relate(new TraceTarget(TraceKind.Trade, trade.Value));
        }
    }

    private List<Said> Unanswered() => _lookedUp.Count >= LookUpsMax
        ? []
        : [.. Events.Values.SelectMany(e => e.Says).Where(s => !_lookedUp.Contains(s.Id) && !_causes.Contains(s.Id.ToString("N"))).Take(LookUpsMax - _lookedUp.Count)];

    /// <summary>An attempt names the version of `control` that it was made under, and so does the record of who gave that word.</summary>
    private async Task AddControlsAsync(CancellationToken cancellationToken)
    {
        var versions = Events.Values.Select(e => e.Event switch { OrderAttempted attempted => attempted.ControlVersion, OperatorCommandRecorded command => command.ControlVersion, _ => 0 });
        foreach (var version in versions.Where(v => v > 0).Distinct().Take(ControlsMax).ToList())
        {
            await foreach (var stored in store.ReadStreamAsync(Streams.Control, version, cancellationToken))
            {
                Add(stored);
                break;
            }
        }
        foreach (var word in Events.Values.Where(e => e.Stored.Stream == Streams.Control.Value).Take(ControlsMax).ToList())
        {
            foreach (var stored in await store.FindDecisionAsync(Causes.AuditOf(word.Stored), cancellationToken))
                Add(stored);
        }
    }

    private void Relate(TraceTarget target)
    {
        if (!_related.Contains(target) && _related.Count < RelatedMax)
            _related.Add(target);
    }
}
