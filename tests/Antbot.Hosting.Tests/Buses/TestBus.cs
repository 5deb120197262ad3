using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>What the process under test has on its bus.</summary>
internal sealed class TestBusParts
{
    public EndpointCatalog Catalog { get; } = new();

    public IServiceCollection Services { get; } = new ServiceCollection();

    public BusOptions Options { get; init; } = new();

    /// <summary>For handlers that publish; set when the bus has begun.</summary>
    public IMessageBus? Bus { get; set; }

    public TestBusParts Handle<TMessage>(string endpoint, Func<TMessage, Input, CancellationToken, Task> handle)
        where TMessage : class
    {
        Services.AddSingleton(new Handler<TMessage>(handle));
        Catalog.Add<TMessage, Handler<TMessage>>(endpoint);
        return this;
    }

    public TestBusParts Probe(Func<CancellationToken, Task> check)
    {
        Services.AddSingleton<IDependencyProbe>(new TestProbe(check));
        return this;
    }

    private sealed class Handler<TMessage>(Func<TMessage, Input, CancellationToken, Task> handle) : IMessageHandler<TMessage>
        where TMessage : class
    {
        public Task HandleAsync(TMessage message, Input input, CancellationToken cancellationToken) => handle(message, input, cancellationToken);
    }

    private sealed class TestProbe(Func<CancellationToken, Task> check) : IDependencyProbe
    {
        public string Name => "store";

        public Task CheckAsync(CancellationToken cancellationToken) => check(cancellationToken);
    }
}

/// <summary>A process's bus within the test's own process.</summary>
internal sealed class TestBus : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(60);

    private readonly ServiceProvider _services;

    private TestBus(ServiceProvider services) => _services = services;

    public BusRunner Runner => _services.GetRequiredService<BusRunner>();

    public IMessageBus Bus => _services.GetRequiredService<IMessageBus>();

    /// <summary>Begins; whether it comes up is another matter.</summary>
    public static async Task<TestBus> BeginAsync(TestBusParts parts)
    {
        parts.Services.AddAntbotBus(parts.Options, parts.Catalog);
        var bus = new TestBus(parts.Services.BuildServiceProvider());
        parts.Bus = bus.Bus;
        foreach (var service in bus._services.GetServices<IHostedService>())
            await service.StartAsync(TestContext.Current.CancellationToken);
        return bus;
    }

    public static async Task<TestBus> StartAsync(TestBusParts parts)
    {
        var bus = await BeginAsync(parts);
        await bus.UpAsync();
        return bus;
    }

    public Task UpAsync() => UntilAsync(() => Runner.Status() is { IsUp: true } status && status.Endpoints.All(e => e.State == EndpointState.Taking), "the bus is up and its endpoints take messages");

    public async Task UntilAsync(Func<bool> done, string what)
    {
        var limit = DateTime.UtcNow + WaitMax;
        while (!done())
        {
            var status = Runner.Status();
            Assert.True(DateTime.UtcNow < limit, $"Not within {WaitMax.TotalSeconds:0} s: {what}. The bus: {status.Trouble ?? "up"}; {string.Join("; ", status.Endpoints)}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    public Task PublishAsync(string endpoint, object body, Guid? id = null, string? trace = null) => Bus.PublishAsync(
        [new OutboundMessage(id ?? Guid.NewGuid(), endpoint, body, (body as ITradeMessage)?.Trade.Value, trace)], TestContext.Current.CancellationToken);

    public Task StopAsync() => Runner.StopAsync(TestContext.Current.CancellationToken);

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}

internal static class SomeMessage
{
    public static readonly AccountId Account = AccountId.From("main");

    public static CloseTrade Close(string reason = "a test") => new(new TradeId(Guid.NewGuid()), Account, reason);

    /// <summary>One message type for every lane, so that each can be tried.</summary>
    public static object For(string lane, string reason = "a test") => lane switch
    {
        Topology.Intake => Raised(reason),
        Routes.Coordinator => new TradeClosing(new TradeId(Guid.NewGuid()), Account, reason),
        Routes.Validation => new ValidateSignal(ASignal(reason)),
        Routes.Risk => new EntryFailed(new TradeId(Guid.NewGuid()), Account, reason),
        Routes.Execution => Close(reason),
        Routes.Reconciliation => new VerifyTrade(new TradeId(Guid.NewGuid()), Account, Symbol.From("BTCUSDT"), Side.Buy, new Quantity(1), Closed: false, []),
        _ => throw new ArgumentOutOfRangeException(nameof(lane), lane, "There is no such lane."),
    };

    public static SignalRaised Raised(string source = "a test") => new(ASignal(source));

    private static Signal ASignal(string source) => new(
        new TradeId(Guid.NewGuid()), Account, source, Symbol.From("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(100), null, null, null, new Money(10), 0.5m,
        new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2026, 1, 1, 0, 1, 0, TimeSpan.Zero));
}
