using Antbot.Chaos.Checking;

namespace Antbot.Chaos.Faults;

/// <summary>Faults spread over trades that come all the time: each after a further part of them, and each while some are under way.</summary>
internal static class Midst
{
    /// <summary>Where more come than it can carry, most are turned away.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <param name="trades">So many at least are taken, before, between and after the faults.</param>
    /// <param name="patience">For a trade to be under way.</param>
    public static async Task StrikeAsync(Scene scene, int trades, IReadOnlyList<(string What, Func<Task> Do)> faults, TimeSpan? patience = null)
    {
        var (part, met) = (trades / (faults.Count + 1), new List<string>());
        foreach (var (what, @do) in faults)
        {
            await scene.AcceptedAsync(part, Patience);
            var underWay = 0;
            await scene.UntilAsync(async () => (underWay = Checker.UnderWay(await scene.Target.ReadStoreAsync(scene.Cancel), Now)) > 0, $"a trade is under way when it comes to '{what}'", patience ?? Patience);
            scene.Say($"{what}, with {underWay} of {scene.Load.AcceptedCount} trades under way");
            met.Add($"{what} {underWay}");
            await @do();
        }
        await scene.AcceptedAsync(Math.Max(part, trades - scene.Load.AcceptedCount), Patience);
        scene.Note($"{met.Count} faults in the middle of {scene.Load.AcceptedCount} trades, so many under way at each: {string.Join(", ", met)}");
        if (scene.Load.TurnedAway > 0)
            scene.Note($"{scene.Load.TurnedAway} signals were turned away and told so");
    }

    /// <summary>As the store has it.</summary>
    private static long Now => (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
