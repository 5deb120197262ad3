using System.Diagnostics;

namespace Antbot.LocalServers;

/// <summary>A limit for a wait; measured with the monotonic clock, so that a clock change does not stretch it.</summary>
internal sealed class Deadline(TimeSpan limit)
{
    private readonly long _started = Stopwatch.GetTimestamp();

    public bool Passed => Stopwatch.GetElapsedTime(_started) >= limit;

    /// <summary>Polls until the condition holds; false when the limit came first.</summary>
    public static async Task<bool> WaitAsync(
        Func<bool> condition, TimeSpan limit, TimeSpan interval, CancellationToken cancellationToken)
    {
        var deadline = new Deadline(limit);
        while (!condition())
        {
            if (deadline.Passed)
                return false;
            await Task.Delay(interval, cancellationToken);
        }

        return true;
    }
}
