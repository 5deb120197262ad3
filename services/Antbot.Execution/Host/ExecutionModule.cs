using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Execution;

public sealed class ExecutionModule : IServiceModule
{
    public string Name => "execution";

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<ExecutionOptions>();
        builder.AddVenue();
        builder.Check(Faults);
        builder.Services.AddSingleton(provider => new StreamPipeline<OrdersState>(provider.GetRequiredService<PipelineParts>(), ExecutionDecider.Behaviour));
        builder.Services.AddSingleton<RuleBook>();
        builder.Services.AddSingleton<SymbolRoom>();
        builder.Services.AddSingleton<Prices>();
        builder.Services.AddSingleton(provider => ActivatorUtilities.CreateInstance<StartGate>(provider, Guid.NewGuid()));
        builder.Services.AddSingleton<IEntryGate>(provider => provider.GetRequiredService<StartGate>());
        builder.Services.AddSingleton<TradeRunner>();
        builder.Services.AddSingleton<OpenOrders>();
        builder.Services.AddSingleton<Keeper>();
        builder.Services.AddSingleton<CountdownKeeper>();
        builder.Handle<ExecuteTrade, ExecuteTradeHandler>();
        builder.Handle<CancelTrade, CancelTradeHandler>();
        builder.Handle<CloseTrade, CloseTradeHandler>();
        builder.Handle<CorrectOrder, CorrectOrderHandler>();
        builder.Handle<AdoptPosition, AdoptPositionHandler>();
        builder.Handle<WriteOffPosition, WriteOffPositionHandler>();
        builder.Handle<SettleOrder, SettleOrderHandler>();
        builder.Health(provider => provider.GetRequiredService<IEntryGate>().Bar is { } bar ? new HealthReading("entries", HealthState.Degraded, bar) : new HealthReading("entries", HealthState.Ok));
        builder.Health(provider => provider.GetRequiredService<CountdownKeeper>() is var kept && kept.Trouble is { } trouble
            ? new HealthReading("entry-countdown", HealthState.Degraded, trouble)
            : new HealthReading("entry-countdown", HealthState.Ok, kept.Standing));
        builder.Health(provider => provider.GetRequiredService<Keeper>().Trouble is { } trouble ? new HealthReading("open-orders", HealthState.Degraded, trouble) : new HealthReading("open-orders", HealthState.Ok));
        builder.Work("start-gate", StopOrder.Support, (provider, token) => provider.GetRequiredService<StartGate>().RunAsync(Routes.Execution, provider.GetRequiredService<IVenue>().Account, token));
        builder.Work("rules", StopOrder.Support, (provider, token) => provider.GetRequiredService<RuleBook>().RunAsync(token));
        builder.Work("prices", StopOrder.Support, (provider, token) => provider.GetRequiredService<Prices>().RunAsync(token));
        builder.LeasedWork("keeper", StopOrder.Work, (provider, token) => provider.GetRequiredService<Keeper>().RunAsync(token));
        builder.LeasedWork("entry-countdown", StopOrder.Work, (provider, token) => provider.GetRequiredService<CountdownKeeper>().RunAsync(token));
    }

    private static IEnumerable<string> Faults(IServiceProvider provider)
    {
        if (provider.GetRequiredService<ExecutionOptions>().StopDistance == 0 && !provider.GetRequiredService<VenueOptions>().Paper)
            yield return "ANTBOT_EXECUTION__STOPDISTANCE: it is 0, so that what comes without a stop would be held without one, and there is real money at the venue (ANTBOT_VENUE__PAPER is not true).";
    }
}
