using System.Text.Json;
using Antbot.Contracts.Messages;

namespace Antbot.Forensics;

/// <summary>What an id is the id of.</summary>
public enum TraceKind
{
    Trade = 1,

    /// <summary>By the client's name of it.</summary>
    Order = 2,

    /// <summary>By the venue's name of it.</summary>
    VenueOrder = 3,
    Message = 4,
    DeadLetter = 5,

    /// <summary>By its sequence.</summary>
    Event = 6,

    /// <summary>An operator's request, a process, or whatever else a chain of its own is found by.</summary>
    Request = 7,
}

/// <summary>What a trace begins at.</summary>
public sealed record TraceTarget(TraceKind Kind, string Id);

/// <summary>How an event came about.</summary>
public enum CauseKind
{
    /// <summary>Another event said a message, and it was decided on that.</summary>
    Message = 1,

    /// <summary>The venue was sent what another event had recorded, and this is what came of it.</summary>
    Answer = 2,

    /// <summary>The stream stood as another event had left it, and was looked at.</summary>
    Look = 3,

    /// <summary>A time had come that another event had set.</summary>
    Deadline = 4,

    /// <summary>It says who gave the word that another event is.</summary>
    Command = 5,

    /// <summary>It comes from outside of the history: a market, a person, a process.</summary>
    Outside = 6,

    /// <summary>Nothing in the history says what it follows from.</summary>
    Missing = 7,
}

/// <param name="Input">The id of what it was decided on.</param>
/// <param name="Step">The number of the event that it follows from; null where that is none of the history.</param>
/// <param name="What">In words.</param>
public sealed record Cause(CauseKind Kind, string? Input, int? Step, string What);

/// <summary>A message that an event says.</summary>
/// <param name="Effects">The numbers of the events that were decided on it.</param>
/// <param name="Letters">The dead letters that it became.</param>
public sealed record SaidMessage(Guid Id, string Type, string Endpoint, IReadOnlyList<int> Effects, IReadOnlyList<string> Letters);

/// <summary>One event of a chain.</summary>
/// <param name="Position">In the ledger; 0 where it is not sealed yet.</param>
/// <param name="Process">The process that recorded it; null where it was recorded before that was kept.</param>
/// <param name="Verdicts">What each rule said, with what it looked at.</param>
/// <param name="Body">All that was recorded, settings and inputs among it.</param>
/// <param name="Withheld">Whoever asks may not see what it says.</param>
public sealed record TraceStep(
    int Number, long Sequence, long Position, DateTimeOffset At, string Stream, long Version, string Type, Guid EventId, string? Actor, string? TraceId, Guid? Process,
    Cause Cause, IReadOnlyList<SaidMessage> Messages, IReadOnlyList<Verdict> Verdicts, JsonElement Body, bool Withheld);

/// <summary>A process that took part, and what it ran.</summary>
/// <param name="BuildHash">Of what the compiler made; null where it was not recorded.</param>
/// <param name="Configuration">The hash of its settings, without secrets; null where it was not recorded.</param>
public sealed record TraceProcess(Guid Instance, string Service, string Name, string Build, string? BuildHash, string? Configuration, DateTimeOffset StartedAt, int Events);

public enum GapKind
{
    /// <summary>A link that must be in the history is not.</summary>
    Missing = 1,

    /// <summary>Nothing in the history was decided on it: it is under way, or nothing followed from it.</summary>
    Open = 2,

    /// <summary>It was never meant to be kept, or not yet when this was recorded.</summary>
    NotKept = 3,
}

/// <param name="Step">The number of the event; null where it concerns the chain as a whole.</param>
public sealed record TraceGap(GapKind Kind, int? Step, string What);

/// <summary>The whole causal chain of something, oldest first.</summary>
/// <param name="Trades">The trades whose events are all in it.</param>
/// <param name="Related">Other things that are named in it, and have chains of their own.</param>
/// <param name="More">It is longer than a trace may be; this is its beginning.</param>
/// <param name="Gaps">What is not there, each with its reason. A chain without one that is <see cref="GapKind.Missing"/> is whole.</param>
public sealed record Trace(
    TraceTarget Target, IReadOnlyList<string> Trades, IReadOnlyList<TraceTarget> Related, bool More, IReadOnlyList<TraceStep> Steps, IReadOnlyList<TraceProcess> Processes, IReadOnlyList<TraceGap> Gaps)
{
    public bool IsWhole => !More && Gaps.All(g => g.Kind != GapKind.Missing);
}
