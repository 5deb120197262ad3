namespace Antbot.Contracts.Events;

// What is recorded in `incident-{id}`: that something went wrong, what was learned of it and done about it, and how it ended.

public enum IncidentStatus
{
    /// <summary>Nobody has taken it on.</summary>
    Open = 1,
    Acknowledged = 2,

    /// <summary>It is over. What is learned of it later is noted all the same.</summary>
    Closed = 3,
}

/// <summary>What opened it.</summary>
public enum IncidentSource
{
    Person = 1,

    /// <summary>A process began that finds that the one before it did not end in order.</summary>
    Crash = 2,

    /// <summary>The platform found by itself that something is wrong.</summary>
    Alert = 3,
}

/// <param name="Cause">What is the same for all that belong together; empty where a person opened it.</param>
/// <param name="SeenAt">When that which opened it was seen.</param>
/// <param name="Since">What happened from then on is looked at.</param>
/// <param name="Until">What happened until then; null where it goes on until it is closed.</param>
/// <param name="Trades">Those that it is about; none where it is about whatever went on.</param>
[StoredName("incident_opened")]
public sealed record IncidentOpened(
    Guid Incident, IncidentSource Source, string Cause, string Reason, string By, DateTimeOffset SeenAt, DateTimeOffset Since, DateTimeOffset? Until, IReadOnlyList<TradeId> Trades);

/// <summary>The same cause once more. Of what comes closely behind one another the first is recorded.</summary>
[StoredName("incident_repeated")]
public sealed record IncidentRepeated(Guid Incident, string What, DateTimeOffset SeenAt);

[StoredName("incident_noted")]
public sealed record IncidentNoted(Guid Incident, Guid Request, string Reason, string By);

/// <summary>Somebody has taken it on.</summary>
[StoredName("incident_acknowledged")]
public sealed record IncidentAcknowledged(Guid Incident, Guid Request, string Reason, string By);

/// <param name="Reason">How it ended.</param>
[StoredName("incident_closed")]
public sealed record IncidentClosed(Guid Incident, Guid Request, string Reason, string By, DateTimeOffset At);

/// <param name="Command">What was wanted: open, note, acknowledge, close.</param>
[StoredName("incident_refused")]
public sealed record IncidentRefused(Guid Incident, Guid Request, string Command, string By, IReadOnlyList<Messages.Verdict> Verdicts);
