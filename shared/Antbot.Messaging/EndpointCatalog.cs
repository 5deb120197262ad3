using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Messaging;

/// <summary>Which endpoints this process serves, and what lies beside them, and with what. Filled by the modules before the bus is made.</summary>
public sealed class EndpointCatalog
{
    private readonly Dictionary<string, List<Action<IReceiveEndpointConfigurator, IServiceProvider>>> _lanes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Func<IServiceProvider, ConsumeContext, CancellationToken, Task>> _turns = new(StringComparer.Ordinal);

    /// <summary>Of <see cref="Topology.Lanes"/>.</summary>
    public IReadOnlyCollection<string> Names => _lanes.Keys;

    public void Add<TMessage, THandler>(string endpoint)
        where TMessage : class
        where THandler : class, IMessageHandler<TMessage>
    {
        if (!Routes.Of(typeof(TMessage)).Contains(endpoint, StringComparer.Ordinal))
            throw new ArgumentException($"{typeof(TMessage).Name} is not routed to '{endpoint}': its handler would never be called. Add the route.", nameof(endpoint));
        Add(Topology.LaneOf(endpoint, typeof(TMessage)), (configurator, provider) =>
        {
            var handler = provider.GetRequiredService<THandler>();
            var actor = $"service:{endpoint}";
            configurator.Handler<TMessage>(context => handler.HandleAsync(context.Message, Inputs.From(context, actor), context.CancellationToken));
        });
    }

    /// <summary>What is no plain handler, such as a state machine.</summary>
    public void Add(string lane, Action<IReceiveEndpointConfigurator, IServiceProvider> configure)
    {
        if (!_lanes.TryGetValue(lane, out var parts))
            _lanes[lane] = parts = [];
        parts.Add(configure);
    }

    /// <summary>What each message that lies there waits for before it is handled. Where the endpoint stops meanwhile it is given up, and the broker has the message back.</summary>
    public void Await(string lane, Func<IServiceProvider, ConsumeContext, CancellationToken, Task> turn) => _turns.Add(lane, turn);

    internal Func<ConsumeContext, CancellationToken, Task>? TurnOf(string lane, IServiceProvider provider) =>
        _turns.TryGetValue(lane, out var turn) ? (context, cancellationToken) => turn(provider, context, cancellationToken) : null;

    internal void Configure(string lane, IReceiveEndpointConfigurator configurator, IServiceProvider provider)
    {
        foreach (var part in _lanes[lane])
            part(configurator, provider);
    }
}
