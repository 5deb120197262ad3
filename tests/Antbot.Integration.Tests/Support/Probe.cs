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
internal sealed class MarketModule(FakeMarket market) : IServiceModule
{
    public string Name => "market";

    public void Configure(ModuleBuilder builder) => builder.Services.AddSingleton<IMarketData>(market);
}

internal static class Eventually
{
    /// <summary>Only against hanging: nothing is said about how long it should take.</summary>
    private static readonly TimeSpan AtMost = TimeSpan.FromSeconds(60);

    public static async Task HoldsAsync(Func<bool> holds, Func<string> otherwise, CancellationToken cancellationToken)
    {
        var until = DateTime.UtcNow + AtMost;
        while (!holds())
        {
            if (DateTime.UtcNow > until)
                throw new TimeoutException(otherwise());
            await Task.Delay(20, cancellationToken);
        }
    }
}
