namespace Antbot.Forensics;

/// <summary>What happened in a symbol, or what somebody did, in a period.</summary>
/// <param name="After">The sequence that the page before went to; null for the first.</param>
/// <param name="Limit">How many things are told at most.</param>
public sealed record TraceSelection(DateTimeOffset Since, DateTimeOffset Until, string? Symbol, string? Actor, long? After = null, int Limit = 100)
{
    public const int LimitMax = 500;

    private static readonly DateTimeOffset TimeMax = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Why nothing can be selected so, or null.</summary>
    public string? Fault =>
        Symbol is null && Actor is null ? "A symbol or an actor is wanted."
        : OutOfRange(Since) || OutOfRange(Until) ? "A period lies between 1970 and 9999."
        : Since > Until ? "The period ends before it begins."
        : Limit is < 1 or > LimitMax ? $"A page has 1 to {LimitMax} things."
        : Actor is { Length: 0 or > 200 } ? "An actor has 1 to 200 characters, such as operator:anna or service:risk."
        : null;

    /// <summary>As the times of events do.</summary>
    public static bool OutOfRange(DateTimeOffset time) => time < DateTimeOffset.UnixEpoch || time >= TimeMax;
}

/// <summary>Something that has a chain of its own, with what of it was recorded in the period.</summary>
public sealed record TraceSubject(
    TraceTarget Target, string? Symbol, DateTimeOffset First, DateTimeOffset Last, long FirstSequence, int Events, IReadOnlyList<string> Types, IReadOnlyList<string> Actors);

/// <param name="Through">The sequence up to which was looked.</param>
/// <param name="Next">What to give as <c>after</c> for what comes next; null at the end of the period.</param>
public sealed record TracePage(IReadOnlyList<TraceSubject> Subjects, long Through, long? Next);
