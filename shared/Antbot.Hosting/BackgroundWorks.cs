using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting;

/// <summary>Starts all background work, and stops it group by group. What falls over is started again, and logged.</summary>
public sealed class BackgroundWorks(IEnumerable<BackgroundWork> works, IServiceProvider provider, TimeProvider clock, ILogger<BackgroundWorks> log) : IHostedService
{
    private static readonly TimeSpan RestartMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RestartMax = TimeSpan.FromSeconds(30);

    private readonly SortedDictionary<StopOrder, (CancellationTokenSource Stop, List<Task> Running)> _groups = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var group in works.GroupBy(w => w.Stop))
        {
            var stop = new CancellationTokenSource();
            _groups[group.Key] = (stop, [.. group.Select(w => Task.Run(() => KeepRunningAsync(w, stop.Token), CancellationToken.None))]);
        }
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var (order, (stop, running)) in _groups)
        {
            await stop.CancelAsync();
            await Task.WhenAll(running).WaitAsync(cancellationToken);
            log.LogInformation("Background work of the group {Group} has ended: {Count} pieces", order, running.Count);
            stop.Dispose();
        }
        _groups.Clear();
    }

    private async Task KeepRunningAsync(BackgroundWork work, CancellationToken cancellationToken)
    {
        var pause = RestartMin;
        while (!cancellationToken.IsCancellationRequested)
        {
            var started = clock.GetTimestamp();
            try
            {
                await work.Run(provider, cancellationToken);
                if (!cancellationToken.IsCancellationRequested)
                    log.LogError("{Work} ended although nobody asked it to; it is started again", work.Name);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                log.LogError(e, "{Work} failed and is started again in {Pause}", work.Name, pause);
            }
            await Task.Delay(pause, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = clock.GetElapsedTime(started) > RestartMax ? RestartMin : TimeSpan.FromTicks(Math.Min(pause.Ticks * 2, RestartMax.Ticks));
        }
    }
}
