using System.Diagnostics;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>Less of the machine than is needed, by means that need no rights: the runtime's own limit of its heap, and signals in quick succession.</summary>
internal static class Scarcity
{
    private const double Seconds = 30;
    private const double Part = 0.95;

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    public static async Task MemoryAsync(Scene scene)
    {
        var services = Programs.Services.Select(s => scene.Target[s]).ToList();
        var limits = new List<string>();
        foreach (var service in services)
        {
            var used = await scene.Services.GaugeAsync(service.Name, "dotnet_gc_heap_bytes", scene.Cancel);
            service.Extra = new Dictionary<string, string>(StringComparer.Ordinal) { ["DOTNET_GCHeapHardLimit"] = $"0x{(long)(used / Part):x}" };
            limits.Add($"{service.Name} {used / Part / (1 << 20):0}");
            await RestartAsync(scene, service);
        }
        scene.Note($"limits in MB: {string.Join(", ", limits)}");
        await scene.WaitAsync(Seconds);
        foreach (var service in services)
        {
            service.Extra = new Dictionary<string, string>(StringComparer.Ordinal);
            await RestartAsync(scene, service);
        }
        await Task.WhenAll(services.Select(s => scene.ReadyAsync(s.Name)));
    }

    /// <summary>Each runs for a tenth of the time, each in a tenth of its own.</summary>
    public static async Task ProcessorAsync(Scene scene)
    {
        var services = Programs.Services.Select(s => scene.Target[s]).ToList();
        var began = Stopwatch.GetTimestamp();
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
    }

    private static async Task RestartAsync(Scene scene, Daemon service)
    {
        var starts = service.Starts;
        service.Send(Signals.Kill);
        await scene.UntilAsync(() => service.Starts > starts, $"{service.Name} is started again");
    }
}
