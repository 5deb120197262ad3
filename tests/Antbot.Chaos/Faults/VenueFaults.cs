using System.Globalization;
using System.Text.Json;

namespace Antbot.Chaos.Faults;

/// <summary>What the venue does by itself, over its admin routes.</summary>
internal static class VenueFaults
{
    /// <summary>How wrong a clock may be that is right, and what the way there and back takes.</summary>
    private const double ClockToleranceSeconds = 10;

    public static Task AwayAsync(Scene scene, string mode, double seconds = 30) => StruckAsync(scene, ["away"], async () =>
    {
        await scene.Target.VenueAsync(HttpMethod.Post, "away", new { seconds, mode }, scene.Cancel);
        await scene.WaitAsync(seconds);
    });

    public static async Task ClockAsync(Scene scene, int seconds)
    {
        await scene.Target.VenueAsync(HttpMethod.Post, "clock", new { ms = seconds * 1_000 }, scene.Cancel);
        var off = await ClockOffAsync(scene);
        scene.Note($"the venue's clock went {off.ToString("0.0", CultureInfo.InvariantCulture)} s wrong");
        if (Math.Abs(off - seconds) > ClockToleranceSeconds)
            scene.Fault($"the venue's clock never went {seconds} s wrong");
        await scene.WaitAsync(20);
        await scene.Target.VenueAsync(HttpMethod.Post, "clock", new { ms = 0 }, scene.Cancel);
        if (Math.Abs(await ClockOffAsync(scene)) > ClockToleranceSeconds)
            scene.Fault("the venue's clock did not become right again");
    }

    /// <summary>Several kinds at a time, each with its probability, for twenty seconds.</summary>
    public static Task ManyAsync(Scene scene, params (string Kind, string Route, double Probability, int Milliseconds)[] faults) => ManyAsync(scene, 20, faults);

    public static Task ManyAsync(Scene scene, double seconds, params (string Kind, string Route, double Probability, int Milliseconds)[] faults) => StruckAsync(scene, faults.Select(f => f.Kind), async () =>
    {
        foreach (var (kind, route, probability, ms) in faults)
            await OrderAsync(scene, new { kind, route, probability, ms });
        await scene.WaitAsync(seconds);
        await ClearAsync(scene);
    });

    public static Task OrderAsync(Scene scene, object fault) => scene.Target.VenueAsync(HttpMethod.Post, "faults", fault, scene.Cancel);

    /// <summary>Counted where they strike: a kind that never did has proved nothing.</summary>
    private static async Task StruckAsync(Scene scene, IEnumerable<string> kinds, Func<Task> act)
    {
        var before = (await scene.Target.VenueFaultsAsync(scene.Cancel)).Struck;
        await act();
        var after = (await scene.Target.VenueFaultsAsync(scene.Cancel)).Struck;
        var struck = kinds.Distinct(StringComparer.Ordinal).Select(k => (Kind: k, Times: after.GetValueOrDefault(k) - before.GetValueOrDefault(k))).ToList();
        scene.Note(string.Join(", ", struck.Select(s => $"{s.Kind} {s.Times}")));
        foreach (var (kind, _) in struck.Where(s => s.Times == 0))
            scene.Fault($"{kind} has not struck once");
    }

    /// <summary>
    /// Books that are old, then books whose sides cross. Within five seconds the last price is too old to be traded on, and from then on
    /// nothing is entered until there are prices again.
    /// </summary>
    public static async Task BooksAsync(Scene scene)
    {
        foreach (var kind in new[] { "staleBook", "crossedBook" })
        {
            await scene.AcceptedAsync(5);
            await OrderAsync(scene, new { kind, route = "all", probability = 1.0 });
            await scene.WaitAsync(8);
            var before = (await scene.Target.ReadStoreAsync(scene.Cancel)).Events[^1].Sequence;
            await scene.WaitAsync(10);
            var entered = (await scene.Target.ReadStoreAsync(scene.Cancel)).Events.Where(e => e.Sequence > before && e.Type == "order_attempted" && e.Body.GetProperty("Order").GetString()![0] == 'e').ToList();
            await ClearAsync(scene);
            var struck = (await scene.Target.VenueFaultsAsync(scene.Cancel)).Struck.GetValueOrDefault(kind);
            scene.Note($"{kind} {struck}, {entered.Count} entered on it");
            if (struck == 0)
                scene.Fault($"{kind} has not struck once");
            foreach (var wrong in entered.Take(3))
                scene.Fault($"{wrong.Stream} was entered on a {kind}");
        }
    }

    /// <summary>Asked again where the connection that was kept from before had been reset meanwhile.</summary>
    private static async Task<double> ClockOffAsync(Scene scene)
    {
        byte[] body = [];
        await scene.UntilAsync(
            async () =>
            {
                try
                {
                    body = await scene.Target.Http.GetByteArrayAsync(new Uri(scene.Services.VenueAddress, "/api/v3/time"), scene.Cancel);
                    return true;
                }
                catch (HttpRequestException)
                {
                    return false;
                }
            },
            "the venue tells the time", TimeSpan.FromSeconds(5));
        return (JsonElement.Parse(body).GetProperty("serverTime").GetInt64() - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()) / 1_000.0;
    }

    public static Task ClearAsync(Scene scene) => scene.Target.VenueAsync(HttpMethod.Delete, "faults", null, scene.Cancel);
}
