using System.ComponentModel.DataAnnotations;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.Resilience;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Health;
using Antbot.Runtime.Pipeline;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Antbot.Testing.Service;

public sealed class FirstOptions
{
    [Range(1, 10)]
    public int Number { get; set; } = 5;

    public decimal Share { get; set; } = 0.5m;

    [StringLength(100, MinimumLength = 8)]
    public string Secret { get; set; } = "not a secret";
}

/// <summary>How many wishes a stream has heard.</summary>
public sealed record Heard(int Times)
{
    public static Fold<Heard> Fold { get; } = new("heard-1", new Heard(0), (state, _) => new Heard(state.Times + 1));
}

/// <summary>Takes Execution's place: <c>POST /wishes?trade=…&amp;reason=…</c> becomes a message, an event, and the next message.</summary>
public sealed class FirstModule : IServiceModule
{
    private static readonly Behaviour<Heard> Behaviour = new("execution", Heard.Fold, Decide, React);

    public string Name => Routes.Execution;

    public void Configure(ModuleBuilder builder)
    {
        builder.Options<FirstOptions>();
        builder.Services.AddSingleton(provider => new StreamPipeline<Heard>(provider.GetRequiredService<PipelineParts>(), Behaviour));
        builder.Handle<CloseTrade, WishHandler>();
        builder.Health(_ => new HealthReading("wishes", HealthState.Ok));
        // The last to be stopped first, so that the order is not the one they are written in.
        foreach (var order in Enum.GetValues<StopOrder>().OrderDescending())
            builder.Work($"lingers-{order}", order, (provider, cancellationToken) => LingerAsync(order, provider.GetRequiredService<ILogger<FirstModule>>(), cancellationToken));
        builder.LeasedWork("count", StopOrder.Work, (_, cancellationToken) => Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken));
    }

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/wishes", WishAsync);
        routes.MapPost("/calls", Call);
    }

    /// <summary><c>POST /calls?outcome=failed</c>: a call over a route with a breaker that ends so, or succeeds.</summary>
    private static Task Call(HttpContext context)
    {
        var breaker = context.RequestServices.GetRequiredService<BreakerPanel>().Get("test-route", BreakerOptions.Default with { OpenFor = TimeSpan.FromSeconds(10) }, TimeProvider.System);
        var call = breaker.TryEnter(out _);
        if (context.Request.Query["outcome"] == "failed")
            call?.Failed();
        else
            call?.Succeeded();
        return Task.CompletedTask;
    }

    /// <summary>Takes its time to end, and says when it was told to and when it has.</summary>
    private static async Task LingerAsync(StopOrder order, ILogger log, CancellationToken cancellationToken)
    {
        await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        log.LogInformation("Lingering: {Order} is told to stop", order);
        await Task.Delay(TimeSpan.FromMilliseconds(200), CancellationToken.None);
        log.LogInformation("Lingering: {Order} has ended", order);
    }

    private static async Task WishAsync(HttpContext context)
    {
        var trade = TradeId.From(context.Request.Query["trade"]!);
        var message = new CloseTrade(trade, AccountId.From("main"), context.Request.Query["reason"].ToString());
        context.RequestServices.GetRequiredService<ILogger<FirstModule>>().LogInformation("A wish for {Trade}; the secret is {Secret}", trade, context.RequestServices.GetRequiredService<FirstOptions>().Secret);
        var id = DeterministicId.From("wish", trade.Value, message.Reason);
        await context.RequestServices.GetRequiredService<IMessageBus>().PublishAsync([new OutboundMessage(id, Routes.Execution, message, trade.Value, Traces.Current)], context.RequestAborted);
        context.Response.StatusCode = StatusCodes.Status202Accepted;
    }

    private static IReadOnlyList<object> Decide(Heard state, object input, DateTimeOffset now) =>
        input is CloseTrade wish ? [new MaintenanceSet(On: true, wish.Reason, wish.Trade.Value)] : [];

    private static IReadOnlyList<object> React(object @event) =>
        @event is MaintenanceSet heard ? [new EntryFailed(TradeId.From(heard.By), AccountId.From("main"), heard.Message)] : [];

    private sealed class WishHandler(StreamPipeline<Heard> pipeline) : IMessageHandler<CloseTrade>
    {
        public async Task HandleAsync(CloseTrade message, Input input, CancellationToken cancellationToken)
        {
            switch (message.Reason)
            {
                case "slow":
                    await Task.Delay(TimeSpan.FromSeconds(2), CancellationToken.None);
                    break;
                case "for ever":
                    await Task.Delay(Timeout.InfiniteTimeSpan, CancellationToken.None);
                    break;
                case "needs the venue":
                    throw new DependencyDownException("venue", "The venue is closed.");
                case "bad":
                    throw new InvalidOperationException("bad");
            }
            await pipeline.HandleAsync(new StreamId($"heard-{message.Trade.Value}"), input, cancellationToken);
        }
    }
}

/// <summary>Takes Risk's place: records what it was told.</summary>
public sealed class SecondModule : IServiceModule
{
    private static readonly Behaviour<Heard> Behaviour = new("risk", Heard.Fold, Decide, _ => []);

    public string Name => Routes.Risk;

    public void Configure(ModuleBuilder builder)
    {
        builder.Services.AddKeyedSingleton(Name, (provider, _) => new StreamPipeline<Heard>(provider.GetRequiredService<PipelineParts>(), Behaviour));
        builder.Handle<EntryFailed, ToldHandler>();
    }

    private static IReadOnlyList<object> Decide(Heard state, object input, DateTimeOffset now) =>
        input is EntryFailed told ? [new MaintenanceSet(On: false, told.Reason, told.Trade.Value)] : [];

    private sealed class ToldHandler([FromKeyedServices(Routes.Risk)] StreamPipeline<Heard> pipeline) : IMessageHandler<EntryFailed>
    {
        public Task HandleAsync(EntryFailed message, Input input, CancellationToken cancellationToken) =>
            pipeline.HandleAsync(new StreamId($"told-{message.Trade.Value}"), input, cancellationToken);
    }
}
