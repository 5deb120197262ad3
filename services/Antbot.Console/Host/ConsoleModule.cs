using Antbot.ConsoleService.Access;
using Antbot.ConsoleService.DeadLetters;
using Antbot.ConsoleService.Incidents;
using Antbot.Hosting;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.ConsoleService;

/// <summary>The Console's place in a process.</summary>
public sealed class ConsoleModule : IServiceModule
{
    public string Name => "console";

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<ConsoleOptions>(ConsoleOptions.Check);
        var services = builder.Services;
        services.AddSingleton(provider => ReadModelsAddress.OpenAsync(provider.GetRequiredService<PlatformOptions>().Store, provider.GetRequiredService<IEventStore>()).GetAwaiter().GetResult());
        services.AddSingleton<ViewProjection>();
        services.AddSingleton<ReadModelQueries>();
        services.AddSingleton<OperatorCommandPublisher>();
        services.AddSingleton<Bearer>();
        services.AddSingleton<AccessBook>();
        services.AddSingleton<TokenRoutes>();
        services.AddSingleton<OpenApi>();
        services.AddSingleton<ServiceHealth>();
        services.AddSingleton<Audit>();
        services.AddSingleton<GrowthWatch>();
        services.AddSingleton<ReadRoutes>();
        services.AddSingleton<TimeRoutes>();
        services.AddSingleton<TraceRoutes>();
        services.AddSingleton<ControlRoutes>();
        services.AddSingleton<SettlementRoutes>();
        services.AddSingleton<EventRoutes>();
        services.AddSingleton<DeadLetterBook>();
        services.AddSingleton<IDeadLetters>(provider => provider.GetRequiredService<DeadLetterBook>());
        services.AddSingleton<DeadLetterDrain>();
        services.AddSingleton<DeadLetterStories>();
        services.AddSingleton<IDeadLetterSender, DeadLetterSender>();
        services.AddSingleton<DeadLetterReplays>();
        services.AddSingleton<DeadLetterRoutes>();
        services.AddSingleton<ReplayIntents>();
        services.AddSingleton<LetterRetention>();
        services.AddSingleton<LetterForesight>();
        services.AddSingleton<ForesightRoutes>();
        services.AddSingleton<ReplaysBook>();
        services.AddSingleton<ReplaysRunner>();
        services.AddSingleton<ReplaysRoutes>();
        services.AddSingleton<IncidentStories>();
        services.AddSingleton<IncidentBook>();
        services.AddSingleton<IIncidents>(provider => provider.GetRequiredService<IncidentBook>());
        services.AddSingleton<IncidentWatch>();
        services.AddSingleton<TroubleWatch>();
        services.AddSingleton<IncidentRoutes>();
        services.AddSingleton<ChangeRoutes>();
        builder.Health(provider => provider.GetRequiredService<GrowthWatch>().Health);
        builder.Work("store-growth", StopOrder.Support, (provider, token) => provider.GetRequiredService<GrowthWatch>().RunAsync(token));
        builder.LeasedWork("read-models", StopOrder.Support, (provider, token) => provider.GetRequiredService<ViewProjection>().RunAsync(token));
        builder.LeasedWork("dead-letters", StopOrder.Work, (provider, token) => provider.GetRequiredService<DeadLetterDrain>().RunAsync(token));
        builder.LeasedWork("replays", StopOrder.Work, (provider, token) => provider.GetRequiredService<DeadLetterReplays>().SendAsync(token));
        builder.LeasedWork("replayed", StopOrder.Work, (provider, token) => provider.GetRequiredService<DeadLetterReplays>().LookAsync(token));
        builder.LeasedWork("replay-selections", StopOrder.Work, (provider, token) => provider.GetRequiredService<ReplaysRunner>().RunAsync(token));
        builder.LeasedWork("incidents", StopOrder.Work, (provider, token) => provider.GetRequiredService<IncidentWatch>().RunAsync(token));
        builder.LeasedWork("troubles", StopOrder.Support, (provider, token) => provider.GetRequiredService<TroubleWatch>().RunAsync(token));
        builder.LeasedWork("letter-retention", StopOrder.Support, (provider, token) => provider.GetRequiredService<LetterRetention>().RunAsync(token));
        builder.LeasedWork("commands", StopOrder.Work, (provider, token) => provider.GetRequiredService<OperatorCommandPublisher>().RunAsync(token));
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        ReadRoutes.Map(routes);
        TimeRoutes.Map(routes);
        TraceRoutes.Map(routes);
        ControlRoutes.Map(routes);
        SettlementRoutes.Map(routes);
        EventRoutes.Map(routes);
        TokenRoutes.Map(routes);
        DeadLetterRoutes.Map(routes);
        ReplaysRoutes.Map(routes);
        IncidentRoutes.Map(routes);
        ChangeRoutes.Map(routes);
        ForesightRoutes.Map(routes);
        OpenApi.Map(routes);
        routes.MapGuardedRest();
    }
}
