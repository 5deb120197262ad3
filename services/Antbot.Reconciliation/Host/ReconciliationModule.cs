using System.ComponentModel.DataAnnotations;
using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Runtime.Pipeline;
using Antbot.Venues;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Reconciliation;

/// <summary>Reconciliation's place in a process.</summary>
public sealed class ReconciliationModule : IServiceModule
{
    public string Name => Routes.Reconciliation;

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<ReconciliationOptions>(Check);
        builder.AddVenue();
        builder.Services.AddSingleton(provider => new StreamPipeline<ReconciliationState>(provider.GetRequiredService<PipelineParts>(), ReconciliationDecider.Behaviour));
        builder.Services.AddSingleton<VenueRules>();
        builder.Services.AddSingleton<TradeLook>();
        builder.Services.AddSingleton<PendingVerifications>();
        builder.Services.AddSingleton<AccountWatch>();
        builder.Handle<VerifyTrade, VerifyTradeHandler>();
        builder.Health(provider => provider.GetRequiredService<AccountWatch>().Trouble is { } trouble
            ? new HealthReading("account", HealthState.Degraded, $"The account is not held against the venue as it should be: {trouble}.")
            : new HealthReading("account", HealthState.Ok));
        builder.LeasedWork("account", StopOrder.Work, (provider, token) => provider.GetRequiredService<AccountWatch>().RunAsync(token));
        builder.LeasedWork("verifications", StopOrder.Work, (provider, token) => provider.GetRequiredService<PendingVerifications>().RunAsync(token));
    }

    private static IEnumerable<ValidationResult> Check(ReconciliationOptions options)
    {
        if (options.RetryMaxSeconds < options.RetrySeconds)
            yield return new ValidationResult("It cannot be less than RetrySeconds.", [nameof(options.RetryMaxSeconds)]);
    }
}
