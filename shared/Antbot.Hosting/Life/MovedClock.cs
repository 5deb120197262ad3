using System.Globalization;

namespace Antbot.Hosting;

/// <summary>The machine's clock, and by how many seconds a file says that it goes wrong. For tests of real processes: the machine's own is everybody's.</summary>
internal sealed class MovedClock(string file) : TimeProvider
{
    private const long LookMilliseconds = 100;

    private long _lookedAt = -LookMilliseconds;
    private TimeSpan _off;

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + Off();

    private TimeSpan Off()
    {
        var now = Environment.TickCount64;
        if (now - Volatile.Read(ref _lookedAt) >= LookMilliseconds)
        {
            Volatile.Write(ref _lookedAt, now);
            // While it is being written it is empty, and what was said before goes on.
            if (File.Exists(file) && double.TryParse(File.ReadAllText(file), NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
                _off = TimeSpan.FromSeconds(Math.Clamp(seconds, -86_400, 86_400));
        }
        return _off;
    }
}
