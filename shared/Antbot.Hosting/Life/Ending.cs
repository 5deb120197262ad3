using Antbot.Hosting.Telemetry;
using Antbot.Messaging;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting.Life;

/// <summary>
/// How this process ends: asked to, or because its bus is past help. It is told in the store and in the log, and at the deadline it
/// is forced. Registered between the bus and the background work, so that it stops after the one and before the other.
/// </summary>
internal sealed class Ending(
    PlatformOptions options, BusRunner bus, StoreKeeper store, ProcessLife life, PrometheusMetrics metrics, ProcessFigures process, IHostApplicationLifetime lifetime, Deadline deadline, TimeProvider clock, ILogger<Ending> log)
    : IHostedService
{
    private static readonly TimeSpan SayWithin = TimeSpan.FromSeconds(3);

    private string _reason = "asked to stop";
    private Task _started = Task.CompletedTask;

    public int ExitCode { get; private set; }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _started = RecordStartAsync(lifetime.ApplicationStopping);
        _ = WatchBusAsync();
        lifetime.ApplicationStopping.Register(() =>
        {
            log.LogInformation("Stopping, within {Seconds} s: {Reason}", options.ShutdownSeconds, _reason);
            deadline.Begin(options.ShutdownSeconds, () => ExitCode);
        });
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        log.LogInformation(
            "Stopped in order after {Uptime}: {Handled} messages handled, {Dead} dead-lettered, {Published} published, {Events} events recorded",
            clock.GetUtcNow().UtcDateTime - process.StartedAt, metrics.Sum("antbot_messages_handled_total"), metrics.Sum("antbot_messages_dead_lettered_total"),
            metrics.Sum("antbot_messages_published_total"), metrics.Sum("antbot_events_recorded_total"));
        if (!store.IsOpen)
            return;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(SayWithin);
        try
        {
            await _started.WaitAsync(limit.Token);
            await life.StoppedAsync(_reason, limit.Token).WaitAsync(limit.Token);
        }
        catch (Exception e)
        {
            log.LogWarning("The end could not be recorded; it will look like a crash: {Reason}", e.Message);
        }
    }

    private async Task RecordStartAsync(CancellationToken stop)
    {
        try
        {
            await store.Open.WaitAsync(stop);
            while (true)
            {
                try
                {
                    await life.StartedAsync(stop);
                    return;
                }
                catch (Runtime.Store.EventStoreException)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), clock, stop);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // Stopped before the store ever answered.
        }
    }

    private async Task WatchBusAsync()
    {
        var why = await bus.Hopeless;
        (ExitCode, _reason) = (ExitCodes.BusHangs, why);
        lifetime.StopApplication();
    }
}
