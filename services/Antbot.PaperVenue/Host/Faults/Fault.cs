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

    /// <summary>A report on the user stream comes after the one that follows it.</summary>
    ReorderReport,

    /// <summary>The request is done twice, as by a proxy that repeats it.</summary>
    Duplicate,

    /// <summary>An order is taken and comes to the market later.</summary>
    LateFill,

    /// <summary>The last fill of an order is undone after it was told.</summary>
    BustedFill,

    /// <summary>The balances of an account are told as a part of what they are.</summary>
    WrongBalances,

    /// <summary>The book is shown as it was when the fault was first met.</summary>
    StaleBook,

    /// <summary>The book is shown with a best bid above the best ask.</summary>
    CrossedBook,

    /// <summary>WebSockets stay open and say nothing.</summary>
    SilentStream,
}

/// <summary>What a fault can befall.</summary>
internal enum FaultScope
{
    Request,
    Report,
    Book,
    Stream,
}

/// <summary>A fault that was ordered: which requests it befalls, how likely, how often, and what it does.</summary>
/// <param name="Group">Null for every group.</param>
/// <param name="Left">How often more; null for ever.</param>
internal sealed record Fault(
    int Id, FaultKind Kind, RouteGroup? Group, double Probability, int? Left, DateTimeOffset? Until, int Milliseconds, int Status, double Ratio)
{
    public FaultScope Scope => Kind switch
    {
        FaultKind.LateReport or FaultKind.DuplicateReport or FaultKind.LostReport or FaultKind.ReorderReport => FaultScope.Report,
        FaultKind.StaleBook or FaultKind.CrossedBook => FaultScope.Book,
        FaultKind.SilentStream => FaultScope.Stream,
        _ => FaultScope.Request,
    };

    /// <summary>Some can only befall requests of one group, however widely they were ordered.</summary>
    public bool Befalls(RouteGroup group) => (Group is null || Group == group) && Kind switch
    {
        FaultKind.Partial or FaultKind.LateFill or FaultKind.BustedFill => group == RouteGroup.Order,
        FaultKind.WrongBalances => group == RouteGroup.Account,
        _ => true,
    };

    public Fixed8 PartOf(Fixed8 quantity, Fixed8 lot) => new Fixed8((long)(quantity.Units * (decimal)Ratio)).FloorTo(lot);
}
