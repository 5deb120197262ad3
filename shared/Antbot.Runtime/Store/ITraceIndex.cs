namespace Antbot.Runtime.Store;

/// <summary>Where an event stands.</summary>
public sealed record EventPlace(string Stream, long Version, long Sequence);

/// <param name="From">When it was raised.</param>
/// <param name="Until">When it changed last.</param>
public sealed record TradeTimes(string Trade, string State, DateTimeOffset From, DateTimeOffset Until);

/// <summary>What an id that stands in an event is the id of.</summary>
public enum MentionKind
{
    /// <summary>A trade, in an event that is no part of its own chain.</summary>
    Trade = 1,

    /// <summary>An order that somebody else named.</summary>
    Order = 2,
    VenueOrder = 3,
    Message = 4,
}

/// <summary>
/// Where in the history ids stand that are neither a stream's name nor what a causal chain is found by. Derived from the events, and a
/// little behind them.
/// </summary>
public interface ITraceIndex
{
    /// <summary>As many as one id leads to at most; what comes after is left out.</summary>
    const int MentionsMax = 64;

    /// <summary>Oldest first.</summary>
    Task<IReadOnlyList<EventPlace>> MentionsAsync(MentionKind kind, string id, CancellationToken cancellationToken = default);

    /// <summary>The trades whose ids begin so, at most two: one is meant, two is not unique.</summary>
    Task<IReadOnlyList<string>> TradesAsync(string beginning, CancellationToken cancellationToken = default);

    /// <summary>The trades of a symbol that had begun by one time and were not over before another, the newest first.</summary>
    /// <param name="after">The last one of the page before.</param>
    Task<IReadOnlyList<TradeTimes>> TradesAsync(string symbol, DateTimeOffset since, DateTimeOffset until, string? after, int limit, CancellationToken cancellationToken = default);

    /// <summary>What somebody did who is none of our services, oldest first.</summary>
    /// <param name="after">The sequence of the last one of the page before.</param>
    Task<IReadOnlyList<EventPlace>> ActionsAsync(string actor, DateTimeOffset since, DateTimeOffset until, long? after, int limit, CancellationToken cancellationToken = default);
}
