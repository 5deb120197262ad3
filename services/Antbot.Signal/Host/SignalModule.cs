using Antbot.Hosting;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Signals;

public sealed class SignalModule : IServiceModule
{
    public string Name => "signal";

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<SignalOptions>(SignalOptions.Check);
        builder.AddVenue();
        builder.Services.AddSingleton(provider => ApiKeys.Load(provider.GetRequiredService<SignalOptions>().ApiKey, file: null, out _));
        builder.Services.AddSingleton<SignalRecorder>();
        builder.Services.AddSingleton<SignalRedriver>();
        builder.Services.AddSingleton<StrategyRunner>();
        builder.Services.AddSingleton<Door>();
        builder.Services.AddSingleton<WebhookIntake>();
        builder.Services.AddSingleton<Admission>();
        builder.Services.AddSingleton<SignalEndpoint>();
        builder.Health(provider => provider.GetRequiredService<Door>().Health());
        builder.Work("door", StopOrder.Intake, (provider, cancellationToken) => provider.GetRequiredService<Door>().RunAsync(cancellationToken));
        builder.Work("prices", StopOrder.Intake, (provider, cancellationToken) =>
            provider.GetRequiredService<IMarketData>().FollowPricesAsync(provider.GetRequiredService<SignalOptions>().Watched, cancellationToken));
        builder.Work("strategies", StopOrder.Intake, (provider, cancellationToken) => provider.GetRequiredService<StrategyRunner>().RunAsync(cancellationToken));
        builder.LeasedWork("redriver", StopOrder.Support, (provider, cancellationToken) => provider.GetRequiredService<SignalRedriver>().RunAsync(cancellationToken));
    }

    public void Map(IEndpointRouteBuilder routes) =>
        routes.MapPost("/signals", (RequestDelegate)(context => context.RequestServices.GetRequiredService<SignalEndpoint>().HandleAsync(context)));
}
