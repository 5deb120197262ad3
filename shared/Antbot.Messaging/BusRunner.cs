using System.Collections.Immutable;
using System.Diagnostics.Metrics;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Health;
using MassTransit;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Antbot.Messaging;

/// <summary>
/// Keeps a bus up. Each time the broker has gone a new bus is made for it when it answers again: MassTransit's own way back may wait
/// for half a minute, or for ever. A bus that does not come up on a broker that answers ends the process.
/// </summary>
public sealed class BusRunner : IHostedService, IAsyncDisposable
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CountEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan LetGoWithin = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _stopTaking = new();
    private readonly TaskCompletionSource<string> _hopeless = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Lock _lock = new();
    private readonly BusOptions _options;
    private readonly ILoggerFactory _logs;
    private readonly ILogger _log;
    private readonly TimeProvider _clock;
    private readonly ImmutableArray<EndpointRunner> _endpoints;
    private readonly IReadOnlyList<string> _queues;
    private readonly Meter _meter = new($"{BusMeter.Name}.Runner");

    private TaskCompletionSource<LiveBus> _bus = NewBus();
    private volatile IReadOnlyDictionary<string, long> _waiting = ImmutableDictionary<string, long>.Empty;
    private volatile bool _declareAgain;
    private string? _trouble = "The bus has not been started yet.";
    private DateTimeOffset _since;
    private Task _run = Task.CompletedTask;
    private Task _taking = Task.CompletedTask;
    private int _disposed;

    public BusRunner(BusOptions options, EndpointCatalog catalog, IServiceProvider provider, IEnumerable<IDependencyProbe> probes, TimeProvider clock, ILoggerFactory logs)
    {
        (_options, _clock, _logs, _log) = (options, clock, logs, logs.CreateLogger<BusRunner>());
        _since = clock.GetUtcNow();
        var each = probes.ToList();
        _endpoints = [.. catalog.Names.Select(n => new EndpointRunner(n, options, catalog, provider, each, clock, _log))];
        _queues = [.. catalog.Names.SelectMany(Topology.QueuesOf), Topology.DeadLetters];
        _meter.CreateObservableGauge("antbot_bus_up", () => Status().IsUp ? 1 : 0, description: "Whether this process has a bus.");
        _meter.CreateObservableGauge("antbot_queue_messages", () => _waiting.Select(w => new Measurement<long>(w.Value, new KeyValuePair<string, object?>("queue", w.Key))), description: "Deliveries that wait in a queue: a message, or a parcel of several.");
        _meter.CreateObservableGauge("antbot_endpoint_taking", () => Status().Endpoints.Select(e => new Measurement<int>(e.State == EndpointState.Taking ? 1 : 0, new KeyValuePair<string, object?>("endpoint", e.Name))), description: "Whether an endpoint takes messages.");
        _meter.CreateObservableGauge("antbot_endpoint_held", () => Status().Endpoints.Select(e => new Measurement<int>(e.Held, new KeyValuePair<string, object?>("endpoint", e.Name))), description: "Messages that were taken and wait for a dependency.");
    }

    /// <summary>Completes, with the reason, when only a new process can help.</summary>
    public Task<string> Hopeless => _hopeless.Task;

    public BusStatus Status()
    {
        lock (_lock)
            return new BusStatus(_trouble is null, _trouble, _since, [.. _endpoints.Select(e => e.Status())], _waiting);
    }

    public Task StartAsync(CancellationToken cancellationToken)
    {
        _run = Task.Run(RunAsync, CancellationToken.None);
        return Task.CompletedTask;
    }

    /// <summary>No more messages are taken; returns when those under way are finished. Publishing goes on.</summary>
    public async Task StopTakingAsync(CancellationToken cancellationToken)
    {
        await _stopTaking.CancelAsync();
        Task taking;
        lock (_lock)
            taking = _taking;
        await taking.WaitAsync(cancellationToken);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StopTakingAsync(cancellationToken);
        }
        finally
        {
            await _stop.CancelAsync();
            await _run.WaitAsync(cancellationToken);
        }
    }

    public async ValueTask DisposeAsync()
    {
        // The container knows it by two names, and disposes of both.
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
            return;
        await _stop.CancelAsync();
        await _run;
        _meter.Dispose();
        _stop.Dispose();
        _stopTaking.Dispose();
    }

    /// <summary>The bus, as soon as it keeps what is sent there.</summary>
    internal async Task<LiveBus> BusAsync(string lane, CancellationToken cancellationToken)
    {
        // In memory nothing is declared ahead: what is sent before the endpoint was there once is dropped in silence.
        if (_options.IsMemory && _endpoints.FirstOrDefault(e => e.Name == lane) is { } here)
            await here.Taken.WaitAsync(cancellationToken);
        TaskCompletionSource<LiveBus> bus;
        lock (_lock)
            bus = _bus;
        return await bus.Task.WaitAsync(cancellationToken);
    }

    /// <summary>The broker had no queue for a message: somebody deleted what every process declares.</summary>
    internal void DeclareAgain() => _declareAgain = true;

    private static TaskCompletionSource<LiveBus> NewBus() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private async Task RunAsync()
    {
        LogContext.ConfigureCurrentLogContext(_logs);
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await LiveAsync(_stop.Token);
            }
            catch (OperationCanceledException) when (_stop.IsCancellationRequested)
            {
                break;
            }
            catch (BusHangsException e)
            {
                Down(e.Message);
                _log.LogCritical(e, "The bus does not come up although the broker answers; this process has to be started again");
                _hopeless.TrySetResult(e.Message);
                break;
            }
            catch (Exception e)
            {
                Down(e.Message);
            }
            await Task.Delay(Again, _clock, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        Down("The bus has been stopped.");
    }

    /// <summary>One bus, from the moment the broker answers until it is lost.</summary>
    private async Task LiveAsync(CancellationToken stop)
    {
        await using var link = _options.IsMemory ? null : await OpenLinkAsync(stop);
        using var gone = CancellationTokenSource.CreateLinkedTokenSource(stop, link?.Lost ?? CancellationToken.None);
        var bus = Create();
        var taking = Task.CompletedTask;
        try
        {
            await StartAsync(bus, gone.Token);
            Func<CancellationToken, Task> probe = link is null ? _ => Task.CompletedTask : link.CheckAsync;
            taking = Task.WhenAll(_endpoints.Select(e => e.RunAsync(bus, probe, gone.Token, _stopTaking.Token)));
            lock (_lock)
                _taking = taking;
            Up(new LiveBus(bus, gone.Token));
            await WatchAsync(bus, link, taking, gone.Token);
        }
        catch (OperationCanceledException) when (link is { Lost.IsCancellationRequested: true } && !stop.IsCancellationRequested)
        {
            throw new BusUnavailableException($"The broker is gone: {link.Reason}");
        }
        finally
        {
            NoBus();
            await gone.CancelAsync();
            await taking.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await LetGoAsync(bus);
        }
    }

    private async Task<BrokerLink> OpenLinkAsync(CancellationToken stop)
    {
        var address = BrokerAddress.Parse(_options.Address);
        try
        {
            return await BrokerLink.OpenAsync(address, _options.Name, "watch", stop);
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            throw new BusUnavailableException($"{address} cannot be used: {Deepest(e).Message} It is tried again every second.", e);
        }
    }

    private async Task StartAsync(IBusControl bus, CancellationToken gone)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(gone);
        limit.CancelAfter(_options.BackWithin);
        try
        {
            // It has been seen to ignore the token; what it says after that is not waited for.
            await bus.StartAsync(limit.Token).WaitAsync(_options.BackWithin + Again, _clock, gone);
        }
        catch (Exception e) when (!gone.IsCancellationRequested && (e is TimeoutException || limit.IsCancellationRequested))
        {
            throw new BusHangsException($"The bus did not start within {_options.BackWithin.TotalSeconds:0} s although the broker answers.", e);
        }
    }

    private async Task WatchAsync(IBusControl bus, BrokerLink? link, Task taking, CancellationToken gone)
    {
        long? unwell = null;
        var counted = long.MinValue;
        while (true)
        {
            await Task.WhenAny(taking, Task.Delay(LookEvery, _clock, gone));
            gone.ThrowIfCancellationRequested();
            if (taking.IsFaulted)
                await taking;
            if (link is null)
            {
                if (taking.IsCompleted)
                    await Task.Delay(Timeout.InfiniteTimeSpan, _clock, gone);
                continue;
            }
            if (taking.IsCompleted)
                await Task.Delay(LookEvery, _clock, gone);
            if (_declareAgain)
            {
                _declareAgain = false;
                _log.LogWarning("A queue was missing; the topology is declared again");
                await link.DeclareAsync(gone);
            }
            if (counted == long.MinValue || _clock.GetElapsedTime(counted) >= CountEvery)
            {
                counted = _clock.GetTimestamp();
                await CountAsync(link, gone);
            }
            unwell = bus.CheckHealth().Status == BusHealthStatus.Healthy ? null : unwell ?? _clock.GetTimestamp();
            if (unwell is { } since && _clock.GetElapsedTime(since) >= _options.BackWithin)
                throw new BusUnavailableException($"The bus was unwell for {_options.BackWithin.TotalSeconds:0} s although the broker answers ({bus.CheckHealth().Description}); another one is made.");
        }
    }

    private async Task CountAsync(BrokerLink link, CancellationToken gone)
    {
        try
        {
            _waiting = await link.CountAsync(_queues, gone);
        }
        catch (Exception) when (!gone.IsCancellationRequested)
        {
            // A queue that was deleted: declaring again mends it, and the figures are for people only.
            _declareAgain = true;
        }
    }

    private IBusControl Create() => _options.IsMemory
        ? Bus.Factory.CreateUsingInMemory(bus =>
        {
            bus.ConcurrentMessageLimit = null;
            Common(bus);
        })
        : Bus.Factory.CreateUsingRabbitMq(bus =>
        {
            var address = BrokerAddress.Parse(_options.Address);
            bus.Host(address.Host, (ushort)address.Port, address.VirtualHost, _options.Name, host =>
            {
                host.Username(address.User);
                host.Password(address.Password);
                host.PublisherConfirmation = true;
                host.Heartbeat(TimeSpan.FromSeconds(10));
                host.RequestedConnectionTimeout(TimeSpan.FromSeconds(5));
                host.ContinuationTimeout(TimeSpan.FromSeconds(10));
                // A message over this limit of the client's would end the connection for all; those over ours are dead-lettered.
                host.MaxMessageSize(BrokerLink.BrokersLargestMessage);
                if (address.IsTls)
                    host.UseSsl(tls => tls.ServerName = address.Host);
            });
            Common(bus);
        });

    private static void Common(IBusFactoryConfigurator bus) => bus.ConfigureJsonSerializerOptions(_ => MessageJson.Options);

    private static Exception Deepest(Exception e)
    {
        while (e.InnerException is { } inner && e is not AggregateException { InnerExceptions.Count: > 1 })
            e = inner;
        return e;
    }

    private async Task LetGoAsync(IBusControl bus)
    {
        try
        {
            using var limit = new CancellationTokenSource(LetGoWithin);
            await bus.StopAsync(limit.Token).WaitAsync(LetGoWithin, _clock, CancellationToken.None);
        }
        catch (Exception e)
        {
            _log.LogDebug(e, "The old bus did not stop in order and is left behind");
        }
    }

    private void Up(LiveBus bus)
    {
        _log.LogInformation("The bus is up");
        lock (_lock)
        {
            (_trouble, _since) = (null, _clock.GetUtcNow());
            _bus.TrySetResult(bus);
        }
    }

    private void NoBus()
    {
        lock (_lock)
        {
            if (_bus.Task.IsCompleted)
                _bus = NewBus();
        }
    }

    private void Down(string trouble)
    {
        bool news;
        lock (_lock)
        {
            news = !string.Equals(_trouble, trouble, StringComparison.Ordinal);
            if (_trouble is null || _since == default)
                _since = _clock.GetUtcNow();
            _trouble = trouble;
        }
        if (news && !_stop.IsCancellationRequested)
            _log.LogWarning("There is no bus: {Trouble}", Texts.Cap(trouble, Texts.Line));
    }
}

/// <param name="Gone">Cancelled when nothing will come of it any more.</param>
internal sealed record LiveBus(IBus Bus, CancellationToken Gone);
