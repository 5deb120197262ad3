using System.Globalization;
using Antbot.Forensics;

namespace Antbot.Incidents.Changes;

/// <summary>What is another from then on.</summary>
public enum ChangeKind
{
    /// <summary>A service began with other code than it ran before.</summary>
    Build = 1,

    /// <summary>A service began with other settings than before.</summary>
    Configuration = 2,

    /// <summary>What may be done at all.</summary>
    Control = 3,

    /// <summary>What else a person had done.</summary>
    Operator = 4,
}

/// <param name="Subject">The service that began, or the stream that it stands in.</param>
/// <param name="Withheld">Whoever asks may not see what it says.</param>
public sealed record Change(long Sequence, DateTimeOffset At, ChangeKind Kind, string Subject, string What, string By, string Why, bool Withheld = false);

/// <summary>What changed in a period, in the order of time.</summary>
/// <param name="Next">What to give as <c>after</c> for what comes next; null at the end. A page may be empty and not the last: then so much was read that the rest is for the next one.</param>
/// <param name="Gaps">What could not be read, or was not recorded.</param>
public sealed record ChangePage(DateTimeOffset Since, DateTimeOffset Until, IReadOnlyList<Change> Changes, string? Next, IReadOnlyList<string> Gaps);

/// <param name="After">What the page before named as the next; null for the first.</param>
public sealed record ChangeSelection(DateTimeOffset Since, DateTimeOffset Until, string? After = null, int Limit = 100)
{
    public const int LimitMax = 500;

    public const string AfterFault = "What comes after is what the page before says as the next.";

    /// <summary>Why nothing can be selected so, or null.</summary>
    public string? Fault =>
        TraceSelection.OutOfRange(Since) || TraceSelection.OutOfRange(Until) ? "A period lies between 1970 and 9999."
        : Since > Until ? "The period ends before it begins."
        : Limit is < 1 or > LimitMax ? $"A page has 1 to {LimitMax} changes."
        : After is not null && !(long.TryParse(After, NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && sequence > 0) ? AfterFault
        : null;
}
