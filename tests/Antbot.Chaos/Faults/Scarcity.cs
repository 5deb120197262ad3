using System.Diagnostics;
using System.Globalization;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>Less of the machine than is needed, by means that need no rights: the runtime's own limit of its heap, and signals in quick succession.</summary>
internal static class Scarcity
{
    private const double Seconds = 30;
    private const double Settled = 10;
    private const double Part = 0.95;

    /// <summary>A tenth, and what a signal that comes late leaves it.</summary>
    private const double PartMax = 0.2;

    private const double FilledMin = 0.8;
    private const double TicksPerSecond = 100;
    private const string Heap = "dotnet_gc_heap_bytes";
    private const string Limit = "DOTNET_GCHeapHardLimit";

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// What a process takes that could have more is mostly what it has not cleared away yet. So it is limited twice: by what it takes without a limit,
    /// and by what it takes then.
    /// </summary>
    public static async Task MemoryAsync(Scene scene)
    {
        var services = Programs.Services.Select(s => scene.Target[s]).ToList();
        await RestartAsync(scene, services, _ => 0);
        await RestartAsync(scene, services, await TakenAsync(scene, services, Settled));
        await RestartAsync(scene, services, await TakenAsync(scene, services, Settled));
        scene.Note($"limits in MB: {string.Join(", ", services.Select(s => string.Create(CultureInfo.InvariantCulture, $"{s.Name} {LimitOf(s) / (1 << 20):0.0}")))}");
        var (deaths, taken) = (services.Sum(s => s.Deaths), await TakenAsync(scene, services, Seconds));
        var fullest = services.ToDictionary(s => s.Name, s => taken(s) / LimitOf(s), StringComparer.Ordinal);
        scene.Note($"the fullest in parts of their limits: {string.Join(", ", fullest.Select(f => $"{f.Key} {f.Value:P0}"))}; {services.Sum(s => s.Deaths) - deaths} of them ended for want of memory");
        if (fullest.Values.Max() < FilledMin)
            scene.Fault("nobody came near his limit: the case says nothing");
        await RestartAsync(scene, services, _ => 0);
        scene.Healed();
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

    /// <summary>What each has taken at most, looked at all the time.</summary>
    private static async Task<Func<Daemon, double>> TakenAsync(Scene scene, List<Daemon> services, double seconds)
    {
        var most = services.ToDictionary(s => s.Name, _ => 0.0, StringComparer.Ordinal);
        for (var began = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(began).TotalSeconds < seconds; await Task.Delay(Look, scene.Cancel))
        {
            foreach (var service in services)
            {
                if (service.ProcessId is not null && await scene.Services.TryGaugeAsync(service.Name, Heap, scene.Cancel) is { } used)
                    most[service.Name] = Math.Max(most[service.Name], used);
            }
        }
        return service => most[service.Name] is > 0 and var taken ? taken : throw new ChaosException($"{service.Name} does not say what its heap takes.");
    }

    private static double LimitOf(Daemon service) => Convert.ToInt64(service.Extra[Limit], 16);

    /// <summary>All of them, and hardly more than they take is what they may have from then on; without a limit where that is nothing.</summary>
    private static async Task RestartAsync(Scene scene, List<Daemon> services, Func<Daemon, double> taken)
    {
        foreach (var service in services)
        {
            service.Extra = taken(service) is > 0 and var most
                ? new Dictionary<string, string>(StringComparer.Ordinal) { [Limit] = $"0x{(long)(most / Part):x}" }
                : new Dictionary<string, string>(StringComparer.Ordinal);
            var starts = service.Starts;
            service.Send(Signals.Kill);
            await scene.UntilAsync(() => service.Starts > starts, $"{service.Name} is started again");
        }
        await Task.WhenAll(services.Select(s => scene.ReadyAsync(s.Name)));
    }
}
