using System.Globalization;
using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

/// <summary>One process takes it to be another time than everybody else.</summary>
internal static class Clocks
{
    private const double Seconds = 20;
    private const double ToleranceSeconds = 10;

    public static async Task MoveAsync(Scene scene, string service, double by)
    {
        await scene.Services.SetClockAsync(service, by, scene.Cancel);
        try
        {
            await scene.UntilAsync(async () => Math.Abs(await OffAsync(scene, service) - by) < ToleranceSeconds, $"the clock of {service} goes {by:0} s wrong", TimeSpan.FromSeconds(5));
            scene.Note($"{service}'s clock went {(await OffAsync(scene, service)).ToString("0.0", CultureInfo.InvariantCulture)} s wrong");
            await scene.WaitAsync(Seconds);
        }
        finally
        {
            await scene.Services.SetClockAsync(service, 0, CancellationToken.None);
        }
        await scene.UntilAsync(async () => Math.Abs(await OffAsync(scene, service)) < ToleranceSeconds, $"the clock of {service} is right again", TimeSpan.FromSeconds(5));
    }

    private static async Task<double> OffAsync(Scene scene, string service) =>
        (await scene.Services.GaugeAsync(service, "antbot_clock_seconds", scene.Cancel) ?? throw new ChaosException($"{service} does not say what time it is."))
        - DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1_000.0;
}
