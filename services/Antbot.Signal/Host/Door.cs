using System.Diagnostics.Metrics;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;

namespace Antbot.Signals;

/// <summary>
/// Whether a new signal is taken, or would wait for too long behind those that wait already. Each instance follows the store for itself,
/// so that all of them answer alike, whoever took what waits.
/// </summary>
public sealed class Door : IProjection, IDisposable
{
    public const string MeterName = "Antbot.Signal";

    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Backlog _backlog = new();
    private readonly PipelineParts _parts;
    private readonly TimeSpan _life;
    private readonly ProjectionRunner _following;
    private readonly Meter _meter = new(MeterName);
    private readonly Counter<long> _refused;

    public Door(PipelineParts parts, SignalOptions options)
    {
        (_parts, _life) = (parts, options.Terms.Life);
        _following = new ProjectionRunner(parts.Store, this, parts.Clock, SaveEvery);
        _refused = _meter.CreateCounter<long>("antbot_signals_refused_total", description: "Signals that were not taken, because those before them waited for too long.");
        _meter.CreateObservableGauge("antbot_signals_waiting", () => Waiting, description: "Signals that were taken and wait for their trade to begin.");
    }

    public string Name => "signal-backlog-1";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.SignalPrefix, Streams.TradePrefix];

    /// <summary>Taken by whichever instance, as far as is known here.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _backlog.Waiting;
        }
    }

    public Task RunAsync(CancellationToken cancellationToken) => _following.RunAsync(cancellationToken);

    /// <summary>Null where it is taken; else when to come again.</summary>
    public TimeSpan? Refuse(Signal signal) => Refuse(signal.ValidUntil - signal.RaisedAt);

    public void CountRefused() => _refused.Add(1);

    public HealthReading Health() => (_following.Trouble, Refuse(_life)) switch
    {
        ({ } trouble, _) => new HealthReading("door", HealthState.Degraded, $"How many signals wait is not known: {trouble}"),
        (_, { } again) => new HealthReading("door", HealthState.Degraded, $"{Waiting} signals wait for their trades to begin, and no more are taken than can be entered in time; again in {again.TotalSeconds:0} s."),
        _ => new HealthReading("door", HealthState.Ok),
    };

    public void Apply(StoredEvent stored)
    {
        // What comes after a stream's first event finds it decided.
        if (stored.Version > 1)
            return;
        if (Trade(stored, Streams.SignalPrefix) is { } raised && _parts.Codec.Decode(stored) is SignalRecorded { Signal: var signal })
        {
            // Another instance's clock may be ahead of ours.
            var now = _parts.Clock.GetUtcNow();
            lock (_lock)
                _backlog.Recorded(raised, stored.Timestamp < now ? stored.Timestamp : now, signal.ValidUntil);
        }
        else if (Trade(stored, Streams.TradePrefix) is { } begun)
        {
            var tooLate = _parts.Codec.Decode(stored) is TradeRaised { TooLate: true };
            lock (_lock)
                _backlog.Decided(begun, tooLate);
        }
    }

    public byte[] Save()
    {
        lock (_lock)
            return _backlog.Save();
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        lock (_lock)
            _backlog.Load(saved);
    }

    public void Clear()
    {
        lock (_lock)
            _backlog.Clear();
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>Until the history is known there is nothing to refuse for.</summary>
    private TimeSpan? Refuse(TimeSpan life)
    {
        if (!_following.CaughtUp.IsCompleted)
            return null;
        lock (_lock)
            return _backlog.Refuse(life, _parts.Clock.GetUtcNow());
    }

    private static TradeId? Trade(StoredEvent stored, string prefix) =>
        stored.Stream.StartsWith(prefix, StringComparison.Ordinal) && TradeId.TryParse(stored.Stream[prefix.Length..], out var trade) ? trade : null;
}
