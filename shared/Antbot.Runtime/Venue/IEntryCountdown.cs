using Antbot.Contracts.Venue;

namespace Antbot.Runtime.Venue;

/// <summary>
/// A dead man's switch at the venue itself: what was entered and rests is cancelled there when nobody has called for so long. It leaves
/// out what makes a position smaller; a venue that can only cancel everything has none, for stops must outlive us.
/// </summary>
public interface IEntryCountdown
{
    /// <summary>Begins it, or begins it anew.</summary>
    /// <returns>When it runs out, in the venue's time.</returns>
    Task<VenueAnswer<DateTimeOffset>> ArmAsync(TimeSpan countdown, CancellationToken cancellationToken = default);
}
