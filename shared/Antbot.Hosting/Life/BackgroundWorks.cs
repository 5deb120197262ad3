using Antbot.Messaging;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting;

/// <summary>
/// Starts all background work, and stops it group by group; endpoints stop taking messages with the first. What falls over is
/// started again, and logged. The bus and the store end after it.
/// </summary>
public sealed class BackgroundWorks(IEnumerable<BackgroundWork> works, BusRunner bus, IServiceProvider provider, TimeProvider clock, ILogger<BackgroundWorks> log) : IHostedService
{
    private static readonly TimeSpan RestartMin = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan RestartMax = TimeSpan.FromSeconds(30);

    private readonly SortedDictionary<StopOrder, (CancellationTokenSource Stop, List<(string Name, Task Task)> Running)> _groups = [];

    public Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (var group in works.GroupBy(w => w.Stop))
        {
            var stop = new CancellationTokenSource();
            _groups[group.Key] = (stop, [.. group.Select(w => (w.Name, Task.Run(() => KeepRunningAsync(w, stop.Token), CancellationToken.None)))]);
        }
        return Task.CompletedTask;
    }

    /// <param name="cancellationToken">The deadline: when it has passed each group is still told to stop, and none is waited for.</param>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        var endpoints = bus.StopTakingAsync(cancellationToken);
        if (!_groups.ContainsKey(StopOrder.Intake))
            _groups[StopOrder.Intake] = (new CancellationTokenSource(), []);
        foreach (var (order, (stop, running)) in _groups)
        {
            if (order == StopOrder.Intake)
                running.Add(("bus endpoints", endpoints));
            await stop.CancelAsync();
            await EndAsync(order, running, cancellationToken);
        }
    }

    private async Task EndAsync(StopOrder order, List<(string Name, Task Task)> running, CancellationToken deadline)
    {
        var all = Task.WhenAll(running.Select(r => r.Task));
        await all.WaitAsync(deadline).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (running.Where(r => !r.Task.IsCompletedSuccessfully).Select(r => r.Name).ToList() is { Count: > 0 } late)
            log.LogError("Of the group {Group} {Late} had not ended by the deadline", order, string.Join(", ", late));
        else
            log.LogInformation("Stopped: the group {Group}, {Count} pieces", order, running.Count);
    }

    private async Task KeepRunningAsync(BackgroundWork work, CancellationToken cancellationToken)
    {
        using var scope = log.BeginScope(new Dictionary<string, object?>(StringComparer.Ordinal) { ["work"] = work.Name });
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
