namespace Antbot.Venues;

/// <summary>The venue's time as it was last measured, carried on by this machine's steady clock: setting the time of day moves nothing.</summary>
internal sealed class VenueClock(TimeProvider clock)
{
    private sealed record Anchor(DateTimeOffset VenueTime, long Timestamp, TimeSpan RoundTrip);

    private Anchor? _anchor;

    public DateTimeOffset? Now => Volatile.Read(ref _anchor) is { } anchor ? anchor.VenueTime + clock.GetElapsedTime(anchor.Timestamp) : null;

    /// <summary>How long question and answer took when it was measured: twice what the measure may be wrong by.</summary>
    public TimeSpan? RoundTrip => Volatile.Read(ref _anchor)?.RoundTrip;

    /// <summary>Somewhere between question and answer the venue looked at its clock: the shorter that was, the surer the middle.</summary>
    public void Set(DateTimeOffset told, long asked, long answered)
    {
        var took = clock.GetElapsedTime(asked, answered);
        Volatile.Write(ref _anchor, new Anchor(told + (took / 2), answered, took));
    }
}
