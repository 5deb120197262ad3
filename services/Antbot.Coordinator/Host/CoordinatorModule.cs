using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Hosting;
using Antbot.Messaging;
using Antbot.Runtime.Pipeline;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Coordinator;

public sealed class CoordinatorModule : IServiceModule
{
    public string Name => "coordinator";

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<CoordinatorOptions>();
        builder.Services.AddSingleton(provider => TradeDecider.With(provider.GetRequiredService<CoordinatorOptions>().Patience));
        builder.Services.AddSingleton<StreamPipeline<TradeState>>();
        builder.Services.AddSingleton<TradeSaga>();
        builder.Services.AddSingleton<ISagaRepository<TradeInstance>>(MakeRepository);
        builder.Services.AddSingleton<OpenTradesProjection>();
        builder.Services.AddSingleton<Sweeper>();
        builder.Services.AddSingleton<Intake>();
        builder.Serve(Take);
        builder.Serve(Topology.Intake, Take, static (provider, context, cancellationToken) =>
            context.TryGetMessage<SignalRaised>(out var raised) ? provider.GetRequiredService<Intake>().WaitAsync(raised.Message.Signal, cancellationToken) : Task.CompletedTask);
        builder.Health(provider => provider.GetRequiredService<Sweeper>().Trouble is { } trouble ? new HealthReading("open-trades", HealthState.Degraded, trouble) : new HealthReading("open-trades", HealthState.Ok));
        builder.Health(provider => provider.GetRequiredService<Intake>().Trouble is { } trouble ? new HealthReading("intake", HealthState.Degraded, trouble) : new HealthReading("intake", HealthState.Ok));
        builder.Work("intake", StopOrder.Work, (provider, cancellationToken) => provider.GetRequiredService<Intake>().RunAsync(cancellationToken));
        builder.LeasedWork("sweeper", StopOrder.Work, (provider, cancellationToken) => provider.GetRequiredService<Sweeper>().RunAsync(cancellationToken));
    }

    private static void Take(IReceiveEndpointConfigurator endpoint, IServiceProvider provider) =>
        endpoint.StateMachineSaga(provider.GetRequiredService<TradeSaga>(), provider.GetRequiredService<ISagaRepository<TradeInstance>>());

    private static EventSourcedSagaRepository<TradeInstance, TradeState> MakeRepository(IServiceProvider provider)
    {
        var patience = provider.GetRequiredService<CoordinatorOptions>().Patience;
        return new EventSourcedSagaRepository<TradeInstance, TradeState>(
            provider.GetRequiredService<StreamPipeline<TradeState>>(),
            id => Streams.Trade(new TradeId(id)),
            (id, state, now) => new TradeInstance { CorrelationId = id, CurrentState = TradeSaga.StateOf(state.Phase), Trade = state, Now = now, Patience = patience },
            Decided,
            typeof(SignalRaised),
            "service:coordinator");
    }

    /// <summary>The machine and the decider must agree where the trade stands now; if ever they do not, nothing is recorded.</summary>
    private static IReadOnlyList<object> Decided(TradeInstance instance)
    {
        var decided = TradeSaga.StateOf(instance.After.Phase);
        return string.Equals(instance.CurrentState, decided, StringComparison.Ordinal)
            ? instance.Decided
            : throw new InvalidOperationException($"The state machine went to {instance.CurrentState}, the decision to {decided}.");
    }
}
