namespace Antbot.Chaos.Faults;

/// <summary>What the venue does by itself, over its admin routes.</summary>
internal static class VenueFaults
{
    public static async Task SilentAsync(Scene scene)
    {
        await OrderAsync(scene, new { kind = "acceptThenTimeout", route = "order", probability = 0.3, ms = 10_000, seconds = 20 });
        await scene.WaitAsync(20);
        await ClearAsync(scene);
    }

    public static async Task AwayAsync(Scene scene, string mode)
    {
        await scene.Target.VenueAsync(HttpMethod.Post, "away", new { seconds = 30, mode }, scene.Cancel);
        await scene.WaitAsync(30);
    }

    public static async Task TimeOutAsync(Scene scene)
    {
        await OrderAsync(scene, new { kind = "drop", route = "all", ms = 60_000, seconds = 60 });
        await scene.WaitAsync(60);
        await ClearAsync(scene);
    }

    public static async Task ClockAsync(Scene scene, int seconds)
    {
        await scene.Target.VenueAsync(HttpMethod.Post, "clock", new { ms = seconds * 1_000 }, scene.Cancel);
        await scene.WaitAsync(20);
        await scene.Target.VenueAsync(HttpMethod.Post, "clock", new { ms = 0 }, scene.Cancel);
    }

    /// <summary>Several kinds at a time, each with its probability; one that never struck has proved nothing.</summary>
    public static async Task ManyAsync(Scene scene, params (string Kind, string Route, double Probability, int Milliseconds)[] faults)
    {
        var before = (await scene.Target.VenueFaultsAsync(scene.Cancel)).Struck;
        foreach (var (kind, route, probability, ms) in faults)
            await OrderAsync(scene, new { kind, route, probability, ms });
        await scene.WaitAsync(20);
        await ClearAsync(scene);
        var after = (await scene.Target.VenueFaultsAsync(scene.Cancel)).Struck;
        var struck = faults.Select(f => f.Kind).Distinct(StringComparer.Ordinal).Select(k => (Kind: k, Times: after.GetValueOrDefault(k) - before.GetValueOrDefault(k))).ToList();
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

    public static Task OrderAsync(Scene scene, object fault) => scene.Target.VenueAsync(HttpMethod.Post, "faults", fault, scene.Cancel);

    public static Task ClearAsync(Scene scene) => scene.Target.VenueAsync(HttpMethod.Delete, "faults", null, scene.Cancel);
}
