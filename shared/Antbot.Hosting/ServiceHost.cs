using System.Reflection;
using Antbot.Contracts.Events;
using Antbot.EventStore;
using Antbot.Messaging;
using Antbot.Runtime.Control;
using Antbot.Runtime.Leases;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Hosting;

/// <summary>Runs modules in a process: one store, one bus, one web server, one orderly end.</summary>
public static class ServiceHost
{
    public const int InvalidConfiguration = 78;

    public static async Task<int> RunAsync(string[] args, params IServiceModule[] modules)
    {
        var app = Build(args, modules, out var faults);
        if (app is null)
        {
            foreach (var fault in faults)
                await Console.Error.WriteLineAsync($"antbot: configuration: {fault}");
            return InvalidConfiguration;
        }
        await using (app)
            await app.RunAsync();
        return 0;
    }

    /// <summary>Null where the configuration has faults: all of them are given.</summary>
    public static WebApplication? Build(string[] args, IReadOnlyList<IServiceModule> modules, out IReadOnlyList<string> faults)
    {
        var builder = WebApplication.CreateSlimBuilder(args);
        builder.Configuration.AddEnvironmentVariables("ANTBOT_");
        PlatformOptions options;
        try
        {
            options = new PlatformOptions();
            builder.Configuration.Bind(options);
        }
        catch (InvalidOperationException e)
        {
            faults = [e.Message];
            return null;
        }
        builder.WebHost.UseSetting("urls", options.Listen);
        var catalog = new EndpointCatalog();
        AddPlatform(builder.Services, options, catalog, modules);
        foreach (var module in modules)
            module.Configure(new ModuleBuilder(module.Name, builder.Services, builder.Configuration, catalog));
        var app = builder.Build();
        faults = [.. app.Services.GetServices<IStartCheck>().SelectMany(c => c.Faults())];
        if (faults.Count > 0)
            return null;
        foreach (var module in modules)
            module.Map(app);
        return app;
    }

    private static void AddPlatform(IServiceCollection services, PlatformOptions options, EndpointCatalog catalog, IReadOnlyList<IServiceModule> modules)
    {
        services.AddSingleton(options);
        services.AddSingleton(TimeProvider.System);
        services.AddSingleton(new EventCodec(EventRegistry.From(Assemblies(modules))));
        services.AddSingleton<IEventStore>(_ => StoreAddress.OpenAsync(options.Store, create: true).GetAwaiter().GetResult());
        services.AddSingleton<ICrashPoints>(NoCrashPoints.Instance);
        services.AddSingleton<PipelineParts>();
        services.AddSingleton<ControlWatch>();
        services.AddSingleton<ILeases, LocalLeases>();
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton(new BackgroundWork("platform/control", StopOrder.Support, (provider, token) => provider.GetRequiredService<ControlWatch>().RunAsync(token)));
        services.AddHostedService<BackgroundWorks>();
        services.AddAntbotBus(new BusOptions { Address = options.Bus, Prefetch = options.Prefetch }, catalog);
    }

    /// <summary>Events live in the contracts, in hosting and in each module's core.</summary>
    private static IEnumerable<Assembly> Assemblies(IReadOnlyList<IServiceModule> modules) => modules
        .SelectMany(m => m.GetType().Assembly.GetReferencedAssemblies())
        .Where(name => name.Name?.StartsWith("Antbot.", StringComparison.Ordinal) == true && name.Name.EndsWith(".Core", StringComparison.Ordinal))
        .Select(Assembly.Load)
        .Append(typeof(TradeRaised).Assembly)
        .Append(typeof(ServiceHost).Assembly)
        .Distinct();
}
