using Antbot.Contracts.Venue;

namespace Antbot.Venues;

/// <summary>
/// What our key may do, as the venue last said: real money is not risked with a key that could take it away, nor with one of which
/// that is not known.
/// </summary>
internal sealed class KeyWatch(TimeProvider clock)
{
    private static readonly TimeSpan KnownFor = TimeSpan.FromHours(1);

    private volatile Known? _known;
    private volatile string _trouble = "the venue has not been asked yet";

    private sealed record Known(KeyPermissions May, long At);

    public string? Bar => _known is not { } known || clock.GetElapsedTime(known.At) > KnownFor ? $"live: what the venue's key may do is not known: {_trouble}"
        : known.May.Withdraws ? "live: the venue's key may withdraw; make one that may not, and take this one back"
        : null;

    public void Heard(VenueAnswer<KeyPermissions> answer)
    {
        if (answer is VenueAnswer<KeyPermissions>.Said said)
            _known = new Known(said.Value, clock.GetTimestamp());
        else
            _trouble = answer.ToString();
    }
}
