using Antbot.Hosting.Life;
using Antbot.Hosting.Telemetry;
using Antbot.Kernel.Control;
using Antbot.Messaging;
using Antbot.Resilience;
using Antbot.Runtime.Control;
using Antbot.Runtime.Health;
using Microsoft.Extensions.Hosting;

namespace Antbot.Hosting.Health;

/// <summary>Everything that is known of this process's health, in one place.</summary>
internal sealed class HealthReport(
    ServiceIdentity identity, DependencyBoard board, StoreKeeper store, BusRunner bus, ControlWatch control, LeaseKeeper leases, ProcessFigures process, BreakerPanel breakers,
    IEnumerable<IHealthSource> sources, IEnumerable<IEntryGate> gates, IHostApplicationLifetime lifetime, TimeProvider clock)
{
    public const string EndpointPrefix = "endpoint-";

    private const double MemoryPercentMax = 90;

    /// <summary>What is in force here, which is less than what was said while this process recovers.</summary>
    public ControlState InForce => control.Known.State.WhileRecovering(gates.Select(g => g.Bar).FirstOrDefault(b => b is not null));

    public IReadOnlyList<HealthReading> Readings()
    {
        List<HealthReading> readings = [Store(), Bus(), Control(), .. Endpoints(), .. Breakers(), Memory(process.Read())];
        foreach (var source in sources)
            readings.AddRange(Ask(source));
        if (lifetime.ApplicationStopping.IsCancellationRequested)
            readings.Add(new HealthReading("process", HealthState.Down, "It is being stopped.") { IsNeeded = true, Level = DegradationLevel.Normal });
        return readings;
    }

    /// <summary>Why this process is not ready; empty where it is.</summary>
    public IReadOnlyList<HealthReading> NotReady() => [.. Readings().Where(r => r is { IsNeeded: true, State: HealthState.Down })];

    public static DegradationLevel LevelOf(IEnumerable<HealthReading> readings) => readings.Select(r => r.Level).DefaultIfEmpty(DegradationLevel.Normal).Max();

    /// <summary>The circuit breakers through which not everything goes, and how each stands.</summary>
    public Dictionary<string, string> BreakersNotClosed() => States(breakers.All.Where(b => b.State != BreakerState.Closed));

    public Dictionary<string, object?> Describe(DegradationLevel level)
    {
        var (readings, use, state) = (Readings(), process.Read(), InForce);
        var ill = readings.Where(r => r.State != HealthState.Ok).ToList();
        var body = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["status"] = level == DegradationLevel.Normal && ill.Count == 0 ? "healthy" : "degraded",
            ["timestamp"] = clock.GetUtcNow(),
            ["service"] = identity.Service,
            ["instance"] = identity.Instance,
            ["build"] = ProcessLife.Build,
            ["uptime_seconds"] = Math.Round((clock.GetUtcNow().UtcDateTime - process.StartedAt).TotalSeconds),
            ["degradation_level"] = level.ToString().ToLowerInvariant(),
            ["circuit_breakers"] = States(breakers.All),
            ["system_resources"] = new { cpu_percent = use.CpuPercent, memory_percent = use.MemoryPercent, disk_usage = use.DiskPercent, resident_bytes = use.ResidentBytes },
            ["last_heartbeat"] = clock.GetUtcNow(),
            ["control"] = new { activity = Snake(state.Activity.ToString()), mode = Snake(state.Mode.ToString()), maintenance = state.Maintenance, reason = state.Reason, version = control.Known.Version },
            ["leases"] = leases.Works.Select(w => new { name = w.Name, held = w.Holding, trouble = w.Trouble?.Message }),
            ["endpoints"] = bus.Status().Endpoints.Select(e => new { name = e.Name, state = Snake(e.State.ToString()), held = e.Held, trouble = e.Trouble }),
            ["queues"] = bus.Status().Waiting,
            ["dependencies"] = Dependencies(),
            ["problems"] = ill.Select(r => new { name = r.Name, state = Snake(r.State.ToString()), level = r.Level.ToString().ToLowerInvariant(), reason = r.Reason, since = r.Since }),
        };
        foreach (var (name, value) in sources.SelectMany(s => s.Figures()))
            body.TryAdd(name, value);
        return body;
    }

    private static Dictionary<string, string> States(IEnumerable<CircuitBreaker> some) => some.OrderBy(b => b.Name, StringComparer.Ordinal).ToDictionary(b => b.Name, b => Snake(b.State.ToString()), StringComparer.Ordinal);

    private IEnumerable<object> Dependencies()
    {
        var up = bus.Status();
        yield return new { name = "bus", works = up.IsUp, since = up.Since, last_error = up.Trouble, last_error_at = (DateTimeOffset?)null };
        foreach (var d in board.All)
            yield return new { name = d.Name, works = d.Works, since = d.Since, last_error = d.LastError, last_error_at = d.LastErrorAt };
    }

    private HealthReading Store()
    {
        var state = board.Find(StoreProbe.Dependency);
        return store.IsOpen && state is { Works: true }
            ? new HealthReading(StoreProbe.Dependency, HealthState.Ok) { IsNeeded = true }
            : new HealthReading(StoreProbe.Dependency, HealthState.Down, state?.LastError ?? "The store has not answered yet.", state?.Since) { IsNeeded = true, Level = DegradationLevel.Emergency };
    }

    private HealthReading Bus()
    {
        var status = bus.Status();
        return new HealthReading("bus", status.IsUp ? HealthState.Ok : HealthState.Down, status.Trouble, status.Since) { IsNeeded = true };
    }

    private HealthReading Control() => control.Known.Version < 0
        ? new HealthReading("control", HealthState.Down, control.Trouble?.Message ?? "The control state has not been read yet.") { IsNeeded = true }
        : new HealthReading("control", control.Trouble is null ? HealthState.Ok : HealthState.Degraded, control.Trouble?.Message);

    private IEnumerable<HealthReading> Endpoints() => bus.Status().Endpoints.Select(e => e.State switch
    {
        EndpointState.Taking when e.Held == 0 => new HealthReading($"{EndpointPrefix}{e.Name}", HealthState.Ok) { IsNeeded = true },
        EndpointState.Taking => new HealthReading($"{EndpointPrefix}{e.Name}", HealthState.Degraded, $"{e.Held} messages wait for a dependency: {e.Trouble}"),
        _ => new HealthReading($"{EndpointPrefix}{e.Name}", HealthState.Down, e.Trouble ?? $"It is {Snake(e.State.ToString())}.") { IsNeeded = true },
    });

    private IEnumerable<HealthReading> Breakers() => breakers.All.Select(b => new HealthReading(
        $"breaker-{b.Name}", b.State == BreakerState.Closed ? HealthState.Ok : HealthState.Degraded, b.State == BreakerState.Closed ? null : $"The circuit breaker is {Snake(b.State.ToString())}."));

    private static HealthReading Memory(ResourceUse use) => use.MemoryPercent <= MemoryPercentMax
        ? new HealthReading("memory", HealthState.Ok)
        : new HealthReading("memory", HealthState.Degraded, $"{use.MemoryPercent} % of the memory is taken.");

    private static IEnumerable<HealthReading> Ask(IHealthSource source)
    {
        try
        {
            return [.. source.Read()];
        }
        catch (Exception e)
        {
            return [new HealthReading(Snake(source.GetType().Name), HealthState.Degraded, $"It could not be asked: {e.Message}")];
        }
    }

    /// <summary>HalfOpen as half_open.</summary>
    private static string Snake(string name) => string.Concat(name.Select((c, i) => char.IsUpper(c) ? $"{(i == 0 ? "" : "_")}{char.ToLowerInvariant(c)}" : $"{c}"));
}
