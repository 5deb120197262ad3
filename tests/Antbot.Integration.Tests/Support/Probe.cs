using System.Collections.Concurrent;
using Antbot.Hosting;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Integration.Tests.Support;

/// <summary>Stands in for a service: takes one kind of message at its endpoint and keeps what came.</summary>
internal sealed class Probe<TMessage>(string endpoint) : IServiceModule
    where TMessage : class
{
    private readonly ConcurrentQueue<(TMessage Message, Input Input)> _taken = new();

    public string Name => endpoint;

    public IReadOnlyList<(TMessage Message, Input Input)> Taken => [.. _taken];

    public void Configure(ModuleBuilder builder)
    {
        builder.Services.AddSingleton(_taken);
        builder.Handle<TMessage, Handler>();
    }

    internal sealed class Handler(ConcurrentQueue<(TMessage Message, Input Input)> taken) : IMessageHandler<TMessage>
    {
        public Task HandleAsync(TMessage message, Input input, CancellationToken cancellationToken)
        {
            taken.Enqueue((message, input));
            return Task.CompletedTask;
        }
    }
}

/// <summary>Gives a process the market of a test.</summary>
/// <remarks>It comes before the modules that would bring a venue of their own.</remarks>
internal sealed class MarketModule(FakeMarket market) : IServiceModule
{
    public string Name => "market";

    public void Configure(ModuleBuilder builder)
    {
        builder.Services.AddSingleton<IVenue>(_ => throw new NotSupportedException("Nothing is sent to a venue here."));
        builder.Services.AddSingleton<IMarketData>(market);
    }
}
