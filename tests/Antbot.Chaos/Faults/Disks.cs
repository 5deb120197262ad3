namespace Antbot.Chaos.Faults;

internal static class Disks
{
    private const int BlockBytes = 4 * 1024;

    /// <summary>Writes this file until there is no room for more of it, and says how many megabytes went in.</summary>
    public static async Task<long> FillAsync(string file, CancellationToken cancellationToken)
    {
        var (bytes, block) = (0L, new byte[BlockBytes]);
        await using var ballast = new FileStream(file, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        try
        {
            for (; ; bytes += block.Length)
                await ballast.WriteAsync(block, cancellationToken);
        }
        catch (IOException)
        {
            return bytes >> 20;
        }
    }
}
