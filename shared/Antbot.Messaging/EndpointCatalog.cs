using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Messaging;

/// <summary>Which endpoints this process serves, and with what. Filled by the modules before the bus is made.</summary>
public sealed class EndpointCatalog
{
    private readonly Dictionary<string, List<Action<IReceiveEndpointConfigurator, IServiceProvider>>> _endpoints = new(StringComparer.Ordinal);

    public IReadOnlyCollection<string> Names => _endpoints.Keys;

    public void Add<TMessage, THandler>(string endpoint)
        where TMessage : class
        where THandler : class, IMessageHandler<TMessage>
    {
        if (!Routes.Of(typeof(TMessage)).Contains(endpoint, StringComparer.Ordinal))
            throw new ArgumentException($"{typeof(TMessage).Name} is not routed to '{endpoint}': its handler would never be called. Add the route.", nameof(endpoint));
        Add(endpoint, (configurator, provider) =>
        {
            var handler = provider.GetRequiredService<THandler>();
            var actor = $"service:{endpoint}";
            configurator.Handler<TMessage>(context => handler.HandleAsync(context.Message, Inputs.From(context, actor), context.CancellationToken));
        });
    }

    /// <summary>What is no plain handler, such as a state machine.</summary>
    public void Add(string endpoint, Action<IReceiveEndpointConfigurator, IServiceProvider> configure)
    {
        if (!_endpoints.TryGetValue(endpoint, out var parts))
            _endpoints[endpoint] = parts = [];
        parts.Add(configure);
    }

    internal void Configure(string endpoint, IReceiveEndpointConfigurator configurator, IServiceProvider provider)
    {
        foreach (var part in _endpoints[endpoint])
            part(configurator, provider);
    }
}
