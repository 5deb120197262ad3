using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>Somebody else trades on the account by hand, with the same key, while our own trades come and go.</summary>
internal static class Strangers
{
    private const string Symbol = "ETHUSDT";
    private const string Asset = "ETH";

    private static readonly TimeSpan EndsWithin = TimeSpan.FromMinutes(3);

    /// <summary>
    /// Bought by hand it becomes a trade with a stop; when the stop is cancelled, and all of the asset that is free is sold by hand, it is
    /// written off. That is a loss, and the limit for a day's must be left for others.
    /// </summary>
    public static async Task BuyAndSellAsync(Scene scene)
    {
        var trader = new HandTrader(scene);
        await trader.OrderAsync(HttpMethod.Post, ("side", "BUY"), ("type", "MARKET"), ("quantity", "0.05"), ("newClientOrderId", HandTrader.Name()));
        var (trade, quantity) = await AdoptedAsync(scene, "position_adopted", e => e.Body.GetProperty("Symbol").GetString() == Symbol);
        await scene.UntilAsync(async () => (await StopsAsync(scene, trade)).Count > 0, $"a stop of {trade} rests at the venue");
        // Its stop holds the coins, and another may be there before they are sold: whoever does it by hand tries again.
        await scene.UntilAsync(
            async () =>
            {
                await trader.SellAllAsync(await StopsAsync(scene, trade));
                await scene.WaitAsync(1);
                return await HasEndedAsync(scene, trade);
            },
            $"trade {trade}, whose coins are sold by hand, has ended", EndsWithin);
        scene.Note($"{quantity} {Asset} bought by hand became trade {trade}, which ended when they had been sold by hand");
    }

    /// <summary>An order that rests becomes a trade; its owner cancels it, and every stop of ours that is there.</summary>
    public static async Task BidAndCancelAsync(Scene scene)
    {
        var trader = new HandTrader(scene);
        var price = await trader.PriceAsync();
        var bid = HandTrader.Name();
        await trader.OrderAsync(HttpMethod.Post, ("side", "BUY"), ("type", "LIMIT"), ("timeInForce", "GTC"), ("quantity", "0.5"), ("price", Math.Round(price * 0.9m, 2).ToString(CultureInfo.InvariantCulture)), ("newClientOrderId", bid));
        var (trade, _) = await AdoptedAsync(scene, "order_adopted", e => e.Body.GetProperty("Order").GetString() == bid);
        var cancelled = 0;
        for (var i = 0; i < 10; i++)
        {
            foreach (var order in await StopsAsync(scene))
                cancelled += await trader.TryOrderAsync(HttpMethod.Delete, order.Symbol, ("origClientOrderId", order.ClientId)) ? 1 : 0;
            await scene.WaitAsync(1);
        }
        if (cancelled == 0)
            scene.Fault("no stop could be cancelled by hand: nothing was tried");
        await trader.OrderAsync(HttpMethod.Delete, ("origClientOrderId", bid));
        await scene.UntilAsync(() => HasEndedAsync(scene, trade), $"trade {trade}, whose order is cancelled, has ended", EndsWithin);
        scene.Note($"an order placed by hand became trade {trade} and was cancelled by hand, and so were {cancelled} of our stops");
    }

    private static async Task<(string Trade, decimal Quantity)> AdoptedAsync(Scene scene, string type, Func<EventRow, bool> isIt)
    {
        EventRow? adopted = null;
        await scene.UntilAsync(async () => (adopted = (await scene.Target.ReadStoreAsync(scene.Cancel)).Events.LastOrDefault(e => e.Type == type && isIt(e))) is not null, $"there is a {type}");
        return (adopted!.Stream["order-".Length..], adopted.Body.GetProperty("Quantity").GetDecimal());
    }

    /// <summary>Those that rest at the venue, of one trade or of all.</summary>
    private static async Task<IReadOnlyList<VenueOrder>> StopsAsync(Scene scene, string? trade = null) =>
        [.. (await scene.Target.ReadAsync([], scene.Cancel)).Venue.Orders.Where(o => o.Status == "NEW" && o.ClientId[0] == 's' && Checker.TradeOf(o.ClientId) is { } of && (trade is null || of == trade))];

    private static async Task<bool> HasEndedAsync(Scene scene, string trade) =>
        (await scene.Target.ReadStoreAsync(scene.Cancel)).Events.Any(e => e.Stream == $"trade-{trade}" && e.Type is "trade_closed" or "trade_failed");

    private sealed class HandTrader(Scene scene)
    {
        public static string Name() => $"{Checker.ByHand}{Guid.NewGuid():N}"[..30];

        public async Task<decimal> PriceAsync()
        {
            var answer = JsonElement.Parse(await scene.Target.Http.GetByteArrayAsync(new Uri(scene.Services.VenueAddress, $"/api/v3/ticker/price?symbol={Symbol}"), scene.Cancel));
            return decimal.Parse(answer.GetProperty("price").GetString()!, CultureInfo.InvariantCulture);
        }

        public async Task OrderAsync(HttpMethod method, params (string Name, string Value)[] fields)
        {
            using var answer = await OrderAsync(method, Symbol, fields);
            if (!answer.IsSuccessStatusCode)
                throw new ChaosException($"The venue refused what was ordered by hand: {await answer.Content.ReadAsStringAsync(scene.Cancel)}");
        }

        public async Task<bool> TryOrderAsync(HttpMethod method, string symbol, params (string Name, string Value)[] fields)
        {
            using var answer = await OrderAsync(method, symbol, fields);
            return answer.IsSuccessStatusCode;
        }

        public async Task SellAllAsync(IReadOnlyList<VenueOrder> stops)
        {
            foreach (var stop in stops)
                await TryOrderAsync(HttpMethod.Delete, Symbol, ("origClientOrderId", stop.ClientId));
            using var answer = await SendAsync(HttpMethod.Get, "/api/v3/account", "");
            var account = JsonElement.Parse(await answer.Content.ReadAsByteArrayAsync(scene.Cancel));
            var free = account.GetProperty("balances").EnumerateArray().Where(b => b.GetProperty("asset").GetString() == Asset).Sum(b => decimal.Parse(b.GetProperty("free").GetString()!, CultureInfo.InvariantCulture));
            await TryOrderAsync(HttpMethod.Post, Symbol, ("side", "SELL"), ("type", "MARKET"), ("quantity", (Math.Floor(free * 1_000) / 1_000).ToString(CultureInfo.InvariantCulture)), ("newClientOrderId", Name()));
        }

        private Task<HttpResponseMessage> OrderAsync(HttpMethod method, string symbol, (string Name, string Value)[] fields) =>
            SendAsync(method, "/api/v3/order", $"symbol={symbol}{string.Concat(fields.Select(f => $"&{f.Name}={f.Value}"))}&");

        private async Task<HttpResponseMessage> SendAsync(HttpMethod method, string path, string fields)
        {
            var (key, secret) = scene.Services.VenueKey;
            var query = $"{fields}timestamp={DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}&recvWindow=5000";
            var signature = Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.UTF8.GetBytes(query)));
            using var request = new HttpRequestMessage(method, new Uri(scene.Services.VenueAddress, $"{path}?{query}&signature={signature}"));
            request.Headers.Add("X-MBX-APIKEY", key);
            return await scene.Target.Http.SendAsync(request, scene.Cancel);
        }
    }
}
