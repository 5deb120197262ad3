using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Risk.Core;
using Antbot.Runtime.Pipeline;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Risk;

public sealed class RiskModule : IServiceModule
{
    public string Name => "risk";

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<RiskOptions>(RiskOptions.Check);
        builder.Services.AddSingleton(provider => RiskDecider.With(provider.GetRequiredService<RiskOptions>().Limits));
        builder.Services.AddSingleton<StreamPipeline<RiskState>>();
        builder.Handle<AssessRisk, AccountHandler>();
        builder.Handle<TradeOpened, AccountHandler>();
        builder.Handle<EntryFailed, AccountHandler>();
        builder.Handle<TradeClosed, AccountHandler>();
    }
}
