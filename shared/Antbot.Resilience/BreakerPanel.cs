using System.Collections.Concurrent;
using System.Diagnostics.Metrics;

namespace Antbot.Resilience;

/// <summary>Every breaker of a process, as health and metrics show them: <c>antbot_breaker_state</c> is 0 closed, 1 half open, 2 open.</summary>
public sealed class BreakerPanel : IDisposable
{
    public const string MeterName = "Antbot.Resilience";

    private readonly Meter _meter = new(MeterName);
    private readonly ConcurrentDictionary<string, CircuitBreaker> _breakers = new(StringComparer.Ordinal);

    public BreakerPanel() => _meter.CreateObservableGauge(
        "antbot_breaker_state",
        () => _breakers.Values.Select(b => new Measurement<int>((int)b.State, new KeyValuePair<string, object?>("breaker", b.Name))),
        description: "0 closed, 1 half open, 2 open");

    public IReadOnlyCollection<CircuitBreaker> All => [.. _breakers.Values];

    public CircuitBreaker Get(string name, BreakerOptions options, TimeProvider clock) => _breakers.GetOrAdd(name, static (n, x) => new CircuitBreaker(n, x.options, x.clock), (options, clock));

    public void Dispose() => _meter.Dispose();
}
