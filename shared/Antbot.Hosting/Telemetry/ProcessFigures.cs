using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Globalization;

namespace Antbot.Hosting.Telemetry;

/// <param name="MemoryPercent">Of the machine, or of the container where that has a limit of its own.</param>
/// <param name="CpuPercent">Of all cores, since the figure was last asked for.</param>
internal sealed record ResourceUse(double MemoryPercent, double CpuPercent, double DiskPercent, long ResidentBytes);

/// <summary>What this process takes of its machine.</summary>
internal sealed class ProcessFigures : IDisposable
{
    private readonly Meter _meter = new("Antbot.Process");
    private readonly Lock _lock = new();
    private readonly string _disk;
    private long _askedAt = Stopwatch.GetTimestamp();
    private TimeSpan _cpu = Environment.CpuUsage.TotalTime;
    private double _cpuPercent;

    /// <param name="disk">A folder on the disk that matters.</param>
    public ProcessFigures(string disk, TimeProvider clock)
    {
        _disk = disk;
        StartedAt = Process.GetCurrentProcess().StartTime.ToUniversalTime();
        _meter.CreateObservableGauge("process_resident_memory_bytes", () => Environment.WorkingSet, description: "Memory of this process.");
        _meter.CreateObservableCounter("process_cpu_seconds_total", () => Environment.CpuUsage.TotalTime.TotalSeconds, description: "Processor time of this process.");
        _meter.CreateObservableGauge("process_start_time_seconds", () => new DateTimeOffset(StartedAt).ToUnixTimeSeconds(), description: "When this process began.");
        _meter.CreateObservableGauge("antbot_clock_seconds", () => clock.GetUtcNow().ToUnixTimeMilliseconds() / 1_000.0, description: "What time this process takes it to be, in seconds since 1970: beside others' it tells whose clock goes wrong.");
        _meter.CreateObservableGauge("dotnet_gc_heap_bytes", () => GC.GetTotalMemory(forceFullCollection: false), description: "Memory that objects take.");
        _meter.CreateObservableCounter("dotnet_gc_pause_seconds_total", () => GC.GetTotalPauseDuration().TotalSeconds, description: "Time that collections stopped everything.");
        _meter.CreateObservableCounter(
            "dotnet_gc_collections_total",
            () => Enumerable.Range(0, GC.MaxGeneration + 1).Select(g => new Measurement<long>(GC.CollectionCount(g), new KeyValuePair<string, object?>("generation", g))),
            description: "Collections.");
        _meter.CreateObservableGauge("dotnet_threadpool_queue_length", () => ThreadPool.PendingWorkItemCount, description: "Work that waits for a thread.");
        _meter.CreateObservableGauge("dotnet_threadpool_threads", () => ThreadPool.ThreadCount, description: "Threads of the pool.");
    }

    public DateTime StartedAt { get; }

    public ResourceUse Read()
    {
        lock (_lock)
        {
            var (now, cpu) = (Stopwatch.GetTimestamp(), Environment.CpuUsage.TotalTime);
            var passed = Stopwatch.GetElapsedTime(_askedAt, now);
            if (passed >= TimeSpan.FromSeconds(1))
            {
                _cpuPercent = (cpu - _cpu) / passed / Environment.ProcessorCount * 100;
                (_askedAt, _cpu) = (now, cpu);
            }
            return new ResourceUse(MemoryPercent(), Math.Round(_cpuPercent, 1), DiskPercent(), Environment.WorkingSet);
        }
    }

    public void Dispose() => _meter.Dispose();

    private static double MemoryPercent()
    {
        var limit = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        var own = limit > 0 ? Environment.WorkingSet * 100.0 / limit : 0;
        return Math.Round(Math.Max(own, MachinePercent() ?? 0), 1);
    }

    private static double? MachinePercent()
    {
        if (!OperatingSystem.IsLinux())
            return null;
        try
        {
            var lines = File.ReadLines("/proc/meminfo").Select(l => l.Split([':', ' '], StringSplitOptions.RemoveEmptyEntries)).Where(l => l.Length > 1)
                .ToDictionary(l => l[0], l => double.Parse(l[1], CultureInfo.InvariantCulture), StringComparer.Ordinal);
            return 100 - (lines["MemAvailable"] * 100 / lines["MemTotal"]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException or KeyNotFoundException)
        {
            return null;
        }
    }

    private double DiskPercent()
    {
        try
        {
            var drive = new DriveInfo(_disk);
            return drive.TotalSize == 0 ? 0 : Math.Round(100 - (drive.AvailableFreeSpace * 100.0 / drive.TotalSize), 1);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }
}
