using Antbot.Runtime.Bus;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Antbot.Messaging;

public static class BusRegistration
{
    /// <summary>The bus of a process, serving the endpoints in the catalog. It runs as a hosted service and waits for its broker by itself.</summary>
    public static IServiceCollection AddAntbotBus(this IServiceCollection services, BusOptions options, EndpointCatalog catalog)
    {
        services.TryAddSingleton(TimeProvider.System);
        services.AddLogging();
        services.AddSingleton(options);
        services.AddSingleton(catalog);
        services.AddSingleton<BusRunner>();
        services.AddHostedService(provider => provider.GetRequiredService<BusRunner>());
        services.AddSingleton<IMessageBus, MassTransitBus>();
        return services;
    }
}
