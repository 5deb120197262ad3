using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

internal static class Processes
{
    private const int Deaths = 3;

    /// <summary>So long, with three starts and what each has to do before it dies.</summary>
    private static readonly TimeSpan DieWithin = TimeSpan.FromSeconds(180);

    /// <param name="meanwhile">What brings it to the point again and again, where the load does not.</param>
    public static async Task DieAtAsync(Scene scene, string process, string point, Func<Task>? meanwhile = null)
    {
        var daemon = scene.Target[process];
        // Not at the first time, so that each start has done something before.
        daemon.Crash = ($"{point}:2", Deaths);
        daemon.Send(Signals.Kill);
        // The killed one was not armed yet: only those that died of the point are counted down.
        await scene.UntilAsync(
            async () =>
            {
                if (daemon.Crash.Left > 0 && meanwhile is not null)
                    await meanwhile();
                return daemon.Crash.Left == 0;
            },
            $"{point} is reached {Deaths} times", DieWithin);
        scene.Healed();
        await scene.ReadyAsync(daemon.Name);
        scene.Note($"{Deaths} deaths at {point}");
    }

    private const int KillEachTrades = 200;

    public static Task KillEachAsync(Scene scene)
    {
        return Midst.StrikeAsync(
            scene,
            KillEachTrades,
            [
                Kill("execution"),
                ("kill postgres", () => ServerFaults.RestartPostgresAsync(scene, scene.Services.Postgres.KillAsync)),
                ("kill rabbitmq", () => ServerFaults.KillRabbitAsync(scene)),
                ("restart postgres in order", () => ServerFaults.RestartPostgresAsync(scene, scene.Services.Postgres.StopAsync)),
                ("restart rabbitmq in order", () => ServerFaults.RestartRabbitAsync(scene)),
                // What it opens holds entries back for a minute: those come after it that do not wait for them.
                Kill("venue"),
                .. Programs.Services.Where(s => s != "execution").Select(Kill),
            ]);

        (string What, Func<Task> Do) Kill(string name) => ($"kill {name}", () => scene.KillAsync(name));
    }

    public static async Task RollAsync(Scene scene)
    {
        foreach (var name in Programs.Services)
        {
            var daemon = scene.Target[name];
            var (starts, deaths) = (daemon.Starts, daemon.Deaths);
            daemon.EndInOrder();
            await scene.UntilAsync(() => daemon.Starts > starts, $"{name} has ended in order and is started again");
            if (daemon.Deaths > deaths)
                scene.Fault($"{name} was asked to end in order and ended otherwise");
            scene.Healed();
            await scene.ReadyAsync(name);
        }
        scene.Note($"{Programs.Services.Count} stopped in order");
    }
}
