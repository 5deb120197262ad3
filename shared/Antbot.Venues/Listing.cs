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

    /// <summary>Beyond this an entry has no name, and may be anything.</summary>
    private const int NamesMax = 1_000;

    private static readonly Meter Meter = new("Antbot.Venues.Listing");
    private static readonly Counter<long> Malformed = Meter.CreateCounter<long>("antbot_venue_malformed_total", description: "Entries of the venue's listings, and messages of its streams, that made no sense and were passed over.");

    public static void PassedOver(string venue, string what) => Malformed.Add(1, new KeyValuePair<string, object?>("venue", venue), new KeyValuePair<string, object?>("what", what));

    /// <param name="name">What an entry is known by, as far as that can be read.</param>
    public Listed<T> Read<T>(JsonElement json, string what, Func<JsonElement, T> read, Func<JsonElement, string>? name = null)
    {
        var all = new Listed<T>();
        foreach (var item in Json.List(json, what))
            Add(all, item, what, read, name);
        return Told(all, what);
    }

    /// <summary>The same of a list that may be long: no more of it than one entry is taken apart at a time.</summary>
    public Listed<T> Read<T>(ReadOnlyMemory<byte> json, string what, Func<JsonElement, T> read, Func<JsonElement, string>? name = null)
    {
        var all = new Listed<T>();
        var reader = new Utf8JsonReader(json.Span);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray)
            throw Json.NoList(what);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            using var item = JsonDocument.ParseValue(ref reader);
            Add(all, item.RootElement, what, read, name);
        }
        // Throws where anything follows.
        reader.Read();
        return Told(all, what);
    }

    private void Add<T>(Listed<T> all, JsonElement item, string what, Func<JsonElement, T> read, Func<JsonElement, string>? name)
    {
        try
        {
            all.Add(read(item));
        }
        catch (Exception e) when (Json.MakesNoSense(e))
        {
            PassedOver(options.Name, what);
            if (++all.PassedOver <= NamedMax)
                log.LogWarning("{Venue} lists a {What} that makes no sense and is passed over: {Fault}", options.Name, what, e.Message);
            if (all.Names.Count < NamesMax && NameOf(item, name) is { } known)
                all.Names.Add(known);
        }
    }

    private static string? NameOf(JsonElement item, Func<JsonElement, string>? name)
    {
        try
        {
            return name?.Invoke(item);
        }
        catch (Exception e) when (Json.MakesNoSense(e))
        {
            return null;
        }
    }

    private Listed<T> Told<T>(Listed<T> all, string what)
    {
        if (all.PassedOver > NamedMax)
            log.LogWarning("{Venue} lists {Count} more of {What} that make no sense", options.Name, all.PassedOver - NamedMax, what);
        return all;
    }
}

/// <summary>What of a listing made sense.</summary>
internal sealed class Listed<T> : List<T>
{
    /// <summary>How many entries did not.</summary>
    public int PassedOver { get; set; }

    /// <summary>Of those, the names that could be read.</summary>
    public List<string> Names { get; } = [];
}
