using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace Antbot.Integration.Tests;

/// <summary>A worker in a process of its own. What it says is collected line by line; it ends when this is disposed, or when this process dies.</summary>
internal sealed class StoreWorkerProcess : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);

    private readonly Process _process;
    private readonly ConcurrentQueue<Guid> _acknowledged = new();
    private readonly ConcurrentQueue<string> _faults = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly SemaphoreSlim _news = new(0);
    private readonly Task _reading;
    private volatile bool _ready;
    private volatile bool _ended;

    private StoreWorkerProcess(Process process)
    {
        _process = process;
        _reading = Task.WhenAll(ReadAsync(), ReadErrorsAsync());
    }

    /// <summary>Every event whose append it was answered, in the order it said so.</summary>
    public IReadOnlyCollection<Guid> Acknowledged => _acknowledged;

    public IReadOnlyCollection<string> Faults => _faults;

    /// <param name="wrapper">A command that runs the worker under other conditions, such as without a privilege.</param>
    public static StoreWorkerProcess Start(string engine, string store, int callers, string prefix, params string[] wrapper)
    {
        var dotnet = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        string[] command = [.. wrapper, dotnet, Path.Combine(AppContext.BaseDirectory, "Antbot.Testing.StoreWorker.dll"), engine, store, $"{callers}", prefix];
        var start = new ProcessStartInfo(command[0], command[1..]) { UseShellExecute = false, RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        return new StoreWorkerProcess(Process.Start(start)!);
    }

    public Task ReadyAsync() => WaitAsync(() => _ready, "it is not ready");

    public Task AcknowledgedAsync(int count) => WaitAsync(() => _acknowledged.Count >= count, $"it did not come to {count} events");

    public Task FaultsAsync(int count) => WaitAsync(() => _faults.Count >= count, $"it did not meet {count} faults");

    public async Task SayAsync(string line)
    {
        await _process.StandardInput.WriteLineAsync(line);
        await _process.StandardInput.FlushAsync();
    }

    /// <summary><c>STOP</c> freezes it where it stands, <c>CONT</c> lets it go on.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        await kill.WaitForExitAsync();
        Assert.Equal(0, kill.ExitCode);
    }

    /// <summary><c>kill -9</c>. What it had said before then is still read.</summary>
    public async Task KillAsync()
    {
        _process.Kill();
        await EndAsync();
    }

    /// <summary>Lets it finish what it is at, and end.</summary>
    public async Task StopAsync()
    {
        _process.StandardInput.Close();
        Assert.Equal(0, await EndAsync());
    }

    /// <summary>Waits until it has ended by itself, and gives its exit code.</summary>
    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync().WaitAsync(WaitMax);
        await _reading.WaitAsync(WaitMax);
        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
            await EndAsync();
        }
        _process.Dispose();
        _news.Dispose();
    }

    private async Task WaitAsync(Func<bool> done, string otherwise)
    {
        var since = Stopwatch.GetTimestamp();
        while (!done())
        {
            Assert.False(_ended, $"{otherwise}, and it has ended: {Said()}");
            var left = WaitMax - Stopwatch.GetElapsedTime(since);
            Assert.True(left > TimeSpan.Zero && await _news.WaitAsync(left), $"{otherwise} within {WaitMax.TotalSeconds} s: {Said()}");
        }
    }

    private string Said() => $"{_acknowledged.Count} events; {string.Join(" | ", _faults.TakeLast(3).Concat(_errors.TakeLast(5)))}";

    private async Task ReadAsync()
    {
        while (await _process.StandardOutput.ReadLineAsync() is { } line)
        {
            // The last line of a killed process may be cut off: what it did not finish saying, it did not acknowledge.
            if (line.StartsWith("ack ", StringComparison.Ordinal) && Guid.TryParseExact(line[4..], "D", out var id))
                _acknowledged.Enqueue(id);
            else if (line.StartsWith("fault ", StringComparison.Ordinal))
                _faults.Enqueue(line["fault ".Length..]);
            else if (line == "ready")
                _ready = true;
            _news.Release();
        }
        _ended = true;
        _news.Release();
    }

    private async Task ReadErrorsAsync()
    {
        while (await _process.StandardError.ReadLineAsync() is { } line)
            _errors.Enqueue(line);
    }
}
