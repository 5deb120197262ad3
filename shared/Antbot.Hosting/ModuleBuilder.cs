using System.ComponentModel.DataAnnotations;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Hosting;

/// <summary>When a piece of background work is stopped: the first first, so that what others still need ends last.</summary>
public enum StopOrder
{
    /// <summary>Takes work in: requests, strategies, endpoints.</summary>
    Intake = 1,

    /// <summary>Drives what is under way.</summary>
    Work = 2,

    /// <summary>Needed by the others to the end: publishers, watches, read models.</summary>
    Support = 3,
}

/// <param name="Run">Ends when it is cancelled, and at no other time.</param>
public sealed record BackgroundWork(string Name, StopOrder Stop, Func<IServiceProvider, CancellationToken, Task> Run);

/// <summary>What a module adds to its process.</summary>
public sealed class ModuleBuilder(string module, IServiceCollection services, IConfiguration configuration, EndpointCatalog endpoints)
{
    private readonly IConfiguration _root = configuration;

    public IServiceCollection Services { get; } = services;

    /// <summary>The section of this module: <c>ANTBOT_RISK__MAXORDERNOTIONAL</c> in the environment.</summary>
    public IConfiguration Configuration { get; } = configuration.GetSection(module);

    /// <summary>This module's endpoint takes this kind of message; Routes must say so too.</summary>
    public ModuleBuilder Handle<TMessage, THandler>()
        where TMessage : class
        where THandler : class, IMessageHandler<TMessage>
    {
        Services.AddSingleton<THandler>();
        endpoints.Add<TMessage, THandler>(module);
        return this;
    }

    /// <summary>What is no plain handler, such as a state machine.</summary>
    public ModuleBuilder Serve(Action<MassTransit.IReceiveEndpointConfigurator, IServiceProvider> configure)
    {
        endpoints.Add(module, configure);
        return this;
    }

    /// <summary>What lies beside this module's endpoint.</summary>
    /// <param name="turn">What each of its messages waits for first.</param>
    public ModuleBuilder Serve(string lane, Action<MassTransit.IReceiveEndpointConfigurator, IServiceProvider> configure, Func<IServiceProvider, MassTransit.ConsumeContext, CancellationToken, Task> turn)
    {
        endpoints.Add(lane, configure);
        endpoints.Await(lane, turn);
        return this;
    }

    /// <summary>
    /// Options bound from <see cref="Configuration"/> and validated at start: every fault is named and the process ends before
    /// anything is consumed. They are injected as themselves.
    /// </summary>
    public ModuleBuilder Options<TOptions>(Func<TOptions, IEnumerable<ValidationResult>>? check = null)
        where TOptions : class, new()
    {
        return SharedOptions(module, check);
    }

    /// <summary>The same from a section that several modules share, such as the venue's: <c>ANTBOT_VENUE__ADDRESS</c>.</summary>
    public ModuleBuilder SharedOptions<TOptions>(string section, Func<TOptions, IEnumerable<ValidationResult>>? check = null)
        where TOptions : class, new()
    {
        Services.AddSingleton(new OptionsUse(section, typeof(TOptions)));
        Services.AddSingleton(_ => BoundOptions.Bind(section, _root.GetSection(section), check));
        Services.AddSingleton<IStartCheck>(provider => new OptionsCheck<TOptions>(provider));
        return this;
    }

    /// <summary>What must hold between several options before anything runs; asked where each of them is valid by itself.</summary>
    /// <param name="faults">In words, each beginning with its variable.</param>
    public ModuleBuilder Check(Func<IServiceProvider, IEnumerable<string>> faults)
    {
        Services.AddSingleton<IStartCheck>(provider => new CheckBetween(() => [.. faults(provider)]));
        return this;
    }

    /// <summary>One more thing that <c>/health</c>, <c>/readyz</c> and the degradation level look at; it answers from memory.</summary>
    public ModuleBuilder Health(Func<IServiceProvider, HealthReading> read)
    {
        Services.AddSingleton<IHealthSource>(provider => new ReadHealth(() => read(provider)));
        return this;
    }

    public ModuleBuilder Work(string name, StopOrder stop, Func<IServiceProvider, CancellationToken, Task> run)
    {
        Services.AddSingleton(new BackgroundWork($"{module}/{name}", stop, run));
        return this;
    }

    /// <summary>The same, in one process at a time.</summary>
    public ModuleBuilder LeasedWork(string name, StopOrder stop, Func<IServiceProvider, CancellationToken, Task> run) =>
        Work(name, stop, (provider, cancellationToken) => provider.GetRequiredService<LeaseKeeper>().RunAsync($"{module}/{name}", token => run(provider, token), cancellationToken));

    private sealed class CheckBetween(Func<IReadOnlyList<string>> faults) : IStartCheck
    {
        public IEnumerable<string> Faults()
        {
            try
            {
                return faults();
            }
            catch (InvalidConfigurationException)
            {
                // Told already, by whoever checks these options.
                return [];
            }
        }
    }

    private sealed class ReadHealth(Func<HealthReading> read) : IHealthSource
    {
        public IEnumerable<HealthReading> Read() => [read()];
    }
}
