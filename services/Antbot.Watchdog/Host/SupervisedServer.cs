using System.Diagnostics;
using Antbot.Watchdog.Core;

namespace Antbot.Watchdog;

/// <summary>A server that dies is started again on its data, as services are; they wait for it meanwhile.</summary>
public sealed class SupervisedServer : IAsyncDisposable
{
    private const int Died = -1;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);

    private readonly CancellationTokenSource _stop = new();
    private readonly Task _keeping;

    private SupervisedServer(string name, Func<CancellationToken, Task<bool>> isRunning, Func<CancellationToken, Task> startAgain, LineWriter report, Action changed) =>
        _keeping = KeepAsync(name, isRunning, startAgain, report, changed, _stop.Token);

    public static SupervisedServer Watch(string name, Func<CancellationToken, Task<bool>> isRunning, Func<CancellationToken, Task> startAgain, LineWriter report, Action changed) =>
        new(name, isRunning, startAgain, report, changed);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _keeping.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private static async Task KeepAsync(
        string name, Func<CancellationToken, Task<bool>> isRunning, Func<CancellationToken, Task> startAgain, LineWriter report, Action changed, CancellationToken cancellationToken)
    {
        var state = RestartState.Initial;
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            await Task.Delay(Look, cancellationToken);
            try
            {
                if (await isRunning(cancellationToken))
                    continue;
                var restart = RestartPolicy.Decide(state, new ProcessEnd(Died, Stopwatch.GetElapsedTime(began)));
                state = restart.State;
                var pause = restart is Restart.After after ? after.Pause : RestartPolicy.PauseMax;
                report.Write($"! {name} has ended and is started again in {pause.TotalSeconds:0.#} s");
                await Task.Delay(pause, cancellationToken);
                began = Stopwatch.GetTimestamp();
                await startAgain(cancellationToken);
                changed();
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                // Whatever it was: who looks no more never starts it again.
                report.Write($"! {name}: {e.Message}");
            }
        }
    }
}
