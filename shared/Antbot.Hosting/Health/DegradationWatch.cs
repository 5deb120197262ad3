using System.Diagnostics.Metrics;
using Antbot.Runtime.Control;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting.Health;

/// <summary>The level this process is at, looked at every second; and the metrics of level, control state, health and leases.</summary>
internal sealed class DegradationWatch : IDegradation, IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EveryAtStart = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan CalmFor = TimeSpan.FromSeconds(10);

    private readonly Meter _meter = new("Antbot.Health");
    private readonly HealthReport _report;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private readonly Lock _looking = new();
    private readonly long _began;
    private double? _readyAfter;
    private long _calmSince;

    public DegradationWatch(HealthReport report, ControlWatch control, LeaseKeeper leases, TimeProvider clock, ILogger<DegradationWatch> log)
    {
        (_report, _clock, _log, _began) = (report, clock, log, clock.GetTimestamp());
        _meter.CreateObservableGauge("trading_bot_degradation_level", () => (int)Level, description: "0 normal, 1 reduced, 2 minimal, 3 emergency.");
        _meter.CreateObservableGauge<double>("trading_bot_state_recovery_duration_seconds", () => _readyAfter is { } after ? [new Measurement<double>(after)] : Array.Empty<Measurement<double>>(), description: "From the start of this process until it was ready for the first time.");
        _meter.CreateObservableGauge("antbot_ready", () => report.NotReady().Count == 0 ? 1 : 0, description: "Whether this process is ready.");
        _meter.CreateObservableGauge(
            "antbot_health",
            () => report.Readings().GroupBy(r => r.Name, StringComparer.Ordinal).Select(g => new Measurement<int>((int)g.Max(r => r.State), new KeyValuePair<string, object?>("name", g.Key))),
            description: "0 ok, 1 degraded, 2 down.");
        _meter.CreateObservableGauge("antbot_control_activity", () => (int)report.InForce.Activity, description: "1 active, 2 reducing, 3 halted; what is in force in this process, and 2 while it recovers.");
        _meter.CreateObservableGauge("antbot_control_live", () => control.Known.State.Mode == Contracts.Events.TradingMode.Live ? 1 : 0, description: "1 where real orders may be sent.");
        _meter.CreateObservableGauge("antbot_control_maintenance", () => control.Known.State.Maintenance ? 1 : 0, description: "1 under maintenance.");
        _meter.CreateObservableGauge("antbot_lease_held", () => leases.Works.Select(w => new Measurement<int>(w.Holding ? 1 : 0, new KeyValuePair<string, object?>("lease", w.Name))), description: "Whether this process holds the lease.");
    }

    public DegradationLevel Level { get; private set; }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Look();
            await Task.Delay(_readyAfter is null ? EveryAtStart : Every, _clock, cancellationToken);
        }
    }

    public void Dispose() => _meter.Dispose();

    /// <summary>Worse at once; better only after it has been better for a while, so that it does not flutter.</summary>
    public void Look()
    {
        lock (_looking)
            LookOnce();
    }

    private void LookOnce()
    {
        var readings = _report.Readings();
        if (_readyAfter is null && !readings.Any(r => r is { IsNeeded: true, State: HealthState.Down }))
            _readyAfter = _clock.GetElapsedTime(_began).TotalSeconds;
        // What is not there yet is no loss: before it was ready once it is only starting.
        var level = _readyAfter is null ? DegradationLevel.Normal : HealthReport.LevelOf(readings);
        if (level >= Level)
            _calmSince = _clock.GetTimestamp();
        if (level == Level || (level < Level && _clock.GetElapsedTime(_calmSince) < CalmFor))
            return;
        var worst = readings.Where(r => r.Level != DegradationLevel.Normal).MaxBy(r => r.Level);
        _log.Log(level > Level ? LogLevel.Warning : LogLevel.Information, "The degradation level goes from {Before} to {Level}{Why}", Level, level, worst is null ? "" : $": {worst.Name}: {worst.Reason}");
        Level = level;
    }
}
