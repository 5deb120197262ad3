namespace Antbot.Contracts.Venue;

/// <summary>What the venue said, or that it is not known what it did.</summary>
public abstract record VenueAnswer<T>
{
    private VenueAnswer()
    {
    }

    /// <param name="PassedOver">How many entries of a listing made no sense: of what may be one of them, that it is not listed proves nothing.</param>
    /// <param name="Names">Of those, whose name could be read all the same: an order's client id, a fill's order, a balance's asset.</param>
    public sealed record Said(T Value, int PassedOver = 0, IReadOnlyList<string>? Names = null) : VenueAnswer<T>
    {
        /// <summary>Whether one that was passed over may be any: its name made no sense either.</summary>
        public bool HasNameless => PassedOver > (Names?.Count ?? 0);

        /// <summary>Whether what bears this name may be among those that were passed over.</summary>
        public bool MayHavePassedOver(string name) => HasNameless || Names?.Contains(name) is true;
    }

    /// <summary>It said that nothing happened. For a look-up: it does not know the order.</summary>
    /// <param name="Refusal">What kind, so that nobody compares texts.</param>
    /// <param name="RetryAfter">When to ask again, where it was refused for being too much.</param>
    public sealed record Refused(Refusal Refusal, string Code, string Text, TimeSpan? RetryAfter = null) : VenueAnswer<T>;

    /// <summary>A time-out, a reset, a 5xx, an answer that makes no sense: it may have happened or not.</summary>
    public sealed record Unknown(string Text) : VenueAnswer<T>;

    /// <summary>Nothing was sent: the breaker of this route is open, or the request budget is used up.</summary>
    public sealed record NotSent(string Text, TimeSpan? RetryAfter) : VenueAnswer<T>;
}

public enum Refusal
{
    /// <summary>The request breaks a rule (filters, parameters). The same again is refused again.</summary>
    Invalid = 1,
    InsufficientBalance = 2,

    /// <summary>An open order already bears this client order id: look it up.</summary>
    DuplicateOrder = 3,
    UnknownOrder = 4,

    /// <summary>The time stamp lies outside of the window at the venue.</summary>
    OutOfWindow = 5,
    RateLimited = 6,
    Unauthorized = 7,

    /// <summary>The venue refuses for a reason of its own (market closed, trigger would fire at once).</summary>
    Other = 8,
}
