using System.Diagnostics;
using System.Globalization;

namespace Antbot.Chaos.Running;

/// <summary>One process of ours, started again a moment after it ends, as an orchestrator would, until it is told to stay down.</summary>
/// <param name="start">For each start anew: its environment may have changed.</param>
internal sealed class Daemon(string name, Func<ProcessStartInfo> start, string log) : IAsyncDisposable
{
    /// <summary>How a process ends that killed itself.</summary>
    private const int Killed = 128 + Signals.Kill;

    private const int InvalidConfiguration = 78;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(45);

    private readonly CancellationTokenSource _stop = new();
    private TaskCompletionSource _mayRun = Done();
    private Task _keeping = Task.CompletedTask;
    private volatile int _processId;

    public string Name { get; } = name;

    public string Log { get; } = log;

    public int Starts { get; private set; }

    /// <summary>Ends that nobody asked for in order.</summary>
    public int Deaths { get; private set; }

    /// <summary>What it dies of at its next starts, and how many of them.</summary>
    public (string Point, int Left) Crash { get; set; }

    /// <summary>Of its next starts alone.</summary>
    public IReadOnlyDictionary<string, string> Extra { get; set; } = new Dictionary<string, string>(StringComparer.Ordinal);

    public int? ProcessId => _processId > 0 ? _processId : null;

    /// <summary>By the kernel's word.</summary>
    public bool IsStopped => Stat() is [var state, ..] && state == "T";

    /// <summary>What it has used so far, in the kernel's ticks.</summary>
    public long Processor => Stat() is { Length: > 12 } fields ? long.Parse(fields[11], CultureInfo.InvariantCulture) + long.Parse(fields[12], CultureInfo.InvariantCulture) : 0;

    /// <summary>Why it is not started again; null while it is.</summary>
    public string? GivenUp { get; private set; }

    public void Start() => _keeping = KeepAsync(_stop.Token);

    /// <summary>False where it is not running at this moment.</summary>
    public bool Send(int signal) => ProcessId is { } id && Signals.Send(id, signal);

    /// <summary>Asks for an orderly end; it is started again, unless it is held down.</summary>
    public void EndInOrder() => Send(Signals.Terminate);

    public void HoldDown() => _mayRun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void LetRun() => _mayRun.TrySetResult();

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        LetRun();
        await _keeping;
        _stop.Dispose();
    }

    /// <summary>After the name, which may hold spaces: the state, the parent, and so on. Empty where it does not run.</summary>
    private string[] Stat()
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{_processId}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static TaskCompletionSource Done()
    {
        var done = new TaskCompletionSource();
        done.SetResult();
        return done;
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await _mayRun.Task;
            if (cancellationToken.IsCancellationRequested)
                return;
            var (armed, code) = (Crash.Left > 0, await RunOnceAsync(cancellationToken));
            if (cancellationToken.IsCancellationRequested)
                return;
            if (code == InvalidConfiguration)
            {
                GivenUp = $"its configuration is wrong: {Log}";
                return;
            }
            if (code != 0)
                Deaths++;
            // An end for another reason is no death at that point.
            if (armed && code == Killed)
                Crash = Crash with { Left = Crash.Left - 1 };
            await Task.Delay(Pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var info = start();
        foreach (var (key, value) in Extra)
            info.Environment[key] = value;
        if (Crash.Left > 0)
        {
            info.Environment["ANTBOT_TESTING"] = "true";
            info.Environment["ANTBOT_CRASH_AT"] = Crash.Point;
        }
        // It ends in order when we are gone, however that came.
        info.Environment["ANTBOT_STOP_WITH_PARENT"] = "true";
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        info.UseShellExecute = false;
        await using var file = new FileStream(Log, FileMode.Append, FileAccess.Write, FileShare.ReadWrite);
        await using var writer = TextWriter.Synchronized(new StreamWriter(file) { AutoFlush = true });
        using var process = Process.Start(info) ?? throw new InvalidOperationException($"{Name} could not be started.");
        _processId = process.Id;
        Starts++;
        process.OutputDataReceived += (_, e) => Write(writer, e.Data);
        process.ErrorDataReceived += (_, e) => Write(writer, e.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        try
        {
            await process.WaitForExitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await EndAsync(process);
        }
        _processId = 0;
        return process.ExitCode;
    }

    private static async Task EndAsync(Process process)
    {
        Signals.Send(process.Id, Signals.Continue);
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(EndLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private static void Write(TextWriter writer, string? line)
    {
        if (line is not null)
            writer.WriteLine(line);
    }
}
