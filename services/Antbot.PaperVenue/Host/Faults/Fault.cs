using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Faults;

internal enum FaultKind
{
    /// <summary>Done, and never answered: the connection is held and then dropped.</summary>
    AcceptThenTimeout,

    /// <summary>Done, and answered with an error that does not say so.</summary>
    ErrorAfter,

    /// <summary>Not done, and answered with an error.</summary>
    ErrorBefore,

    /// <summary>Done, and the connection reset instead of an answer.</summary>
    ResetAfter,

    /// <summary>Not done, and the connection reset.</summary>
    ResetBefore,

    /// <summary>Done later than asked.</summary>
    Delay,

    /// <summary>Done at once, answered later.</summary>
    DelayAnswer,

    /// <summary>Not done and never answered.</summary>
    Drop,

    /// <summary>Only a part of an order finds somebody to trade with.</summary>
    Partial,

    /// <summary>Reports on the user stream come later.</summary>
    LateReport,

    /// <summary>Reports on the user stream come twice.</summary>
    DuplicateReport,

    /// <summary>Reports on the user stream do not come.</summary>
    LostReport,

    /// <summary>429 with Retry-After.</summary>
    RateLimit,
}

/// <summary>A fault that was ordered: which requests it befalls, how likely, how often, and what it does.</summary>
/// <param name="Group">Null for every group.</param>
/// <param name="Left">How often more; null for ever.</param>
internal sealed record Fault(
    int Id, FaultKind Kind, RouteGroup? Group, double Probability, int? Left, DateTimeOffset? Until, int Milliseconds, int Status, double Ratio)
{
    public bool IsOfReports => Kind is FaultKind.LateReport or FaultKind.DuplicateReport or FaultKind.LostReport;

    public Fixed8 PartOf(Fixed8 quantity, Fixed8 lot) => new Fixed8((long)(quantity.Units * (decimal)Ratio)).FloorTo(lot);
}
