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

    /// <summary>In the middle of at least so many.</summary>
    private const int KillEachTradesMin = 200;

    public static async Task KillEachAsync(Scene scene)
    {
        foreach (var name in Programs.Services.Append("venue"))
        {
            scene.Say($"killing {name}");
            await scene.KillAsync(name);
            await scene.AcceptedAsync(3);
        }
        scene.Say("killing PostgreSQL");
        await ServerFaults.RestartPostgresAsync(scene, scene.Services.Postgres.KillAsync);
        await scene.AcceptedAsync(3);
        scene.Say("killing RabbitMQ");
        await ServerFaults.KillRabbitAsync(scene);
        await scene.AcceptedAsync(Math.Max(3, KillEachTradesMin - scene.Load.AcceptedCount));
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
