using System.Text.Json.Serialization;

namespace Antbot.Simulation.World;

/// <summary>What must hold, by name: a mistake on purpose says which of them it breaks, and finding it by another does not count.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Invariant>))]
public enum Invariant
{
    /// <summary>No entry at the venue without its one approval, and none that asks for more than was approved.</summary>
    Approved = 1,

    /// <summary>What the venue is sent is what was intended.</summary>
    AsIntended,

    /// <summary>At most one order an intent, and one entry a trade, for ever.</summary>
    OneOrder,

    /// <summary>An attempt is recorded before it is sent.</summary>
    RecordedFirst,

    /// <summary>Nothing is taken after the window of its attempt.</summary>
    InWindow,

    /// <summary>Nothing is entered on a signal that is valid no more.</summary>
    Fresh,

    /// <summary>No entry is attempted after a halt.</summary>
    HaltHolds,

    /// <summary>One effect an input and consumer.</summary>
    OneEffect,

    /// <summary>What is published is committed, and says what was committed.</summary>
    PublishedIsCommitted,

    /// <summary>What is committed is published in the end.</summary>
    CommittedIsPublished,

    /// <summary>Phases never go back, and what is over stays over.</summary>
    PhasesGoForward,

    /// <summary>Each fill is recorded once, and taken back at most once.</summary>
    FillsOnce,

    /// <summary>No more at risk than the limit.</summary>
    Exposure,

    /// <summary>An order in doubt is settled by two operators.</summary>
    TwoOperators,

    /// <summary>What became of an order in doubt is found out in time.</summary>
    FoundOut,

    /// <summary>What an entry has filled is protected in time, or on its way out.</summary>
    Protected,

    /// <summary>What somebody else bought has one owner.</summary>
    OneOwner,

    QueuesBounded,

    OneThread,

    /// <summary>After everything has healed, all comes to rest in time.</summary>
    ComesToRest,

    /// <summary>A closed trade is verified against the venue, or somebody is told that it is not right.</summary>
    Reconciled,

    /// <summary>What others did on the account is in the books in time.</summary>
    Remedied,

    /// <summary>Whatever was accepted has one end, and every message an account.</summary>
    NothingDropped,

    /// <summary>What has died is in one queue or one record, as it was: accepted = completed + rejected + dead-lettered.</summary>
    Conserved,

    /// <summary>What is sent once more is the message that died, under its own id.</summary>
    SentAsItWas,

    /// <summary>What a dead letter is said to have become is what became of it.</summary>
    LettersTrue,

    /// <summary>Of what is sent once more together nothing comes in that was not chosen.</summary>
    SelectionFrozen,

    /// <summary>Risk's books, the record and the venue agree at rest.</summary>
    BooksAgree,

    /// <summary>Every stream has the versions 1 to n.</summary>
    Versions,

    ChainHolds,

    /// <summary>Every event is written as it was read.</summary>
    WrittenAsRead,

    /// <summary>Folded again from the beginning, every stream has the state that it had, and every kept copy of one too.</summary>
    FoldedAgain,

    /// <summary>Made again from what is recorded, every decision is the same.</summary>
    DecidedAgain,

    /// <summary>Said again from what is recorded, every message is the same.</summary>
    SaidAgain,

    /// <summary>The same plan is the same run.</summary>
    SameRun,

    /// <summary>Every place at which a process can end is one at which the plans end one.</summary>
    PointsKnown,

    /// <summary>The simulation itself did not fail.</summary>
    SimulationHolds,
}

public sealed record Violation(Invariant Broken, string What)
{
    public override string ToString() => $"{Broken}: {What}";
}
