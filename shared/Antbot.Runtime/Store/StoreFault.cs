namespace Antbot.Runtime.Store;

/// <summary>Why the store could not do as asked. Business outcomes (a conflict, a repetition) are not faults: see <see cref="AppendOutcome"/>.</summary>
public enum StoreFault
{
    /// <summary>What was asked breaks a rule of the store: sizes, text, JSON. Asking again will not help.</summary>
    Invalid,

    /// <summary>A body is over the limit. Put it beside the events and keep its hash.</summary>
    TooLarge,

    /// <summary>The stored name of an event is not in the registry of this build.</summary>
    UnknownType,

    /// <summary>The stored body does not fit the event's class.</summary>
    Undecodable,

    /// <summary>The database cannot be reached. Nothing was done; ask again later.</summary>
    Unavailable,

    /// <summary>The database takes no writes. Nothing was done.</summary>
    ReadOnly,

    /// <summary>The disk is full. Nothing was done.</summary>
    Full,

    /// <summary>The queue stayed full for as long as the caller was willing to wait. Nothing was done.</summary>
    Busy,

    /// <summary>
    /// The connection broke after the append was sent and the answer could not be had since. It may be there or not;
    /// the same append again (the same decision) finds out.
    /// </summary>
    OutcomeUnknown,

    /// <summary>The server's disk gave back what it was never given. Nothing was done; it is no request's own fault, and is asked again when the server has been mended.</summary>
    Damaged,

    /// <summary>The data contradict themselves. Verify before trusting them.</summary>
    Corrupt,

    /// <summary>The credentials at hand do not allow it.</summary>
    Forbidden,

    /// <summary>The store has been closed.</summary>
    Closed,

    /// <summary>What was asked for has been taken out of the store: the message names the archive that has it. An append to such a stream comes too late for good.</summary>
    Archived,
}

public sealed class EventStoreException(StoreFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreFault Fault { get; } = fault;

    /// <summary>The archive that has what was asked for, where it is known.</summary>
    public string? Archive { get; init; }
}
