using Antbot.Resilience;

namespace Antbot.Venues;

/// <summary>How far into a venue's limits a request may go.</summary>
internal enum BudgetPart
{
    Shared = 1,

    /// <summary>What is kept back for finding out. It ends before that for getting out: our own questions shall not use up what an exit needs.</summary>
    Asking = 2,

    /// <summary>What is kept back for getting out as well.</summary>
    Leaving = 3,

    /// <summary>Counted, and never too much: the question for the limits themselves, until they are told.</summary>
    Uncapped = 4,
}

/// <summary>What shares a breaker and a part of the budget.</summary>
/// <param name="TellsLimits">Its answer says what the budget is, and so it is asked whatever that is taken for.</param>
internal sealed record VenueRoute(string Name, BreakerOptions Breaker, BudgetPart Part, bool IsOrder = false, bool TellsLimits = false)
{
    /// <summary>Getting out and finding out are never shut off for long: a failing route is only asked less often.</summary>
    private static readonly BreakerOptions Short = new(5, TimeSpan.FromSeconds(2));

    public static VenueRoute Entry { get; } = new("entry", BreakerOptions.Default, BudgetPart.Shared, IsOrder: true);

    public static VenueRoute Exit { get; } = new("exit", Short, BudgetPart.Leaving, IsOrder: true);

    /// <summary>What protects: that sales fail does not shut it off.</summary>
    public static VenueRoute Stop { get; } = new("stop", Short, BudgetPart.Leaving, IsOrder: true);

    public static VenueRoute Cancel { get; } = new("cancel", Short, BudgetPart.Leaving);

    public static VenueRoute Query { get; } = new("query", Short, BudgetPart.Asking);

    /// <summary>Asked so that something may be entered: neither what is kept back for finding out is for this, nor does its failing shut that off.</summary>
    public static VenueRoute QueryForEntry { get; } = new("query-entry", Short, BudgetPart.Shared);

    public static VenueRoute Account { get; } = new("account", BreakerOptions.Default, BudgetPart.Asking);

    public static VenueRoute Market { get; } = new("market", BreakerOptions.Default, BudgetPart.Shared);

    public static VenueRoute Rules { get; } = new("rules", BreakerOptions.Default, BudgetPart.Shared, TellsLimits: true);

    public static VenueRoute Clock { get; } = new("clock", Short, BudgetPart.Leaving);

    public static IReadOnlyList<VenueRoute> All { get; } = [Entry, Exit, Stop, Cancel, Query, QueryForEntry, Account, Market, Rules, Clock];
}
