using System.Text.Json;
using Antbot.Contracts;

namespace Antbot.Forensics;

public enum ForeseenOutcome
{
    /// <summary>It would be decided on, and so.</summary>
    Decided = 1,

    /// <summary>So far, whatever the venue and the market say; from there on it depends on them.</summary>
    DecidedAsFarAs = 2,

    /// <summary>It was decided on before: what was said then would be said again, and nothing else.</summary>
    DecidedBefore = 3,

    /// <summary>It would be taken, and nothing recorded of it.</summary>
    Nothing = 4,

    /// <summary>It would not be sent.</summary>
    Refused = 5,

    /// <summary>It would die again.</summary>
    Fails = 6,

    /// <summary>All of it depends on what the venue and the market say at the time.</summary>
    DependsOnVenue = 7,

    /// <summary>Whoever it goes to has no decider that could be asked.</summary>
    NoDecider = 8,

    /// <summary>What it says cannot be read.</summary>
    Unreadable = 9,
}

/// <summary>A message that would be said.</summary>
/// <param name="Id">As it would really have.</param>
public sealed record ForeseenWord(Guid Id, string Endpoint, string Type, JsonElement Body);

public sealed record MovedEvent(long Version, long Sequence, DateTimeOffset At, string Type);

/// <summary>How far a stream has moved.</summary>
/// <param name="ThenVersion">When the message failed; 0 where there was no such stream.</param>
/// <param name="ThenSequence">Of its last event at that time.</param>
/// <param name="Between">The first of the events since then.</param>
public sealed record StreamMoved(long ThenVersion, long ThenSequence, long NowVersion, long NowSequence, IReadOnlyList<MovedEvent> Between)
{
    public static StreamMoved None { get; } = new(0, 0, 0, 0, []);

    public long Events => NowVersion - ThenVersion;
}

/// <summary>What would come of a message.</summary>
/// <param name="Why">What stands against it, or on what it depends.</param>
/// <param name="Stream">On which it would be decided; empty where nobody would decide on it.</param>
/// <param name="Settings">Where the settings of the decision come from; empty where it has none.</param>
public sealed record ForeseenMessage(
    ForeseenOutcome Outcome, string Why, string Stream, string Settings, IReadOnlyList<NamedEvent> Events, IReadOnlyList<ForeseenWord> Messages, StreamMoved Moved)
{
    public static ForeseenMessage Without(ForeseenOutcome outcome, string why) => new(outcome, why, "", "", [], [], StreamMoved.None);
}

/// <summary>What would come of a dead letter if it were sent once more.</summary>
/// <param name="Notional">Of a wish to enter: what it would put in at most. Zero of everything else, and null where it cannot be said.</param>
public sealed record ForeseenLetter(Guid Letter, string MessageType, string Endpoint, TradeId? Trade, Money? Notional, ForeseenMessage Foreseen);

/// <summary>What would come of all of them.</summary>
/// <param name="Selected">How many are meant.</param>
/// <param name="Letters">Of how many it is told; the rest, where there is one, was left out for <paramref name="Left"/>.</param>
/// <param name="Sequence">Of the last event that had been recorded when it began.</param>
/// <param name="Notional">Of those that would be sent; null where it cannot be said.</param>
/// <param name="Events">How many events of each kind.</param>
/// <param name="Messages">How many messages of each kind.</param>
/// <param name="Moved">How many letters' streams have moved since they failed.</param>
public sealed record ForesightSum(
    int Selected, int Letters, string Left, long Sequence, Money? Notional, IReadOnlyDictionary<ForeseenOutcome, int> Outcomes, IReadOnlyDictionary<string, int> Events, IReadOnlyDictionary<string, int> Messages, int Moved)
{
    /// <summary>Of every letter it is told what would come of it, and of all of that.</summary>
    public bool IsWhole => Letters == Selected && Outcomes.Keys.All(o => o is ForeseenOutcome.Decided or ForeseenOutcome.DecidedBefore or ForeseenOutcome.Nothing or ForeseenOutcome.Refused);
}

/// <summary>One line of the answer: a letter, or, the last of all, the sum.</summary>
/// <param name="Selected">How many letters are meant.</param>
public sealed record ForesightLine(int Selected, ForeseenLetter? Letter, ForesightSum? Sum);
