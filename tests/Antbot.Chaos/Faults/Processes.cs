using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

internal static class Processes
{
    private const int Deaths = 3;

    public static async Task DieAtAsync(Scene scene, string point)
    {
        var daemon = scene.Target[point.Split('.')[0]];
        // Not at the first time, so that each start has done something before.
        daemon.Crash = ($"{point}:2", Deaths);
        daemon.Send(Signals.Kill);
        // The killed one was not armed yet: only those that died of the point are counted down.
        await scene.UntilAsync(() => daemon.Crash.Left == 0, $"{point} is reached {Deaths} times");
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
