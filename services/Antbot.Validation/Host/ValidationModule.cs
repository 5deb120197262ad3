using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Runtime.Pipeline;
using Antbot.Validation.Core;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Validation;

public sealed class ValidationModule : IServiceModule
{
    public string Name => "validation";

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<ValidationOptions>(ValidationOptions.Check);
        builder.Services.AddSingleton(provider => ValidationDecider.With(provider.GetRequiredService<ValidationOptions>().Limits));
        builder.Services.AddSingleton<StreamPipeline<SymbolMemory>>();
        builder.Handle<ValidateSignal, ValidateSignalHandler>();
    }
}
