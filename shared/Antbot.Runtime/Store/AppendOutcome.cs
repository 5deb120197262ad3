using Antbot.Contracts;

namespace Antbot.Runtime.Store;

/// <summary>How an append ended. Whichever it was, the caller knows what is in the store.</summary>
public abstract record AppendOutcome
{
    private AppendOutcome()
    {
    }

    /// <summary>The events are committed.</summary>
    public sealed record Appended(IReadOnlyList<StoredEvent> Events) : AppendOutcome;

    /// <summary>This decision was made before; here is what was decided then. Nothing is here where its stream is archived: all that was to come of it has come.</summary>
    public sealed record AlreadyThere(IReadOnlyList<StoredEvent> Events) : AppendOutcome;

    /// <summary>A stream (the append's own, or a guard's) has moved on. Nothing was appended; load and decide again.</summary>
    /// <param name="Actual">-1 where nobody looked, because what this append was decided on top of was not appended.</param>
    public sealed record Conflict(StreamId Stream, ExpectedVersion Expected, long Actual) : AppendOutcome;
}
