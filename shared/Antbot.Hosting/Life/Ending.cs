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
    PlatformOptions options, BusRunner bus, StoreKeeper store, ProcessLife life, PrometheusMetrics metrics, ProcessFigures process, IHostApplicationLifetime lifetime, TimeProvider clock, ILogger<Ending> log)
    : IHostedService
{
    private static readonly TimeSpan SayWithin = TimeSpan.FromSeconds(3);

    /// <summary>For the ends of what the host stops last: containers, sockets, the log's last lines.</summary>
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(3);

    private readonly CancellationTokenSource _ended = new();
    private string _reason = "asked to stop";
    private Task _started = Task.CompletedTask;
    private long? _stopping;

    public int ExitCode { get; private set; }

    /// <summary>An end was asked for, and its deadline has passed.</summary>
    public bool IsLate => _stopping is { } began && clock.GetElapsedTime(began) >= TimeSpan.FromSeconds(options.ShutdownSeconds);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _started = RecordStartAsync(lifetime.ApplicationStopping);
        _ = WatchBusAsync();
        // Who hosts this within another program goes on when the host has stopped.
        lifetime.ApplicationStopped.Register(Done);
        lifetime.ApplicationStopping.Register(() =>
        {
            _stopping = clock.GetTimestamp();
            log.LogInformation("Stopping, within {Seconds} s: {Reason}", options.ShutdownSeconds, _reason);
            // A thread of its own: whatever keeps the process may keep the pool.
            new Thread(Force) { IsBackground = true, Name = "deadline" }.Start();
        });
        return Task.CompletedTask;
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        log.LogInformation(
            "Stopped {How} after {Uptime}: {Handled} messages handled, {Dead} dead-lettered, {Published} published, {Events} events recorded",
            cancellationToken.IsCancellationRequested ? "at the deadline" : "in order", clock.GetUtcNow().UtcDateTime - process.StartedAt, metrics.Sum("antbot_messages_handled_total"), metrics.Sum("antbot_messages_dead_lettered_total"),
            metrics.Sum("antbot_messages_published_total"), metrics.Sum("antbot_events_recorded_total"));
        if (!store.IsOpen)
            return;
        // Also when the deadline has passed: an end that is not recorded looks like a crash.
        using var limit = new CancellationTokenSource(SayWithin);
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

    /// <summary>The host is done; nothing has to be forced any more.</summary>
    public void Done() => _ended.Cancel();

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

    private void Force()
    {
        if (_ended.Token.WaitHandle.WaitOne(TimeSpan.FromSeconds(options.ShutdownSeconds) + Grace))
            return;
        Console.Error.WriteLine($"antbot: it had not ended {options.ShutdownSeconds} s after it was asked to; it is ended by force.");
        Environment.Exit(ExitCode == ExitCodes.Ok ? ExitCodes.Forced : ExitCode);
    }
}
