using System.Diagnostics.Metrics;
using System.Text.Json;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

/// <summary>
/// Reads what a venue lists. An entry that makes no sense is named in the log, counted and passed over; the others still count. What is
/// no list at all is an answer that makes no sense.
/// </summary>
internal sealed class Listing(VenueOptions options, ILogger<Listing> log)
{
    private const int NamedMax = 5;

    private static readonly Meter Meter = new("Antbot.Venues.Listing");
    private static readonly Counter<long> Malformed = Meter.CreateCounter<long>("antbot_venue_malformed_total", description: "Entries of the venue's listings that made no sense and were passed over.");

    public Listed<T> Read<T>(JsonElement json, string what, Func<JsonElement, T> read)
    {
        var (all, bad) = (new Listed<T>(), 0);
        foreach (var item in Json.List(json, what))
        {
            try
            {
                all.Add(read(item));
            }
            catch (Exception e) when (Json.MakesNoSense(e))
            {
                Malformed.Add(1, new KeyValuePair<string, object?>("venue", options.Name), new KeyValuePair<string, object?>("what", what));
                if (++bad <= NamedMax)
                    log.LogWarning("{Venue} lists a {What} that makes no sense and is passed over: {Fault}", options.Name, what, e.Message);
            }
        }
        if (bad > NamedMax)
            log.LogWarning("{Venue} lists {Count} more of {What} that make no sense", options.Name, bad - NamedMax, what);
        all.PassedOver = bad;
        return all;
    }
}

/// <summary>What of a listing made sense.</summary>
internal sealed class Listed<T> : List<T>
{
    /// <summary>How many entries did not.</summary>
    public int PassedOver { get; set; }
}
