using System.Diagnostics;
using System.Globalization;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>The load tests of the document, and the check that belongs to them.</summary>
internal static class LoadTests
{
    /// <summary>With histories of their own: what is measured at their end is theirs.</summary>
    public static Layout Afresh { get; } = new(new Dictionary<string, int>(StringComparer.Ordinal));

    /// <summary>Signals live as long as they do by default: what a machine cannot carry ends in time, and does not wait for minutes.</summary>
    public static Layout Long { get; } = new(new Dictionary<string, int>(StringComparer.Ordinal), SignalLifeSeconds: 30);

    private static readonly TimeSpan FaultEvery = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan OpensWithin = TimeSpan.FromSeconds(10);

    /// <summary>What must be found of a venue that refuses every entry.</summary>
    private static readonly string OpenBreaker = BreakerIs("execution", 2);

    private static readonly TimeSpan CalmWithin = TimeSpan.FromSeconds(75);

    private static readonly (string Kind, double Probability)[] TenPercent = [("errorBefore", 0.04), ("resetBefore", 0.02), ("resetAfter", 0.02), ("errorAfter", 0.01), ("acceptThenTimeout", 0.01)];

    public static async Task ThousandAsync(Scene scene)
    {
        foreach (var (kind, probability) in TenPercent)
            await VenueFaults.OrderAsync(scene, new { kind, route = "order", probability, ms = 10_000 });
        await scene.Load.FinishAsync(scene.Cancel);
        await VenueFaults.ClearAsync(scene);
        scene.Healed();
        var (struck, exposed) = await scene.Target.VenueFaultsAsync(scene.Cancel);
        var share = struck.Values.Sum() / (double)Math.Max(1, exposed);
        scene.Note($"{struck.Values.Sum():N0} of {exposed:N0} requests with orders failed, {share:P1}");
        if (share is < 0.07 or > 0.13)
            scene.Fault($"{share:P1} of the requests with orders failed, and not a tenth");
        // Only what was under way and its consequences may still show; a breaker that opens stays open for a minute and would.
        await scene.WaitAsync(15);
        foreach (var fault in await NotNormalAsync(scene))
            scene.Fault(fault);
    }

    /// <summary>The check must be able to fail: here it has to.</summary>
    public static async Task BreakerAsync(Scene scene)
    {
        await VenueFaults.OrderAsync(scene, new { kind = "errorBefore", route = "order" });
        await scene.Load.FinishAsync(scene.Cancel);
        // A breaker that tries whether the venue is well again is half open for a moment, and then open once more.
        IReadOnlyList<string> found = [];
        await scene.UntilAsync(async () => (found = await NotNormalAsync(scene)).Contains(OpenBreaker, StringComparer.Ordinal), () => $"the check finds that {OpenBreaker}; it found [{string.Join(", ", found)}]", OpensWithin);
        await VenueFaults.ClearAsync(scene);
        scene.Note($"the check found: {string.Join(", ", found)}");
        await scene.UntilAsync(async () => (await NotNormalAsync(scene)).Count == 0, "all is normal again", CalmWithin);
    }

    public static async Task LongAsync(Scene scene)
    {
        (string What, Func<Task> Do)[] faults =
        [
            ("kill execution", () => scene.KillAsync("execution")),
            ("part risk and postgres for 5 s", () => PartAsync(scene, "risk", "postgres")),
            ("kill rabbitmq", () => ServerFaults.KillRabbitAsync(scene)),
            ("kill coordinator", () => scene.KillAsync("coordinator")),
            ("freeze validation for 5 s", () => scene.FreezeAsync("validation", 5)),
            ("kill postgres", () => ServerFaults.RestartPostgresAsync(scene, scene.Services.Postgres.KillAsync)),
            ("the venue is away for 5 s", () => VenueFaults.AwayAsync(scene, "reset", 5)),
            ("kill risk", () => scene.KillAsync("risk")),
        ];
        var (number, began) = (0, Stopwatch.GetTimestamp());
        var sent = scene.Load.FinishAsync(scene.Cancel);
        // One that took longer than it had does not cost the next: that one follows at once.
        while (await Task.WhenAny(sent, Task.Delay(Max(FaultEvery * (number + 1) - Stopwatch.GetElapsedTime(began), TimeSpan.Zero), scene.Cancel)) != sent)
        {
            var (what, @do) = faults[number++ % faults.Length];
            scene.Say($"{scene.Load.AcceptedCount:N0} of {scene.Load.Sent:N0} accepted, {scene.Load.TurnedAway:N0} turned away; {what}");
            await @do();
        }
        var due = (int)(Stopwatch.GetElapsedTime(began) / FaultEvery);
        if (number < due - 1)
            scene.Fault($"there were {number} faults, and every {FaultEvery.TotalSeconds:0} s one would be {due}");
        scene.Note($"{number} faults; no signal was sent more than {scene.Load.Behind.TotalSeconds:0.0} s late, none waited longer than {scene.Load.Waited().All.TotalSeconds:0.0} s for its answer");
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>Which level is not normal, which breaker not closed.</summary>
    private static async Task<IReadOnlyList<string>> NotNormalAsync(Scene scene)
    {
        var faults = new List<string>();
        foreach (var service in Programs.Services)
        {
            if (await scene.Services.GaugeAsync(service, "trading_bot_degradation_level", scene.Cancel) is not 0 and var level)
                faults.Add($"{service} is at degradation level {level?.ToString(CultureInfo.InvariantCulture) ?? "unknown"}");
            if (await scene.Services.GaugeAsync(service, "antbot_breaker_state", scene.Cancel) is > 0 and var state)
                faults.Add(BreakerIs(service, state));
        }
        if (await scene.Services.GaugeAsync("execution", "antbot_breaker_state", scene.Cancel) is null)
            faults.Add("execution says nothing of its breakers");
        return faults;
    }

    private static string BreakerIs(string service, double state) => $"{service} has a breaker that is {(state > 1 ? "open" : "half open")}";

    private static async Task PartAsync(Scene scene, string from, string to)
    {
        var link = scene.Services.LinksTo(to, from).Single();
        link.Set(new Links.Flow(Held: true), new Links.Flow(Held: true));
        await scene.WaitAsync(5);
        link.Heal();
    }
}
