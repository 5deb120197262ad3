using System.Diagnostics.Metrics;
using System.Globalization;
using Antbot.EventStore;
using Antbot.Forensics;
using Antbot.Hosting;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.ConsoleService;

/// <summary>Says how fast the store grows, and long before there is no room left for it.</summary>
public sealed class GrowthWatch : IDisposable
{
    private static readonly TimeSpan Every = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Again = TimeSpan.FromMinutes(1);

    /// <summary>It goes on for days: told anew after this, it is another time that it happens.</summary>
    private static readonly TimeSpan OneIncident = TimeSpan.FromDays(1);

    private readonly Meter _meter = new("Antbot.Console");
    private readonly IEventStore _store;
    private readonly IStoreSize _size;
    private readonly IIncidents _incidents;
    private readonly ConsoleOptions _options;
    private readonly TimeProvider _clock;
    private readonly ILogger<GrowthWatch> _log;
    private Growth? _growth;

    public GrowthWatch(IEventStore store, PlatformOptions platform, IIncidents incidents, ConsoleOptions options, TimeProvider clock, ILogger<GrowthWatch> log)
    {
        ArgumentNullException.ThrowIfNull(platform);
        (_store, _size, _incidents, _options, _clock, _log) = (store, StoreAddress.OpenSize(platform.Store), incidents, options, clock, log);
        Show("antbot_store_bytes", g => g.Bytes, "How large the store is.");
        Show("antbot_store_room_bytes", g => g.RoomBytes, "How much larger it may become, where that is known.");
        Show("antbot_store_bytes_per_day", g => g.BytesPerDay, "How fast it grows, by the last seven days.");
        Show("antbot_store_days_left", g => g.DaysLeft, "For how long there is room, as it grows now.");
    }

    /// <summary>Null before the first look.</summary>
    public Growth? Last => Volatile.Read(ref _growth);

    public HealthReading Health => Last switch
    {
        // It is told while there is time: nothing trades less for it.
        { DaysLeft: { } days } growth when days < _options.StoreDaysMin => new HealthReading(
            "store-growth", HealthState.Degraded, $"There is room for {days:0.#} days more: {growth.Bytes / 1e9:0.##} GB, {growth.BytesPerDay / 1e9:0.###} GB a day, {growth.RoomBytes / 1e9:0.##} GB left.") { Level = DegradationLevel.Normal },
        { RoomBytes: 0 } growth => new HealthReading("store-growth", HealthState.Degraded, $"There is no room left for more than its {growth.Bytes / 1e9:0.##} GB.") { Level = DegradationLevel.Normal },
        _ => new HealthReading("store-growth", HealthState.Ok),
    };

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var pause = Every;
            try
            {
                var now = _clock.GetUtcNow().Cut();
                Volatile.Write(ref _growth, await Growth.OfAsync(_store, await _size.ReadAsync(cancellationToken), _options.StoreBytesMax is > 0 and var most ? most : null, now, cancellationToken));
                if (Health is { State: not HealthState.Ok, Reason: { } reason })
                    await _incidents.RaiseAsync(new IncidentAlert(DeterministicId.From("store-growth", now.ToString("O", CultureInfo.InvariantCulture)), "store-growth", reason, now, OneIncident), cancellationToken);
            }
            catch (EventStoreException e)
            {
                _log.LogWarning("How fast the store grows is not known: {Reason}", e.Message);
                pause = Again;
            }
            await Task.Delay(pause, _clock, cancellationToken);
        }
    }

    public void Dispose() => _meter.Dispose();

    private void Show(string name, Func<Growth, double?> figure, string what) =>
        _meter.CreateObservableGauge(name, () => Last is { } growth && figure(growth) is { } value ? [new Measurement<double>(value)] : Array.Empty<Measurement<double>>(), description: what);
}
