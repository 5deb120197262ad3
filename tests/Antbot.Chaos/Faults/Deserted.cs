using System.Globalization;
using System.Text.Json;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>Nobody of ours is there, and what protects the account is what rests at the venue.</summary>
internal static class Deserted
{
    private const double Seconds = 30;
    private const decimal FallsTo = 0.5m;

    private static readonly string[] Symbols = ["BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT", "DOGEUSDT"];

    public static async Task CrashAsync(Scene scene)
    {
        // The one that puts the stops there last: what has been entered has one by then, unless it dies in between.
        var services = Programs.Services.Select(s => scene.Target[s]).OrderBy(s => s.Name == "execution").ToList();
        await scene.UntilAsync(async () => (await StopsAsync(scene)).Count >= 3, "stops rest at the venue");
        foreach (var service in services)
        {
            service.HoldDown();
            service.Send(Signals.Kill);
        }
        await scene.UntilAsync(() => services.All(s => s.ProcessId is null), "every service is dead");
        var stops = await StopsAsync(scene);
        if (stops.Count == 0)
            throw new ChaosException("No stop rested at the venue when everybody died: the case says nothing.");
        var prices = await PricesAsync(scene);
        foreach (var (symbol, price) in prices)
            await scene.Target.VenueAsync(HttpMethod.Post, "market", new { symbol, price = Math.Round(price * FallsTo, price > 100 ? 2 : 4).ToString(CultureInfo.InvariantCulture) }, scene.Cancel);
        await scene.WaitAsync(Seconds);
        var left = await StopsAsync(scene);
        scene.Note($"{stops.Count} stops rested there, {left.Count} after the market had fallen to {FallsTo:P0} of its price");
        if (left.Count > 0)
            scene.Fault($"stops did not protect their positions while everybody was dead: {string.Join(", ", left.Take(5).Select(s => $"{s.ClientId} {s.Status}"))}");
        foreach (var symbol in prices.Keys)
            await scene.Target.VenueAsync(HttpMethod.Post, "market", new { symbol, frozen = false }, scene.Cancel);
        foreach (var service in services)
            service.LetRun();
        scene.Healed();
        foreach (var service in services)
            await scene.ReadyAsync(service.Name);
    }

    private static async Task<IReadOnlyList<VenueOrder>> StopsAsync(Scene scene) =>
        [.. (await scene.Target.ReadAsync([], scene.Cancel)).Venue.Orders.Where(o => o.Status is "NEW" or "PARTIALLY_FILLED" && o.ClientId[0] == 's' && Checker.TradeOf(o.ClientId) is not null)];

    private static async Task<Dictionary<string, decimal>> PricesAsync(Scene scene)
    {
        var prices = new Dictionary<string, decimal>(StringComparer.Ordinal);
        foreach (var symbol in Symbols)
        {
            var answer = JsonElement.Parse(await scene.Target.Http.GetByteArrayAsync(new Uri(scene.Services.VenueAddress, $"/api/v3/ticker/price?symbol={symbol}"), scene.Cancel));
            prices[symbol] = decimal.Parse(answer.GetProperty("price").GetString()!, CultureInfo.InvariantCulture);
        }
        return prices;
    }
}
