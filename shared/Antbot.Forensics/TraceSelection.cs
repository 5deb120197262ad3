using System.Globalization;
using Antbot.Contracts;

namespace Antbot.Forensics;

/// <summary>What was going on in a symbol, or what somebody did, in a period.</summary>
/// <param name="After">What the page before named as the next; null for the first.</param>
/// <param name="Limit">How many things are told at most.</param>
public sealed record TraceSelection(DateTimeOffset Since, DateTimeOffset Until, string? Symbol, string? Actor, string? After = null, int Limit = 100)
{
    public const int LimitMax = 500;

    private static readonly DateTimeOffset TimeMax = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Why nothing can be selected so, or null.</summary>
    public string? Fault =>
        Symbol is null == Actor is null ? "A symbol or an actor is wanted, and not both."
        : OutOfRange(Since) || OutOfRange(Until) ? "A period lies between 1970 and 9999."
        : Since > Until ? "The period ends before it begins."
        : Limit is < 1 or > LimitMax ? $"A page has 1 to {LimitMax} things."
        : After is not null && (Symbol is null ? !long.TryParse(After, NumberStyles.None, CultureInfo.InvariantCulture, out _) : TradeId.Fault(After) is not null) ? "What comes after is what the page before says as the next."
        : Actor is { Length: 0 or > 200 } ? "An actor has 1 to 200 characters, such as operator:anna or service:risk."
        : null;

    /// <summary>As the times of events do.</summary>
    public static bool OutOfRange(DateTimeOffset time) => time < DateTimeOffset.UnixEpoch || time >= TimeMax;
}

/// <summary>Something that has a chain of its own.</summary>
/// <param name="First">Of what somebody did with it in the period; of a trade, when it was raised.</param>
/// <param name="Last">Likewise; of a trade, when it changed last.</param>
/// <param name="Events">What of it somebody recorded in the period; null where trades of a symbol were asked for.</param>
/// <param name="What">Which events these are; of a trade, how it stands.</param>
public sealed record TraceSubject(TraceTarget Target, DateTimeOffset First, DateTimeOffset Last, int? Events, IReadOnlyList<string> What);

/// <param name="Next">What to give as <c>after</c> for what comes next; null at the end.</param>
public sealed record TracePage(IReadOnlyList<TraceSubject> Subjects, string? Next);
