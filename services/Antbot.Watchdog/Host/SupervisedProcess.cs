using System.ComponentModel;
using System.Diagnostics;
using Antbot.Hosting;
using Antbot.Watchdog.Core;

namespace Antbot.Watchdog;

/// <summary>One process, started again whenever it ends, until it is told to stop. It ends in order when we are gone.</summary>
public sealed class SupervisedProcess : IAsyncDisposable
{
    private const int NotStarted = -1;
    private const long LogBytesMax = 32 * 1024 * 1024;

    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(40);

    private readonly CancellationTokenSource _stop = new();
    private readonly Func<ProcessStartInfo> _start;
    private readonly RotatingFile _file;
    private readonly LineWriter _log;
    private readonly LineWriter _report;
    private readonly Action _changed;
    private Task _keeping = Task.CompletedTask;

    /// <param name="changed">Called whenever it has begun or ended.</param>
    public SupervisedProcess(string name, Func<ProcessStartInfo> start, string logFile, LineWriter report, Action changed)
    {
        (Name, _start, LogFile, _report, _changed) = (name, start, logFile, report, changed);
        _file = new RotatingFile(logFile, LogBytesMax);
        _log = new LineWriter(_file.Write);
    }

    public string Name { get; }

    public string LogFile { get; }

    public int Starts { get; private set; }

    public int? ProcessId { get; private set; }

    /// <summary>Why it is not started again; null while it is.</summary>
    public string? GivenUp { get; private set; }

    public void Start() => _keeping = KeepAsync(_stop.Token);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _keeping;
        _file.Dispose();
        _stop.Dispose();
    }

    private async Task KeepAsync(CancellationToken cancellationToken)
    {
        var state = RestartState.Initial;
        while (!cancellationToken.IsCancellationRequested)
        {
            var began = Stopwatch.GetTimestamp();
            var code = await TryRunOnceAsync(cancellationToken);
            if (cancellationToken.IsCancellationRequested)
                return;
            switch (RestartPolicy.Decide(state, new ProcessEnd(code, Stopwatch.GetElapsedTime(began))))
            {
                case Restart.After after:
                    state = after.State;
                    _report.Write($"! {Name} ended with {code} and is started again in {after.Pause.TotalSeconds:0.#} s; its log: {LogFile}");
                    await Task.Delay(after.Pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                    break;
                case Restart.Never never:
                    GivenUp = never.Reason;
                    _report.Write($"! {Name} ended with {code} and is not started again: {never.Reason}; its log: {LogFile}");
                    return;
                default:
                    throw new InvalidOperationException("A process is started again or it is not.");
            }
        }
    }

    /// <summary>What cannot be started now, because a disk is full or processes are too many, is tried again like what has died.</summary>
    private async Task<int> TryRunOnceAsync(CancellationToken cancellationToken)
    {
        try
        {
            return await RunOnceAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            _report.Write($"! {Name} cannot be started: {e.Message}");
            return NotStarted;
        }
    }

    private async Task<int> RunOnceAsync(CancellationToken cancellationToken)
    {
        var info = _start();
        info.Environment[ParentWatch.Variable] = "true";
        info.RedirectStandardInput = info.RedirectStandardOutput = info.RedirectStandardError = true;
        info.UseShellExecute = false;
        using var process = Process.Start(info) ?? throw new InvalidOperationException($"{Name} could not be started.");
        ProcessId = process.Id;
        Starts++;
        _changed();
        process.OutputDataReceived += (_, e) => Log(e.Data);
        process.ErrorDataReceived += (_, e) => Log(e.Data);
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
        ProcessId = null;
        _changed();
        return process.ExitCode;
    }

    /// <summary>The closed pipe asks for an orderly end on every system.</summary>
    private async Task EndAsync(Process process)
    {
        process.StandardInput.Close();
        using var limit = new CancellationTokenSource(EndLimit);
        try
        {
            await process.WaitForExitAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            _report.Write($"! {Name} had not ended {EndLimit.TotalSeconds:0} s after it was asked to, and was killed");
            process.Kill(entireProcessTree: true);
            await process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private void Log(string? line)
    {
        if (line is not null)
            _log.Write(line);
    }
}
