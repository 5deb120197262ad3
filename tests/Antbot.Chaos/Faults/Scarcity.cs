using System.Diagnostics;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>Less of the machine than is needed, by means that need no rights: the runtime's own limit of its heap, and signals in quick succession.</summary>
internal static class Scarcity
{
    private const double Seconds = 30;
    private const double Settled = 5;
    private const double Part = 0.95;

    /// <summary>A tenth, and what a signal that comes late leaves it.</summary>
    private const double PartMax = 0.2;

    private const double FilledMin = 0.8;
    private const double TicksPerSecond = 100;
    private const string Heap = "dotnet_gc_heap_bytes";

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    public static async Task MemoryAsync(Scene scene)
    {
        var services = Programs.Services.Select(s => scene.Target[s]).ToList();
        var limits = new List<string>();
        // What has run for long has grown into room that it does not need: a limit by that would be none.
        foreach (var service in services)
            await RestartAsync(scene, service);
        await Task.WhenAll(services.Select(s => scene.ReadyAsync(s.Name)));
        await scene.WaitAsync(Settled);
        foreach (var service in services)
        {
            var used = await HeapAsync(scene, service);
            service.Extra = new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_GCHeapHardLimit"] = $"0x{(long)(used / Part):x}" };
            limits.Add($"{service.Name} {used / Part / (1 << 20):0}");
            await RestartAsync(scene, service);
        }
        scene.Note($"limits in MB: {string.Join(", ", limits)}");
        await Task.WhenAll(services.Select(s => scene.ReadyAsync(s.Name)));
        var fullest = await FullestAsync(scene, services);
        scene.Note($"the fullest in parts of their limits: {string.Join(", ", fullest.Select(f => $"{f.Key} {f.Value:P0}"))}");
        if (fullest.Values.Max() < FilledMin)
            scene.Fault("nobody came near his limit: the case says nothing");
        foreach (var service in services)
        {
            service.Extra = new Dictionary<string, string>(StringComparer.Ordinal);
            await RestartAsync(scene, service);
        }
        scene.Healed();
        await Task.WhenAll(services.Select(s => scene.ReadyAsync(s.Name)));
    }

    /// <summary>Each runs for a tenth of the time, each in a tenth of its own.</summary>
    public static async Task ProcessorAsync(Scene scene)
    {
        var services = Programs.Services.Select(s => scene.Target[s]).ToList();
        var (began, used) = (Stopwatch.GetTimestamp(), services.ToDictionary(s => s.Name, s => s.Processor, StringComparer.Ordinal));
        try
        {
            for (var turn = 0; Stopwatch.GetElapsedTime(began).TotalSeconds < Seconds; turn++)
            {
                for (var i = 0; i < services.Count; i++)
                    services[i].Send(turn % 10 == i ? Signals.Continue : Signals.Stop);
                await Task.Delay(Period / 10, scene.Cancel);
            }
        }
        finally
        {
            foreach (var service in services)
                service.Send(Signals.Continue);
        }
        scene.Note($"used of a processor: {string.Join(", ", services.Select(s => $"{s.Name} {(s.Processor - used[s.Name]) / TicksPerSecond / Seconds:P0}"))}");
        foreach (var greedy in services.Where(s => (s.Processor - used[s.Name]) / TicksPerSecond / Seconds > PartMax))
            scene.Fault($"{greedy.Name} had more than it was to have");
    }

    /// <summary>What part of its limit each has filled at most, looked at all the time.</summary>
    private static async Task<Dictionary<string, double>> FullestAsync(Scene scene, List<Daemon> services)
    {
        var fullest = services.ToDictionary(s => s.Name, _ => 0.0, StringComparer.Ordinal);
        for (var second = 0; second < Seconds; second++)
        {
            await scene.WaitAsync(1);
            foreach (var service in services)
            {
                var limit = Convert.ToInt64(service.Extra["DOTNET_GCHeapHardLimit"], 16);
                if (service.ProcessId is not null && await scene.Services.TryGaugeAsync(service.Name, Heap, scene.Cancel) is { } used)
                    fullest[service.Name] = Math.Max(fullest[service.Name], used / limit);
            }
        }
        return fullest;
    }

    private static async Task<double> HeapAsync(Scene scene, Daemon service) =>
        await scene.Services.GaugeAsync(service.Name, Heap, scene.Cancel) ?? throw new ChaosException($"{service.Name} does not say what its heap takes.");

    private static async Task RestartAsync(Scene scene, Daemon service)
    {
        var starts = service.Starts;
        service.Send(Signals.Kill);
        await scene.UntilAsync(() => service.Starts > starts, $"{service.Name} is started again");
    }
}
