using Antbot.Contracts;
using Antbot.Contracts.Messages;
using MassTransit;
using Npgsql;

namespace Antbot.Testing.PlainPipeline;

/// <summary>The way in: recorded, published, answered.</summary>
internal static class SignalRoute
{
    private sealed record Body(string Symbol, string Side, decimal Price, decimal Notional, string Key);

    public static void Map(WebApplication app, NpgsqlDataSource source) => app.MapPost("/signals", async context =>
    {
        var body = await context.Request.ReadFromJsonAsync<Body>() ?? throw new BadHttpRequestException("There is no body.");
        var now = DateTimeOffset.UtcNow;
        var trade = new TradeId(Guid.NewGuid());
        var signal = new Signal(
            trade, new AccountId("main"), "webhook:plain", new Symbol(body.Symbol), Side.Buy, OrderKind.Market, new Price(body.Price), Limit: null, new Price(body.Price * 0.98m),
            new Price(body.Price * 1.04m), new Money(body.Notional), Confidence: 0.8m, now, now.AddMinutes(10));
        await using (var transaction = await PlainTransaction.BeginAsync(source))
        {
            await transaction.RunAsync("insert into plain_signals (key, trade, signal) values ($1, $2, $3)", body.Key, trade.Guid, Json.Of(signal));
            await transaction.CommitAsync();
        }
        await app.Services.GetRequiredService<IBus>().Publish(new SignalRaised(signal));
        context.Response.StatusCode = StatusCodes.Status202Accepted;
        await context.Response.WriteAsJsonAsync(new { tradeId = trade.Value });
    });
}
