using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Execution;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Venues;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.DependencyInjection;
using Xunit;
using ApiKey = Antbot.PaperVenue.ApiKey;

namespace Antbot.Integration.Tests.Execution;

/// <summary>Execution over the real adapter and the real paper venue.</summary>
public sealed class PaperVenueTests : IAsyncLifetime
{
    private readonly RecordingBus _bus = new();
    private RunningVenue _server = null!;
    private ServiceProvider _services = null!;
    private ExecutionRig _rig = null!;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningVenue.StartAsync(o => o with { Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "100000" } });
        _services = VenueAdapterTests.Connect(_server.Server.Address, _server.Server.Key.Key, _server.Server.Key.Secret);
        _rig = new ExecutionRig(new InMemoryEventStore(Guid.NewGuid()), _services.GetRequiredService<IVenue>(), _services.GetRequiredService<IMarketData>(), _bus);
        _rig.StartKeeper();
    }

    public async ValueTask DisposeAsync()
    {
        await _rig.DisposeAsync();
        await _services.DisposeAsync();
        await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_trade_is_entered_protected_and_closed()
    {
        var trade = ExecutionRig.TradeOf(1);
        await _rig.ExecuteAsync(await SignalAsync(trade));
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "the stop rests");
        Assert.Equal("STOP_LOSS", (await _server.Client.FindAsync(ClientOrderId.Of(trade, OrderRole.Stop, 0).Value))["type"]);
        await _rig.CloseAsync(trade);
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "it is closed");
        await BalancesFitAsync([trade]);
    }

    [Fact]
    public async Task Under_faults_of_every_kind_each_order_is_placed_once_and_the_account_fits_the_record()
    {
        foreach (var kind in new[] { "acceptThenTimeout", "resetAfter", "resetBefore", "errorAfter", "errorBefore", "drop", "delay" })
            await _server.Client.FaultAsync(new { kind, route = "order", probability = 0.04, ms = 1_500, status = 503 });
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "cancel", probability = 0.1, status = 503 });
        await _server.Client.FaultAsync(new { kind = "resetAfter", route = "query", probability = 0.1, ms = 10 });
        var trades = Enumerable.Range(0, 60).Select(ExecutionRig.TradeOf).ToList();
        await Parallel.ForEachAsync(trades, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (trade, _) => await _rig.ExecuteAsync(await SignalAsync(trade)));
        await _rig.UntilAsync(async () => (await StatesAsync(trades)).All(s => s.IsDone || s.Stop is { Status: OrderStatus.Resting }), "every entry is known, every position protected");
        await Parallel.ForEachAsync(trades, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (trade, _) => await _rig.CloseAsync(trade));
        await _rig.UntilAsync(async () => (await StatesAsync(trades)).All(s => s.IsDone), "everything is closed");
        await _server.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");

        var orders = (await _server.Client.SignedAsync(HttpMethod.Get, "/api/v3/allOrders", ("symbol", "BTCUSDT"), ("limit", "1000"))).Json.EnumerateArray().ToList();
        Assert.All(orders.GroupBy(o => o.GetProperty("clientOrderId").GetString(), StringComparer.Ordinal), same => Assert.Single(same));
        Assert.Contains(await StatesAsync(trades), s => s.Stage == TradeStage.Closed);
        Assert.DoesNotContain(orders, o => o.GetProperty("status").GetString() is "NEW" or "PARTIALLY_FILLED");
        await BalancesFitAsync(trades);
    }

    /// <summary>Prevents a position that nobody knows of and no stop protects: what fills while nothing is heard is found in the venue's list of trades.</summary>
    [Fact]
    public async Task A_fill_of_while_every_connection_was_cut_comes_from_the_list_of_trades_into_its_trade()
    {
        await HoldPriceAsync(60_000);
        var (trade, market) = (ExecutionRig.TradeOf(1), _services.GetRequiredService<IMarketData>());
        await _rig.UntilAsync(() => Task.FromResult(Price() is > 59_900 and < 60_100), "the price is heard");
        await _rig.ExecuteAsync(await SignalAsync(trade) with { Kind = OrderKind.Limit, Limit = new Price(59_500), ValidUntil = DateTimeOffset.UtcNow.AddMinutes(10) });
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Entry is { Status: OrderStatus.Resting }, "the entry rests");

        // The streams are cut, and nothing else gets there either; the order fills.
        await _server.Client.AdminAsync(HttpMethod.Post, "/admin/away", new { seconds = 600, mode = "reset" });
        await HoldPriceAsync(59_400);
        var filled = new List<string>();
        await _rig.UntilAsync(async () => (filled = [.. (await FillsAtVenueAsync()).Select(f => f.GetProperty("id").GetRawText())]).Count > 0, "it fills");
        await Task.Delay(TimeSpan.FromSeconds(2), TestContext.Current.CancellationToken);
        Assert.InRange(Price()!.Value, 59_900, 60_100);
        Assert.Equal(Quantity.Zero, (await _rig.StateAsync(trade)).Entry!.Executed);

        // Everything is back but the list of trades: that it was filled is known, and with what is not.
        await _server.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "trades", status = 503 });
        await _rig.UntilAsync(() => Task.FromResult(Price() is > 59_300 and < 59_500), "the stream is back");
        await _rig.UntilAsync(async () => (await _server.Client.AdminAsync(HttpMethod.Get, "/admin/status")).Json.GetProperty("struck").TryGetProperty("errorBefore", out var times) && times.GetInt32() > 0, "the trades are asked for");
        Assert.Equal(Quantity.Zero, (await _rig.StateAsync(trade)).Entry!.Executed);

        await _server.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "it is a position, and protected");
        var events = await _rig.EventsAsync(trade);
        var entry = ClientOrderId.Of(trade, OrderRole.Entry, 0);
        Assert.Equal(filled.Order(StringComparer.Ordinal), events.OfType<OrderFilled>().Where(f => f.Order == entry).Select(f => f.FillId).Order(StringComparer.Ordinal));
        Assert.Equal((await FillsAtVenueAsync()).Sum(f => decimal.Parse(f.GetProperty("qty").GetString()!)), Assert.Single(events.OfType<PositionOpened>()).Quantity.Value);
        await _rig.CloseAsync(trade);
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "it is closed");
        await BalancesFitAsync([trade]);

        decimal? Price() => market.Latest(new Symbol("BTCUSDT"))?.Middle.Value;

        async Task HoldPriceAsync(int price) => Assert.Equal(200, (await _server.Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = $"{price}" })).Status);

        async Task<List<System.Text.Json.JsonElement>> FillsAtVenueAsync()
        {
            var order = (await _server.Client.LedgerAsync("order")).Single(o => o.GetProperty("clientOrderId").GetString() == ClientOrderId.Of(trade, OrderRole.Entry, 0).Value).GetProperty("orderId").GetInt64();
            return [.. (await _server.Client.LedgerAsync("fill")).Where(f => f.GetProperty("orderId").GetInt64() == order)];
        }
    }

    /// <summary>Prevents a position that lies without a stop for up to an hour, because the rest of its entry rests that long.</summary>
    [Fact]
    public async Task What_an_entry_has_filled_of_itself_is_protected_within_seconds_though_its_rest_could_rest_for_long()
    {
        using var seller = await OpenSellerAsync();
        var trade = await RestAsync();
        var entry = ClientOrderId.Of(trade, OrderRole.Entry, 0);
        Assert.Equal("FILLED", (await seller.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "MARKET"), ("quantity", "0.0005")))["status"]);
        Assert.Equal(("PARTIALLY_FILLED", "0.00050000"), await OfEntryAsync());

        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "what is filled is protected");
        Assert.Equal(("CANCELED", "0.00050000"), await OfEntryAsync());
        var stop = await _server.Client.FindAsync(ClientOrderId.Of(trade, OrderRole.Stop, 0).Value);
        Assert.Equal(("STOP_LOSS", "NEW"), (stop["type"], stop["status"]));
        Assert.InRange(decimal.Parse(stop["origQty"]), 0.00049m, 0.0005m);
        var waited = DateTimeOffset.FromUnixTimeMilliseconds(long.Parse(stop["time"])) - (await _rig.EventsAsync(trade)).OfType<OrderFilled>().First().VenueTime;
        Assert.InRange(waited, TimeSpan.FromSeconds(2), TimeSpan.FromSeconds(30));
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeOpened>().Count == 1), "it is told");
        Assert.Equal(0.0005m, _bus.Of<TradeOpened>()[0].Quantity.Value);
        await _rig.CloseAsync(trade);
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "it is closed");
        await BalancesFitAsync([trade]);

        async Task<(string, string)> OfEntryAsync() => await _server.Client.FindAsync(entry.Value) is var found ? (found["status"], found["executedQty"]) : default;
    }

    /// <summary>Prevents a stop for a part of what is held: while the rest was to be cancelled it was filled, and the venue knows of nothing to cancel any more.</summary>
    [Fact]
    public async Task A_rest_that_fills_before_its_cancel_gets_there_is_protected_with_the_part_before_it()
    {
        using var seller = await OpenSellerAsync();
        var trade = await RestAsync();
        await _server.Client.FaultAsync(new { kind = "errorBefore", route = "cancel", status = 503 });
        await SellAsync("0.0005");
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Entry is { CancelIntended: true }, "its rest is to be cancelled");
        var whole = (await _rig.StateAsync(trade)).Entry!.Intended.Quantity;
        await SellAsync($"{whole.Value - 0.0005m}");
        await _server.Client.AdminAsync(HttpMethod.Delete, "/admin/faults");

        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Stop is { Status: OrderStatus.Resting }, "all of it is protected");
        Assert.Equal("FILLED", (await _server.Client.FindAsync(ClientOrderId.Of(trade, OrderRole.Entry, 0).Value))["status"]);
        var state = await _rig.StateAsync(trade);
        Assert.Equal((whole, OrderEnd.Filled), (state.Position!.Quantity, state.Entry!.End));
        Assert.InRange(state.Held() - state.Stop!.Intended.Quantity.Value, 0, 0.00001m);
        await _rig.CloseAsync(trade);
        await _rig.UntilAsync(() => Task.FromResult(_bus.Of<TradeClosed>().Count == 1), "it is closed");
        await BalancesFitAsync([trade]);

        async Task SellAsync(string quantity) => Assert.Equal("FILLED", (await seller.OrderAsync(("symbol", "BTCUSDT"), ("side", "SELL"), ("type", "MARKET"), ("quantity", quantity)))["status"]);
    }

    /// <summary>Somebody who sells to whatever rests, at a price that does not move.</summary>
    private async Task<VenueClient> OpenSellerAsync()
    {
        Assert.Equal(200, (await _server.Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "60000" })).Status);
        var opened = await _server.Client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "seller", deposits = new { BTC = "1" } });
        return new VenueClient(_server.Server.Address, new ApiKey("seller", opened["apiKey"], opened["apiSecret"]));
    }

    /// <summary>An entry above the best bid, so that whoever sells sells to it, and below where the market would take it.</summary>
    private async Task<TradeId> RestAsync()
    {
        var (trade, market) = (ExecutionRig.TradeOf(1), _services.GetRequiredService<IMarketData>());
        await _rig.UntilAsync(() => Task.FromResult(market.Latest(new Symbol("BTCUSDT"))?.Middle.Value is > 59_900 and < 60_100), "the price is heard");
        var book = market.Latest(new Symbol("BTCUSDT"))!;
        var limit = new Price(Math.Round(book.Bid.Value + (book.Middle.Value - book.Bid.Value) / 2, 2));
        Assert.InRange(limit.Value, book.Bid.Value + 0.01m, book.Ask.Value - 0.01m);
        await _rig.ExecuteAsync(await SignalAsync(trade) with { Kind = OrderKind.Limit, Limit = limit, ValidUntil = DateTimeOffset.UtcNow.AddMinutes(10) });
        await _rig.UntilAsync(async () => (await _rig.StateAsync(trade)).Entry is { Status: OrderStatus.Resting }, "the entry rests");
        return trade;
    }

    private Task<OrdersState[]> StatesAsync(IEnumerable<TradeId> trades) => Task.WhenAll(trades.Select(_rig.StateAsync));

    private async Task<Signal> SignalAsync(TradeId trade)
    {
        var market = _services.GetRequiredService<IMarketData>();
        await _rig.UntilAsync(() => Task.FromResult(market.Latest(new Symbol("BTCUSDT")) is not null), "there is a price");
        return ExecutionRig.Signal(trade) with { Reference = market.Latest(new Symbol("BTCUSDT"))!.Middle };
    }

    /// <summary>What the venue holds for us is what the records say is left, and the money that is gone is the money that was lost.</summary>
    private async Task BalancesFitAsync(IReadOnlyList<TradeId> trades)
    {
        var closed = (await Task.WhenAll(trades.Select(_rig.EventsAsync))).SelectMany(e => e).OfType<PositionClosed>().ToList();
        var account = (await _server.Client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Json.GetProperty("balances").EnumerateArray()
            .ToDictionary(b => b.GetProperty("asset").GetString()!, b => decimal.Parse(b.GetProperty("free").GetString()!) + decimal.Parse(b.GetProperty("locked").GetString()!), StringComparer.Ordinal);
        Assert.Equal(closed.Sum(c => c.Left.Value), account["BTC"]);
        Assert.Equal(100_000 + closed.Sum(c => c.Realised.Value), account["USDT"]);
    }
}
