using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.ConsoleService.Incidents;

/// <param name="Status">Null before it was opened.</param>
/// <param name="SeenAt">When its cause was last seen, as far as that is recorded.</param>
public sealed record IncidentState(IncidentStatus? Status, DateTimeOffset SeenAt, DateTimeOffset? ClosedAt, int Repeats, int Notes)
{
    public static IncidentState Initial { get; } = new(null, DateTimeOffset.UnixEpoch, null, 0, 0);
}

/// <summary>A person says that something is wrong.</summary>
public sealed record OpenIncident(Guid Incident, string Reason, string By, DateTimeOffset Since, DateTimeOffset? Until, IReadOnlyList<TradeId> Trades);

/// <summary>The platform says so. Where it was said before, it is the same incident as long as it <see cref="IncidentDecider.Joins"/>.</summary>
public sealed record RaiseIncident(
    Guid Incident, IncidentSource Source, string Cause, string What, string By, DateTimeOffset SeenAt, DateTimeOffset Since, TimeSpan Window, IReadOnlyList<TradeId> Trades);

public sealed record NoteIncident(Guid Incident, Guid Request, string Reason, string By);

public sealed record AcknowledgeIncident(Guid Incident, Guid Request, string Reason, string By);

public sealed record CloseIncident(Guid Incident, Guid Request, string Reason, string By);

/// <summary>The life of an incident: opened once, noted as often as anybody likes, within bounds, taken on, closed.</summary>
public static class IncidentDecider
{
    public const string Consumer = "incidents";
    public const int TradesMax = 100;
    public const int NotesMax = 1_000;
    public const int RepeatsMax = 1_000;

    public static readonly TimeSpan PeriodMax = TimeSpan.FromDays(31);

    /// <summary>What comes closer behind one another is recorded once.</summary>
    public static readonly TimeSpan RepeatEvery = TimeSpan.FromMinutes(1);

    /// <summary>So far the clock of whoever says when it began may be ahead.</summary>
    private static readonly TimeSpan Skew = TimeSpan.FromMinutes(1);

    public static Behaviour<IncidentState> Behaviour { get; } = new(Consumer, new Fold<IncidentState>("incident-1", IncidentState.Initial, Apply), Decide, _ => [])
    {
        IsOver = state => state.Status == IncidentStatus.Closed,
    };

    /// <summary>
    /// Whether what was seen belongs to it: while it is open, what comes within the window behind the last; once it is closed, what had been seen by then.
    /// </summary>
    public static bool Joins(IncidentState state, DateTimeOffset seenAt, TimeSpan window)
    {
        ArgumentNullException.ThrowIfNull(state);
        return state.Status switch
        {
            null => false,
            IncidentStatus.Closed => seenAt <= state.ClosedAt,
            _ => seenAt - state.SeenAt <= window,
        };
    }

    private static IncidentState Apply(IncidentState state, object @event) => @event switch
    {
        IncidentOpened e => new(IncidentStatus.Open, e.SeenAt, null, 0, 0),
        IncidentRepeated e => state with { SeenAt = e.SeenAt, Repeats = state.Repeats + 1 },
        IncidentNoted => state with { Notes = state.Notes + 1 },
        IncidentAcknowledged => state with { Status = IncidentStatus.Acknowledged },
        IncidentClosed e => state with { Status = IncidentStatus.Closed, ClosedAt = e.At },
        _ => state,
    };

    private static IReadOnlyList<object> Decide(IncidentState state, object input, DateTimeOffset now) => input switch
    {
        OpenIncident o => Judged(
            o.Incident, o.Incident, "open", o.By, [IsUnheardOf(state), .. Reasonable(o, now)], new IncidentOpened(o.Incident, IncidentSource.Person, "", o.Reason, o.By, now, o.Since, o.Until, o.Trades)),
        RaiseIncident r => Raised(state, r),
        NoteIncident n => Judged(n.Incident, n.Request, "note", n.By, [IsKnown(state), HasRoom(state)], new IncidentNoted(n.Incident, n.Request, n.Reason, n.By)),
        AcknowledgeIncident a => Judged(a.Incident, a.Request, "acknowledge", a.By, [IsOpen(state)], new IncidentAcknowledged(a.Incident, a.Request, a.Reason, a.By)),
        CloseIncident c => Judged(c.Incident, c.Request, "close", c.By, [IsNotOver(state)], new IncidentClosed(c.Incident, c.Request, c.Reason, c.By, now)),
        _ => throw new ArgumentException($"{input.GetType().Name} is nothing that is decided of an incident.", nameof(input)),
    };

    /// <summary>Nothing where it belongs to another, or comes too closely behind the last: what it was is in the history either way.</summary>
    private static IReadOnlyList<object> Raised(IncidentState state, RaiseIncident r)
    {
        if (state.Status is null)
            return [new IncidentOpened(r.Incident, r.Source, r.Cause, r.What, r.By, r.SeenAt, r.Since, null, r.Trades)];
        var isRecorded = Joins(state, r.SeenAt, r.Window) && r.SeenAt - state.SeenAt >= RepeatEvery && state.Repeats < RepeatsMax;
        return isRecorded ? [new IncidentRepeated(r.Incident, r.What, r.SeenAt)] : [];
    }

    private static IEnumerable<Verdict> Reasonable(OpenIncident o, DateTimeOffset now)
    {
        var until = o.Until ?? now;
        yield return new Verdict("begun", o.Since <= now + Skew, string.Create(CultureInfo.InvariantCulture, $"it began {o.Since:u}, and it is {now:u}"));
        yield return new Verdict(
            "period", o.Since <= until && until - o.Since <= PeriodMax, string.Create(CultureInfo.InvariantCulture, $"from {o.Since:u} until {until:u}, of {PeriodMax.TotalDays:0} days at most"));
        yield return new Verdict("few-trades", o.Trades.Count <= TradesMax, $"{o.Trades.Count} trades, of which at most {TradesMax} are named");
    }

    private static Verdict IsUnheardOf(IncidentState state) => new("unheard-of", state.Status is null, Stands(state));

    private static Verdict IsKnown(IncidentState state) => new("known", state.Status is not null, Stands(state));

    private static Verdict IsOpen(IncidentState state) => new("open", state.Status == IncidentStatus.Open, Stands(state));

    private static Verdict IsNotOver(IncidentState state) => new("not-over", state.Status is IncidentStatus.Open or IncidentStatus.Acknowledged, Stands(state));

    private static Verdict HasRoom(IncidentState state) => new("room", state.Notes < NotesMax, $"{state.Notes} of {NotesMax} notes are there");

    private static string Stands(IncidentState state) => state.Status is { } status ? $"it is {status}" : "there is no such incident";

    private static IReadOnlyList<object> Judged(Guid incident, Guid request, string command, string by, IReadOnlyList<Verdict> verdicts, object done) =>
        verdicts.All(v => v.Passed) ? [done] : [new IncidentRefused(incident, request, command, by, verdicts)];
}
