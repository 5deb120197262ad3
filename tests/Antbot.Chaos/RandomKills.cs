using Antbot.Chaos.Running;

namespace Antbot.Chaos;

/// <summary>Kills of anything at any time, as many as are asked for. The tally is on disk after each batch, and the next run goes on from there.</summary>
internal sealed class RandomKills(Campaign campaign, string artifacts, int goal, TextWriter output, TextWriter progress)
{
    private const int BatchKills = 40;

    /// <summary>Then a fresh history: reading a long one would take longer than the kills.</summary>
    private const int BatchesAPlatform = 10;

    private const int PauseMillisecondsMax = 2_500;

    private static readonly string[] Victims = [.. Programs.Services, "venue", "postgres", "rabbitmq"];

    private readonly string _file = Path.Combine(artifacts, "kills.json");

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        var tally = KillTally.Read(_file, goal) ?? KillTally.Empty(Environment.TickCount & 0xFFFFFF);
        if (tally.Kills > 0)
            await output.WriteLineAsync($"{tally.Kills} kills were done before; it goes on from there. Remove {_file} to begin afresh.");
        while (tally.Kills < goal && !tally.IsHopeless)
        {
            var done = new SortedDictionary<string, int>(StringComparer.Ordinal);
            var random = new Random(tally.Seed + tally.Batches);
            var count = Math.Min(BatchKills, goal - tally.Kills);
            var @case = new Case($"kills-{tally.Batches + 1}", "Killed at random", $"{count} kills of anything at any time", scene => KillAsync(scene, random, count, done))
            {
                MayOpenBreaker = true,
                Spoils = (tally.Batches + 1) % BatchesAPlatform == 0,
            };
            if (await campaign.RunAsync(@case, what => progress.WriteLine($"   {DateTime.Now:HH:mm:ss} {@case.Name}: {what}"), cancellationToken) is not { } result)
                break;
            tally = tally.After(done, result.Accepted, result.Passed ? null : $"{result.Evidence}: {string.Join(" | ", result.Faults)}");
            tally.Write(_file);
            await output.WriteLineAsync($"{tally.Kills,6}/{goal} kills, {tally.Trades:N0} trades, {tally.Failures.Count} of {tally.Batches} batches failed; the last was {(result.Passed ? $"at rest after {result.Converged!.Value.TotalSeconds:0} s" : $"FAILED: {result.Faults[0]}")}");
        }
        await output.WriteLineAsync(string.Join(", ", tally.ByVictim.Select(v => $"{v.Key} {v.Value}")));
        foreach (var failure in tally.Failures)
            await output.WriteLineAsync(failure);
        await output.WriteLineAsync($"{tally.Batches - tally.Failures.Count} passed, {tally.Failures.Count} failed");
        if (tally.IsHopeless)
        {
            await output.WriteLineAsync($"In the last {tally.Barren} batches nobody could be killed: it gives up. What stands above says why; remove {_file} to begin afresh.");
            return 2;
        }
        return tally.Kills < goal ? 130 : tally.Failures.Count == 0 ? 0 : 1;
    }

    private static async Task KillAsync(Scene scene, Random random, int count, SortedDictionary<string, int> done)
    {
        for (var i = 0; i < count; i++)
        {
            await Task.Delay(random.Next(PauseMillisecondsMax), scene.Cancel);
            var victim = Victims[random.Next(Victims.Length)];
            switch (victim)
            {
                case "postgres":
                    await scene.Services.Postgres.KillAsync(scene.Cancel);
                    await scene.Services.Postgres.StartAgainAsync(scene.Cancel);
                    break;
                case "rabbitmq":
                    await scene.Services.Rabbit.KillAsync(scene.Cancel);
                    await scene.Services.Rabbit.StartAgainAsync(scene.Cancel);
                    break;
                default:
                    // One that is being started is not there to be killed; the next moment is as good.
                    await scene.UntilAsync(() => scene.Target[victim].Send(Signals.Kill), $"{victim} runs");
                    break;
            }
            done[victim] = done.GetValueOrDefault(victim) + 1;
            if (i % 10 == 9)
                scene.Say($"{i + 1} of {count} kills, {scene.Load.AcceptedCount} signals accepted");
        }
        scene.Note(string.Join(", ", done.Select(d => $"{d.Key} {d.Value}")));
        scene.Healed();
        await Task.WhenAll(Programs.Services.Append("venue").Select(scene.ReadyAsync));
    }
}
