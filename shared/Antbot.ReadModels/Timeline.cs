using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>One event of a trade's life.</summary>
/// <param name="Cause">The position of the event that this one follows from, as far as it is part of the same story.</param>
/// <param name="Reasons">What each rule said, with what it looked at.</param>
/// <param name="Body">The event as it is stored, with enums by name where this build knows it.</param>
public sealed record TimelineEntry(
    long Position, long Sequence, DateTimeOffset At, string Type, string Stream, long Version, string? Actor, Guid EventId, string? Causation, long? Cause,
    IReadOnlyList<Verdict> Reasons, JsonElement Body);

/// <summary>The events of one causal chain as a story, over all streams, whichever service wrote them.</summary>
public static class Timeline
{
    /// <summary>More messages than any event leads to.</summary>
    private const int MessagesPerEvent = 8;

    /// <summary>Events that every build of the platform shares are told with their enums' names.</summary>
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(TradeRaised).Assembly));

    public static IReadOnlyList<TimelineEntry> Of(IReadOnlyList<StoredEvent> events)
    {
        var causes = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var e in events)
        {
            causes[e.EventId.ToString("N")] = e.Position;
            foreach (var endpoint in Routes.Endpoints)
            {
                for (var i = 0; i < MessagesPerEvent; i++)
                    causes[DeterministicId.From("message", e.EventId.ToString("N"), i.ToString(), endpoint).ToString("N")] = e.Position;
            }
        }
        return [.. events.Select(e => Entry(e, causes))];
    }

    public static TimelineEntry Of(StoredEvent stored) => Entry(stored, new Dictionary<string, long>());

    private static TimelineEntry Entry(StoredEvent e, Dictionary<string, long> causes)
    {
        var body = Body(e);
        return new TimelineEntry(
            e.Position, e.Sequence, e.Timestamp, e.Type, e.Stream, e.Version, e.Actor, e.EventId, e.CausationId, e.CausationId is { } cause && causes.TryGetValue(cause, out var position) ? position : null, Reasons(body), body);
    }

    /// <summary>An event that this build cannot read is told as it is: the story has no holes.</summary>
    private static JsonElement Body(StoredEvent stored)
    {
        try
        {
            var decoded = Codec.Decode(stored);
            // Whatever bytes it had are told by its own story.
            if (decoded is DeadLetterKept letter)
                decoded = letter with { Properties = null, Body = null };
            else if (decoded is DeadLetterEdited edited)
                decoded = edited with { Body = null };
            return JsonSerializer.SerializeToElement(decoded, decoded.GetType(), ReadModelJson.Options);
        }
        catch (EventStoreException)
        {
            using var document = JsonDocument.Parse(stored.Data);
            return document.RootElement.Clone();
        }
    }

    private static List<Verdict> Reasons(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("Verdicts", out var verdicts) || verdicts.ValueKind != JsonValueKind.Array)
            return [];
        try
        {
            return verdicts.Deserialize<List<Verdict>>(ReadModelJson.Options) ?? [];
        }
        catch (JsonException)
        {
            return [];
        }
    }
}
