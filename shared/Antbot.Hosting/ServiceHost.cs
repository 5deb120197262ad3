using System.Collections;
using System.Diagnostics;
using System.Reflection;
using Antbot.Contracts.Events;
using Antbot.EventStore;
using Antbot.EventStore.Postgres;
using Antbot.Hosting.Health;
using Antbot.Hosting.Life;
using Antbot.Hosting.Telemetry;
using Antbot.Messaging;
using Antbot.Resilience;
using Antbot.Runtime.Control;
using Antbot.Runtime.Health;
using Antbot.Runtime.Leases;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting;

/// <summary>Runs modules in a process: one store, one bus, one web server, one orderly end.</summary>
public static class ServiceHost
{
    public const int InvalidConfiguration = ExitCodes.InvalidConfiguration;

    private const string Standalone = "standalone";

    public static async Task<int> RunAsync(string[] args, params IServiceModule[] modules)
    {
        await using var app = Build(args, modules, out var faults);
        if (app is null)
        {
            foreach (var fault in faults)
                await Console.Error.WriteLineAsync($"antbot: configuration: {fault}");
            return ExitCodes.InvalidConfiguration;
        }
        Ending? ending = null;
        try
        {
            // A file that cannot be opened is named here, and not in the trace of whoever needed the store first.
            _ = app.Services.GetRequiredService<IEventStore>();
            ending = app.Services.GetRequiredService<Ending>();
            await app.RunAsync();
            return ending.ExitCode;
        }
        catch (OperationCanceledException) when (ending is { IsLate: true })
        {
            await Console.Error.WriteLineAsync("antbot: it had not ended in order by its deadline.");
            return ending.ExitCode == ExitCodes.Ok ? ExitCodes.Forced : ending.ExitCode;
        }
        catch (Exception e) when (e is EventStoreException or IOException or UnauthorizedAccessException or OperationCanceledException)
        {
            await Console.Error.WriteLineAsync($"antbot: {e.Message}");
            return ExitCodes.Failed;
        }
        finally
        {
            ending?.Done();
        }
    }

    /// <summary>Null where the configuration has faults: all of them are given. Nothing has been opened or consumed then.</summary>
    public static WebApplication? Build(string[] args, IReadOnlyList<IServiceModule> modules, out IReadOnlyList<string> faults) =>
        Build(args, Environment.GetEnvironmentVariables(), modules, out faults);

    /// <summary>The same in another environment than the process's own.</summary>
    /// <param name="isWhole">Every module of the platform is here: a section that none of them reads is a mistake, and not another process's.</param>
    public static WebApplication? Build(string[] args, IDictionary environment, IReadOnlyList<IServiceModule> modules, out IReadOnlyList<string> faults, bool isWhole = false)
    {
        var found = new List<string>();
        faults = found;
        var settings = HostConfiguration.Read(args, environment, found);
        var documented = DocumentNames.Apply(environment, settings, found);
        var builder = WebApplication.CreateSlimBuilder();
        // Only what is documented: a file beside the program or a variable of any name must not steer it.
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection(settings);
        var options = BindPlatform(builder.Configuration, found);
        var identity = new ServiceIdentity(modules.Count == 1 ? modules[0].Name : Standalone, options.Instance.Length > 0 ? options.Instance : Environment.MachineName);
        builder.WebHost.UseSetting("urls", options.Listen);
        builder.WebHost.ConfigureKestrel(server => server.AddServerHeader = false);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(options.ShutdownSeconds));
        AddLogging(builder.Logging, options, identity, SecretTexts.From(settings));
        var catalog = new EndpointCatalog();
        AddPlatform(builder.Services, options, identity, ConfigurationHash.Of(settings), catalog, modules);
        foreach (var module in modules)
            module.Configure(new ModuleBuilder(module.Name, builder.Services, builder.Configuration, catalog));
        // Last, so that it is stopped first: see BackgroundWorks.
        builder.Services.AddHostedService<BackgroundWorks>();
        if (ParentWatch.IsAskedFor)
            builder.Services.AddHostedService<ParentWatch>();

        var uses = builder.Services.Select(s => s.ImplementationInstance).OfType<OptionsUse>().ToList();
        found.AddRange(HostConfiguration.FindUnknown(settings, uses, modules.Select(m => m.Name), isWhole));
        var app = builder.Build();
        found.AddRange(app.Services.GetServices<IStartCheck>().SelectMany(c => c.Faults()));
        if (found.Count > 0)
        {
            faults = [.. found.Select(f => documented.FirstOrDefault(d => f.StartsWith($"{d.Variable}:", StringComparison.Ordinal)) is { } said ? $"{f} ({said.Name} says so.)" : f)];
            app.DisposeAsync().AsTask().GetAwaiter().GetResult();
            return null;
        }
        foreach (var (name, will) in DocumentNames.FindWithoutSetting(environment))
            app.Logger.LogWarning("{Variable} is set and does nothing yet: {Will}", name, will);
        _ = app.Services.GetRequiredService<PrometheusMetrics>();
        _ = app.Services.GetRequiredService<AlwaysTraced>();
        _ = app.Services.GetRequiredService<Otlp>();
        if (options.Origins.Length > 0)
            app.UseCors();
        HealthRoutes.Map(app, new HealthLock(options));
        foreach (var module in modules)
            module.Map(app);
        return app;
    }

    /// <summary>With faults the defaults stand in, so that the modules' own faults are found too.</summary>
    private static PlatformOptions BindPlatform(IConfiguration configuration, List<string> faults)
    {
        try
        {
            return BoundOptions.Bind<PlatformOptions>("", configuration, PlatformOptions.Check);
        }
        catch (InvalidConfigurationException e)
        {
            faults.AddRange(e.Faults);
            return new PlatformOptions();
        }
    }

    private static void AddLogging(ILoggingBuilder logging, PlatformOptions options, ServiceIdentity identity, SecretTexts secrets)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(options.LogLevel);
        // What others say of every request and connection drowns what we say of trades.
        logging.AddFilter("Microsoft", Max(options.LogLevel, LogLevel.Warning));
        logging.AddFilter("Microsoft.Hosting.Lifetime", options.LogLevel);
        logging.AddFilter("MassTransit", Max(options.LogLevel, LogLevel.Critical));
        logging.Services.AddSingleton<ILoggerProvider>(_ => new LineLogger(
            identity.Service, identity.Instance, options.LogFormat == LogFormat.Text || (options.LogFormat == LogFormat.Auto && !Console.IsOutputRedirected), secrets, TimeProvider.System, Console.OpenStandardOutput()));
    }

    private static LogLevel Max(LogLevel a, LogLevel b) => a > b ? a : b;

    private static void AddPlatform(IServiceCollection services, PlatformOptions options, ServiceIdentity identity, string configuration, EndpointCatalog catalog, IReadOnlyList<IServiceModule> modules)
    {
        var clock = options.ClockFrom.Length > 0 ? new MovedClock(options.ClockFrom) : TimeProvider.System;
        services.AddSingleton(new OptionsUse("", typeof(PlatformOptions)));
        services.AddSingleton(options);
        services.AddSingleton(identity);
        services.AddSingleton(clock);
        services.AddSingleton(new EventCodec(EventRegistry.From(Assemblies(modules))));
        services.AddSingleton<DependencyBoard>();
        services.AddSingleton<IEventStore>(provider => new ProcessEventStore(StoreKeeper.Connect(options.Store, options.Archives), identity.Process, provider.GetRequiredService<DependencyBoard>()));
        services.AddSingleton(_ => StoreAddress.OpenBlobs(options.Store));
        services.AddSingleton<EmergencyHalt>();
        services.AddSingleton<StoreKeeper>();
        services.AddSingleton<IDependencyProbe>(provider => provider.GetRequiredService<StoreKeeper>());
        services.AddSingleton<ICrashPoints>(_ => options.CrashAt.Length > 0 ? new CrashPoint(options.CrashAt) : NoCrashPoints.Instance);
        services.AddSingleton<PipelineParts>();
        services.AddSingleton<ControlWatch>();
        services.AddSingleton<ILeases>(_ => StoreAddress.IsSqlite(options.Store, out var _) ? new LocalLeases() : new PostgresLeases(StoreAddress.ConnectionString(options.Store), clock));
        services.AddSingleton<LeaseKeeper>();
        services.AddSingleton(_ => StoreAddress.OpenVenueBudget(options.Store, clock));
        services.AddSingleton<PrometheusMetrics>();
        services.AddSingleton<AlwaysTraced>();
        services.AddSingleton(_ => new ProcessFigures(StoreAddress.IsSqlite(options.Store, out var file) ? Path.GetDirectoryName(Path.GetFullPath(file))! : Environment.CurrentDirectory, clock));
        services.AddSingleton(_ => Otlp.Start(identity.Service, identity.Instance));
        services.TryAddSingleton<BreakerPanel>();
        services.AddSingleton<HealthReport>();
        services.AddSingleton(provider => new Readiness(provider.GetRequiredService<HealthReport>()));
        services.AddSingleton<DegradationWatch>();
        services.AddSingleton<IDegradation>(provider => provider.GetRequiredService<DegradationWatch>());
        services.AddSingleton(provider => new ProcessLife(provider.GetRequiredService<IEventStore>(), identity.Service, identity.Instance, identity.Process, configuration, provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton(new BackgroundWork("platform/store", StopOrder.Support, (provider, token) => provider.GetRequiredService<StoreKeeper>().RunAsync(token)));
        services.AddSingleton(new BackgroundWork("platform/control", StopOrder.Support, (provider, token) => provider.GetRequiredService<ControlWatch>().RunAsync(token)));
        services.AddSingleton(new BackgroundWork("platform/health", StopOrder.Support, (provider, token) => provider.GetRequiredService<DegradationWatch>().RunAsync(token)));
        services.AddSingleton(provider => MakeSealer(provider, options));
        services.AddSingleton(new BackgroundWork("platform/sealer", StopOrder.Support, SealAsync));
        services.AddAntbotBus(
            new BusOptions { Address = options.Bus, Prefetch = options.Prefetch, StopAfter = TimeSpan.FromSeconds(options.GateSeconds), Name = $"antbot {identity.Service} {identity.Instance}", Build = ProcessLife.Build }, catalog);
        // What opens a route is borne in a header and not in a cookie: no credentials of the browser's own are let through.
        services.AddCors(cors => cors.AddDefaultPolicy(policy => policy
            .WithOrigins(options.Origins).WithMethods("GET", "POST").WithHeaders("Authorization", ApiKeys.Header, "Content-Type", "Idempotency-Key", "Last-Event-ID")));
        services.AddSingleton<Ending>();
        services.AddHostedService(provider => provider.GetRequiredService<Ending>());
    }

    private static Sealer MakeSealer(IServiceProvider provider, PlatformOptions options)
    {
        var log = provider.GetRequiredService<ILogger<Sealer>>();
        return new Sealer(
            provider.GetRequiredService<IEventStore>().Ledger,
            provider.GetRequiredService<TimeProvider>(),
            (news, what) => log.Log(LevelOf(news), "{What}", what),
            new SealerOptions { Every = TimeSpan.FromSeconds(options.SealSeconds) });
    }

    private static LogLevel LevelOf(SealerNews news) => news switch
    {
        SealerNews.Sealed or SealerNews.Back => LogLevel.Information,
        SealerNews.Away => LogLevel.Warning,
        SealerNews.Refused => LogLevel.Error,
        _ => throw new UnreachableException(),
    };

    /// <summary>One process of those on a store seals; the others would do no harm and find nothing.</summary>
    private static async Task SealAsync(IServiceProvider provider, CancellationToken cancellationToken)
    {
        await provider.GetRequiredService<StoreKeeper>().Open.WaitAsync(cancellationToken);
        await provider.GetRequiredService<LeaseKeeper>().RunAsync("platform/sealer", provider.GetRequiredService<Sealer>().RunAsync, cancellationToken);
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
