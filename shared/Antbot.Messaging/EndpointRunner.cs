using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Health;
using MassTransit;
using MassTransit.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Antbot.Messaging;

/// <summary>
/// One endpoint's life on one bus: it waits for what its work needs, takes messages, stops when a dependency is gone for too long,
/// and starts again when a probe passes.
/// </summary>
/// <param name="name">Of <see cref="Topology.Lanes"/>.</param>
internal sealed class EndpointRunner(
    string name, BusOptions options, EndpointCatalog catalog, IServiceProvider provider, IReadOnlyList<IDependencyProbe> probes, TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeWithin = TimeSpan.FromSeconds(10);

    /// <summary>Within this a broken bus must let go of its endpoint; it is left behind otherwise.</summary>
    private static readonly TimeSpan LetGoWithin = TimeSpan.FromSeconds(5);

    private readonly IReadOnlySet<string> _messages = Routes.All.Where(r => r.Value.Contains(Topology.EndpointOf(name), StringComparer.Ordinal)).Select(r => r.Key.Name).ToHashSet(StringComparer.Ordinal);
    private readonly TaskCompletionSource _taken = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private EndpointState _state;
    private string? _trouble;
    private Gate? _gate;

    public string Name => name;

    /// <summary>Completes when it takes messages for the first time.</summary>
    public Task Taken => _taken.Task;

    public EndpointStatus Status()
    {
        var gate = Volatile.Read(ref _gate);
        return new EndpointStatus(name, _state, gate?.Held ?? 0, Volatile.Read(ref _trouble) ?? gate?.Trouble?.Message);
    }

    /// <param name="bus">Started, and usable until <paramref name="gone"/>.</param>
    /// <param name="probeBus">Passes while the broker takes messages.</param>
    /// <param name="gone">The bus is lost, or given up.</param>
    /// <param name="stopTaking">An orderly end: what was taken is finished.</param>
    public async Task RunAsync(IBusControl bus, Func<CancellationToken, Task> probeBus, CancellationToken gone, CancellationToken stopTaking)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(gone, stopTaking);
        try
        {
            while (!end.IsCancellationRequested)
            {
                await WaitForDependenciesAsync(probeBus, end.Token);
                await TakeAsync(bus, probeBus, gone, end.Token);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The end, or the bus is gone.
        }
        finally
        {
            Enter(EndpointState.Off, null);
        }
    }

    private async Task WaitForDependenciesAsync(Func<CancellationToken, Task> probeBus, CancellationToken cancellationToken)
    {
        while (await FindDownAsync(probeBus, cancellationToken) is { } down)
        {
            var trouble = $"'{down.Dependency}' is down: {down.Message}";
            if (_state != EndpointState.WaitingForDependency)
                log.LogWarning("{Endpoint} takes no messages: {Trouble}", name, Texts.Cap(trouble, Texts.Line));
            Enter(EndpointState.WaitingForDependency, trouble);
            await Task.Delay(ProbeEvery, clock, cancellationToken);
        }
    }

    private async Task<DependencyDownException?> FindDownAsync(Func<CancellationToken, Task> probeBus, CancellationToken cancellationToken)
    {
        foreach (var (dependency, check) in probes.Select(p => (p.Name, (Func<CancellationToken, Task>)p.CheckAsync)).Append(("bus", probeBus)))
        {
            try
            {
                await check(cancellationToken).WaitAsync(ProbeWithin, clock, cancellationToken);
            }
            catch (Exception e) when (!cancellationToken.IsCancellationRequested)
            {
                return new DependencyDownException(dependency, e.Message, e);
            }
        }
        return null;
    }

    private async Task TakeAsync(IBusControl bus, Func<CancellationToken, Task> probeBus, CancellationToken gone, CancellationToken end)
    {
        var gate = new Gate(options, clock);
        Volatile.Write(ref _gate, gate);
        Enter(EndpointState.Starting, null);
        var handle = bus.ConnectReceiveEndpoint(Topology.QueueOf(name), endpoint => Configure(endpoint, gate));
        try
        {
            await ReadyAsync(handle, end);
            Enter(EndpointState.Taking, null);
            _taken.TrySetResult();
            log.LogInformation("{Endpoint} takes messages", name);
            await UntilDownAsync(gate, probeBus, end);
            Enter(EndpointState.Stopped, null);
            log.LogError("{Endpoint} takes no more messages; {Held} are held: {Trouble}", name, gate.Held, Texts.Cap(gate.Trouble?.Message, Texts.Line));
            await StopAsync(handle, probeBus, end);
        }
        finally
        {
            gate.Release();
            await LetGoAsync(handle, gone);
            Volatile.Write(ref _gate, null);
        }
    }

    /// <summary>One message's own trouble may look like a dependency's, and it alone does not keep all others from being taken.</summary>
    private async Task UntilDownAsync(Gate gate, Func<CancellationToken, Task> probeBus, CancellationToken end)
    {
        // The bus within this process gives nothing back: it goes on.
        if (options.IsMemory)
            await Task.Delay(Timeout.InfiniteTimeSpan, clock, end);
        await gate.Tripped.WaitAsync(end);
        while (await FindDownAsync(probeBus, end) is null)
        {
            log.LogWarning("{Endpoint} goes on, for every dependency answers; {Held} are held: {Trouble}", name, gate.Held, Texts.Cap(gate.Trouble?.Message, Texts.Line));
            gate.Rearm();
            await gate.Tripped.WaitAsync(end);
        }
    }

    /// <summary>
    /// What is held goes on being tried. What still is when all is well again, for as long as it takes to try it once more, has a
    /// trouble of its own: it goes back to the broker.
    /// </summary>
    private async Task StopAsync(HostReceiveEndpointHandle handle, Func<CancellationToken, Task> probeBus, CancellationToken end)
    {
        var stopping = handle.StopAsync(end);
        while (!stopping.IsCompleted && await FindDownAsync(probeBus, end) is not null)
            await Task.WhenAny(stopping, Task.Delay(ProbeEvery, clock, end));
        await Task.WhenAny(stopping, Task.Delay(Gate.LongestPause * 2, clock, end));
    }

    private async Task ReadyAsync(HostReceiveEndpointHandle handle, CancellationToken end)
    {
        try
        {
            await handle.Ready.WaitAsync(options.BackWithin, clock, end);
        }
        catch (TimeoutException e)
        {
            throw new BusHangsException($"The endpoint {name} was not there {options.BackWithin.TotalSeconds:0} s after it was asked for, although the broker answers.", e);
        }
    }

    /// <summary>In order for as long as there is a bus; the caller's deadline shows as the bus being gone.</summary>
    private static async Task LetGoAsync(HostReceiveEndpointHandle handle, CancellationToken gone)
    {
        try
        {
            if (!gone.IsCancellationRequested)
                await handle.StopAsync(gone).WaitAsync(gone);
        }
        catch (Exception)
        {
            // Then it is let go of below.
        }
        if (!gone.IsCancellationRequested)
            return;
        try
        {
            using var limit = new CancellationTokenSource(LetGoWithin);
            await handle.StopAsync(limit.Token).WaitAsync(LetGoWithin, CancellationToken.None);
        }
        catch (Exception)
        {
            // A broken bus; the next one is made anew, and the broker has taken its messages back.
        }
    }

    private void Configure(IReceiveEndpointConfigurator endpoint, Gate gate)
    {
        if (endpoint is IRabbitMqReceiveEndpointConfigurator rabbit)
        {
            foreach (var (argument, value) in Topology.Arguments)
                rabbit.SetQueueArgument(argument, value);
        }
        // Everything is sent to the endpoint itself; an exchange a message type would only be one more hop.
        endpoint.ConfigureConsumeTopology = false;
        endpoint.PublishFaults = false;
        endpoint.PrefetchCount = options.Prefetch;
        endpoint.ConcurrentMessageLimit = options.Prefetch;
        var kept = provider.GetService<IDeadLetters>() is { } letters ? new KeptForSure(letters, clock, log) : null;
        var move = new DeadLetterMove(name, options.Build, kept, clock, log);
        endpoint.ConfigureError(pipe => pipe.UseFilter(move));
        endpoint.ConfigureDeadLetter(pipe => pipe.UseFilter(move));
        endpoint.AddPrePipeSpecification(new Around(new Guard(name, _messages, gate, catalog.TurnOf(name, provider), move, options, clock, log)));
        catalog.Configure(name, endpoint, provider);
    }

    /// <summary>Before messages are told apart by type, so that what fails in telling them apart is within it too.</summary>
    private sealed class Around(Guard guard) : IPipeSpecification<ConsumeContext>
    {
        public void Apply(IPipeBuilder<ConsumeContext> builder) => builder.AddFilter(guard);

        public IEnumerable<ValidationResult> Validate() => [];
    }

    private void Enter(EndpointState state, string? trouble)
    {
        _state = state;
        Volatile.Write(ref _trouble, trouble);
    }
}

/// <summary>MassTransit did not come up on a broker that answers. It will not by itself.</summary>
internal sealed class BusHangsException(string message, Exception? inner = null) : Exception(message, inner);
