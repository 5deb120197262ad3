using Antbot.Runtime.Bus;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Messaging;

public static class BusRegistration
{
    private static readonly TimeSpan[] RetryAfter = [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    /// <summary>The bus of a process, serving the endpoints in the catalog.</summary>
    public static IServiceCollection AddAntbotBus(this IServiceCollection services, BusOptions options, EndpointCatalog catalog)
    {
        services.AddSingleton(options);
        services.AddSingleton<IMessageBus, MassTransitBus>();
        services.AddMassTransit(registration =>
        {
            registration.DisableUsageTelemetry();
            if (options.IsMemory)
                registration.UsingInMemory((context, bus) => Serve(bus, context, options, catalog));
            else
                registration.UsingRabbitMq((context, bus) => ServeRabbit(bus, context, options, catalog));
        });
        return services;
    }

    private static void Serve(IInMemoryBusFactoryConfigurator bus, IBusRegistrationContext context, BusOptions options, EndpointCatalog catalog)
    {
        foreach (var name in catalog.Names)
            bus.ReceiveEndpoint(Topology.QueueOf(name), endpoint => Configure(endpoint, name, context, options, catalog));
    }

    private static void ServeRabbit(IRabbitMqBusFactoryConfigurator bus, IBusRegistrationContext context, BusOptions options, EndpointCatalog catalog)
    {
        bus.Host(new Uri(options.Address));
        foreach (var name in catalog.Names)
        {
            bus.ReceiveEndpoint(Topology.QueueOf(name), endpoint =>
            {
                endpoint.SetQuorumQueue();
                endpoint.SetQueueArgument("x-delivery-limit", Topology.DeliveryLimit);
                Configure(endpoint, name, context, options, catalog);
            });
        }
    }

    private static void Configure(IReceiveEndpointConfigurator endpoint, string name, IBusRegistrationContext context, BusOptions options, EndpointCatalog catalog)
    {
        // Everything is sent to the endpoint itself; an exchange a message type would only be one more hop.
        endpoint.ConfigureConsumeTopology = false;
        endpoint.PrefetchCount = options.Prefetch;
        endpoint.ConcurrentMessageLimit = options.Prefetch;
        endpoint.UseMessageRetry(retry => retry.Intervals(RetryAfter));
        catalog.Configure(name, endpoint, context);
    }
}
