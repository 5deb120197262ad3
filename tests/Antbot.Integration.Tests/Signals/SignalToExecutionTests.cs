using System.Net;
using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Coordinator;
using Antbot.Hosting;
using Antbot.Integration.Tests.Sqlite;
using Antbot.Integration.Tests.Support;
using Antbot.Risk;
using Antbot.Runtime.Store;
using Antbot.Signals;
using Antbot.Validation;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Signals;

/// <summary>From the HTTP edge to the command that would send an order, through the services as one process hosts them.</summary>
public sealed class SignalToExecutionTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Signals_are_validated_and_executed_until_the_account_is_full_and_every_trade_has_its_end()
    {
        using var folder = new SqliteFolder();
        var (market, execution) = (new FakeMarket(), new Probe<ExecuteTrade>(Routes.Execution));
        string[] args = [$"--Store=sqlite:{folder.Path}", "--Listen=http://127.0.0.1:0", $"--signal:ApiKey={SignalProcess.Key}", "--signal:Strategies=", "--LogLevel=Warning"];
        var app = ServiceHost.Build(args, [new MarketModule(market), new SignalModule(), new CoordinatorModule(), new ValidationModule(), new RiskModule(), execution], out var faults);
        Assert.Empty(faults);
        await using var running = app!;
        await running.StartAsync(Cancel);
        using var client = new HttpClient { BaseAddress = new Uri(running.Urls.Single()) };
        client.DefaultRequestHeaders.Add("X-Api-Key", SignalProcess.Key);

        // 900 each: eleven fit into 10,000. One more says what the first said, one is too large, one names no price that makes sense.
        var bodies = Enumerable.Range(0, 20).Select(i => Body($"source-{i}", 900, 99)).ToList();
        bodies.Add(Body("source-0", 900, 99, "said again"));
        bodies.Add(Body("large", 1_000.01m, 99));
        bodies.Add(Body("odd", 900, 101));
        foreach (var body in bodies)
        {
            using var content = new StringContent(body, Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync("/signals", content, Cancel);
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        }

        var store = running.Services.GetRequiredService<IEventStore>();
        await Eventually.HoldsAsync(async () => (await EndsAsync(store)).Values.Sum() == bodies.Count, "every trade is executed, rejected or denied");
        var ends = await EndsAsync(store);
        Assert.Equal((11, 2, 10), (ends["trade_approved"], ends["trade_rejected"], ends["trade_denied"]));
        await Eventually.HoldsAsync(() => execution.Taken.Select(t => t.Message.Trade).Distinct().Count() == 11, "Execution has all commands");
        Assert.All(execution.Taken, t => Assert.Equal(new Money(900), t.Message.Reserved));
        await running.StopAsync(Cancel);
    }

    private static string Body(string source, decimal notional, decimal stop, string comment = "") =>
        $$"""{"symbol":"BTCUSDT","side":"buy","price":100,"stop":{{stop}},"notional":{{notional}},"source":"{{source}}","comment":"{{comment}}"}""";

    private static async Task<Dictionary<string, int>> EndsAsync(IEventStore store) =>
        (await store.ReadPageAsync(0, 10_000, Cancel)).Where(e => e.Type is "trade_approved" or "trade_rejected" or "trade_denied").CountBy(e => e.Type).ToDictionary();
}
