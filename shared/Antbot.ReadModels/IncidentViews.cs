using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>Something that went wrong.</summary>
/// <param name="Cause">What others of the same are joined by; empty where a person opened it.</param>
/// <param name="Reason">Why it was opened.</param>
/// <param name="SeenAt">When it was last seen.</param>
/// <param name="Times">How often it was seen, as far as that is recorded.</param>
/// <param name="Until">Until when it is looked at: null while it goes on.</param>
/// <param name="Ended">How it ended, by whoever closed it.</param>
public sealed record IncidentView(
    string Id, IncidentStatus State, IncidentSource Source, string Cause, string Reason, string By, IReadOnlyList<TradeId> Trades, DateTimeOffset Since, DateTimeOffset? Until, DateTimeOffset SeenAt, int Times,
    int Notes, string? AcknowledgedBy, string? ClosedBy, string Ended, DateTimeOffset OpenedAt, DateTimeOffset ChangedAt);

/// <param name="Reasons">What stood against it, where it was refused.</param>
public sealed record IncidentStep(DateTimeOffset At, long Sequence, string Type, string By, string What, IReadOnlyList<Contracts.Messages.Verdict> Reasons);

public sealed record IncidentStory(IncidentView Incident, IReadOnlyList<IncidentStep> History);

public static class IncidentFold
{
    /// <summary>The incident that an event changes.</summary>
    public static Guid? SubjectOf(object? @event) => @event switch
    {
        IncidentOpened e => e.Incident,
        IncidentRepeated e => e.Incident,
        IncidentNoted e => e.Incident,
        IncidentAcknowledged e => e.Incident,
        IncidentClosed e => e.Incident,
        _ => null,
    };

    public static IncidentView? Apply(IncidentView? view, object @event, DateTimeOffset at) => @event switch
    {
        IncidentOpened e => new IncidentView(
            e.Incident.ToString("N"), IncidentStatus.Open, e.Source, e.Cause, e.Reason, e.By, e.Trades, e.Since, e.Until, e.SeenAt, 1, 0, null, null, "", at, at),
        _ => view is null ? null : Next(view, @event, at),
    };

    private static IncidentView Next(IncidentView view, object @event, DateTimeOffset at) => @event switch
    {
        IncidentRepeated e => view with { SeenAt = e.SeenAt, Times = view.Times + 1, ChangedAt = at },
        IncidentNoted => view with { Notes = view.Notes + 1, ChangedAt = at },
        IncidentAcknowledged e => view with { State = IncidentStatus.Acknowledged, AcknowledgedBy = e.By, ChangedAt = at },
        // Where nobody said until when, it went on until then.
        IncidentClosed e => view with { State = IncidentStatus.Closed, ClosedBy = e.By, Ended = e.Reason, Until = view.Until ?? e.At, ChangedAt = at },
        _ => view,
    };
}

/// <summary>An incident as its own stream tells it.</summary>
public sealed class IncidentStories(IEventStore store, EventCodec codec, IReadModels models)
{
    public const int ReferenceLengthMin = 4;

    private const int IdLength = 32;

    /// <summary>Why a text can be no incident's id or a beginning of one; null where it can.</summary>
    public static string? FaultOfReference(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return text.Length is >= ReferenceLengthMin and <= IdLength && text.All(char.IsAsciiHexDigit) ? null : $"An incident's id has {IdLength} hexadecimal digits, at least the first {ReferenceLengthMin} of which are wanted.";
    }

    /// <summary>The incidents whose ids begin so, at most two: one is meant, two is not unique.</summary>
    public async Task<IReadOnlyList<Guid>> ResolveAsync(string reference, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reference);
        if (reference.Length == IdLength)
            return [Guid.ParseExact(reference, "N")];
        var rows = await models.ListAsync(ViewTable.Summaries, new ViewQuery(Enum.GetNames<IncidentStatus>(), IdPrefix: reference.ToLowerInvariant(), Limit: 2), cancellationToken);
        return [.. rows.Select(r => Guid.ParseExact(r.Id, "N"))];
    }

    /// <summary>Null where there is no such incident.</summary>
    public async Task<IncidentStory?> ReadAsync(Guid incident, CancellationToken cancellationToken = default)
    {
        IncidentView? view = null;
        var history = new List<IncidentStep>();
        await foreach (var stored in store.ReadStreamAsync(Streams.Incident(incident), 1, cancellationToken))
        {
            var @event = codec.Decode(stored);
            view = IncidentFold.Apply(view, @event, stored.Timestamp);
            history.Add(Step(stored, @event));
        }
        return view is null ? null : new IncidentStory(view, history);
    }

    private static IncidentStep Step(StoredEvent stored, object @event)
    {
        var (by, what) = @event switch
        {
            IncidentOpened e => (e.By, e.Reason),
            IncidentRepeated e => (stored.Actor ?? "", e.What),
            IncidentNoted e => (e.By, e.Reason),
            IncidentAcknowledged e => (e.By, e.Reason),
            IncidentClosed e => (e.By, e.Reason),
            IncidentRefused e => (e.By, e.Command),
            _ => (stored.Actor ?? "", ""),
        };
        return new IncidentStep(stored.Timestamp, stored.Sequence, stored.Type, by, what, @event is IncidentRefused refused ? refused.Verdicts : []);
    }
}
