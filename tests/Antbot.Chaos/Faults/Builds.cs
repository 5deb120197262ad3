using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>An upgrade and the way back, under load: the second instance of each service is of the build before.</summary>
internal static class Builds
{
    private const double Seconds = 8;

    public static Layout TwoOfAll { get; } = Layout.Twice([.. Programs.Services]);

    public static async Task UpAndBackAsync(Scene scene)
    {
        var (now, before) = (Programs.Services.Select(s => scene.Target[s]).ToList(), Programs.Services.Select(s => scene.Target[$"{s}-2"]).ToList());
        await scene.WaitAsync(Seconds);
        await AloneAsync(scene, before, "this build alone");
        await AloneAsync(scene, now, "the build before alone");
    }

    private static async Task AloneAsync(Scene scene, List<Daemon> go, string what)
    {
        var accepted = scene.Load.AcceptedCount;
        foreach (var daemon in go)
        {
            daemon.HoldDown();
            daemon.EndInOrder();
        }
        await scene.UntilAsync(() => go.All(d => d.ProcessId is null), "they end in order");
        await scene.WaitAsync(Seconds);
        if (scene.Load.AcceptedCount == accepted)
            scene.Fault($"{what} accepted nothing");
        scene.Note($"{what}: {scene.Load.AcceptedCount - accepted} signals");
        foreach (var daemon in go)
            daemon.LetRun();
        scene.Healed();
        foreach (var daemon in go)
            await scene.ReadyAsync(daemon.Name);
    }
}
