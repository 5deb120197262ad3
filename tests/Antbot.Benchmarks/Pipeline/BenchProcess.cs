using System.Diagnostics;
using System.Globalization;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>One process under measurement: what it has used of the processor and what it holds in memory.</summary>
internal sealed class BenchProcess : IAsyncDisposable
{
    private const double TicksPerSecond = 100;

    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(45);

    private readonly Process? _process;
    private readonly int _id;

    private BenchProcess(string name, int id, Process? process) => (Name, _id, _process) = (name, id, process);

    public string Name { get; }

    public bool HasEnded => _process is { HasExited: true };

    /// <summary>One that somebody else started and ends: a server.</summary>
    public static BenchProcess Watch(string name, int id) => new(name, id, process: null);

    /// <summary>Its output goes into the file by itself, at no cost to who measures.</summary>
    public static BenchProcess Start(string name, string program, IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment, string log)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "log=$1; shift; exec \"$@\" >>\"$log\" 2>&1 </dev/null", "bench", log, "dotnet", program, .. arguments]) { UseShellExecute = false };
        foreach (var old in start.Environment.Keys.Where(k => k.StartsWith("ANTBOT_", StringComparison.Ordinal) || k.StartsWith("OTEL_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(old);
        foreach (var (key, value) in environment)
            start.Environment[key] = value;
        var process = Process.Start(start) ?? throw new InvalidOperationException($"{name} could not be started.");
        return new BenchProcess(name, process.Id, process);
    }

    /// <summary>Its own and its children's, those that have ended included.</summary>
    public TimeSpan Processor() => TimeSpan.FromSeconds(Ticks(_id) / TicksPerSecond);

    public long Resident()
    {
        foreach (var line in File.ReadLines($"/proc/{_id}/status"))
        {
            if (line.StartsWith("VmRSS:", StringComparison.Ordinal))
                return long.Parse(line.AsSpan(6).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture) * 1024;
        }
        return 0;
    }

    public async Task KillAsync()
    {
        _process!.Kill();
        await _process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
        {
            using (var kill = Process.Start("kill", ["-TERM", _id.ToString(CultureInfo.InvariantCulture)]))
                await kill.WaitForExitAsync();
            using var limit = new CancellationTokenSource(EndWithin);
            await _process.WaitForExitAsync(limit.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!_process.HasExited)
                _process.Kill();
        }
        _process.Dispose();
    }

    private static double Ticks(int id)
    {
        var fields = Fields(id);
        if (fields.Length == 0)
            return 0;
        // User and system time, and that of children that were waited for.
        var own = fields.Skip(11).Take(4).Sum(f => double.Parse(f, CultureInfo.InvariantCulture));
        return own + Children(id).Sum(Ticks);
    }

    private static IEnumerable<int> Children(int id)
    {
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var other) && Fields(other) is { Length: > 1 } fields
                && fields[1] == id.ToString(CultureInfo.InvariantCulture))
            {
                yield return other;
            }
        }
    }

    /// <summary>After the name, which may hold spaces: the state, the parent, and so on. Empty where it is gone.</summary>
    private static string[] Fields(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }
}
