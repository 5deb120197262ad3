namespace Antbot.Venues.Recording;

/// <summary>So many of a stream's messages in a second, evenly: a slot for each. What comes while the slot is taken is counted.</summary>
internal sealed class TickRate(int perSecond, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private readonly TimeSpan _slot = perSecond > 0 ? TimeSpan.FromSeconds(1) / perSecond : TimeSpan.MaxValue;
    private long? _takenAt;
    private long _leftOut;

    /// <param name="keep">Whatever came before.</param>
    /// <param name="leftOut">How many were left out since the last one that was taken.</param>
    public bool TryTake(bool keep, out long leftOut)
    {
        lock (_lock)
        {
            if (!keep && (perSecond == 0 || (_takenAt is { } taken && clock.GetElapsedTime(taken) < _slot)))
            {
                leftOut = ++_leftOut;
                return false;
            }
            if (!keep)
                _takenAt = clock.GetTimestamp();
            (leftOut, _leftOut) = (_leftOut, 0);
            return true;
        }
    }
}
