using Antbot.Chaos.Running;

namespace Antbot.Chaos.Faults;

internal static class StandaloneFaults
{
    private const int Kills = 5;

    public static async Task KillAsync(Scene scene)
    {
        for (var i = 0; i < Kills; i++)
        {
            await scene.AcceptedAsync(5);
            await scene.KillAsync("standalone");
        }
        scene.Note($"{Kills} kills");
    }

    public static async Task FillDiskAsync(Scene scene)
    {
        var ballast = Path.Combine(((StandaloneTarget)scene.Target).DataFolder, "ballast");
        var (bytes, block) = (0L, new byte[256 * 1024]);
        await using (var file = new FileStream(ballast, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0))
        {
            try
            {
                for (; ; bytes += block.Length)
                    await file.WriteAsync(block, scene.Cancel);
            }
            catch (IOException)
            {
                scene.Note($"the disk was full after {bytes >> 20} MB");
            }
        }
        await scene.StandstillAsync(() => Task.FromResult<long>(scene.Load.AcceptedCount), 15, "what is accepted");
        File.Delete(ballast);
    }
}
