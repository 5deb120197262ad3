using Antbot.Resilience;

namespace Antbot.Venues;

/// <summary>What shares a breaker and a part of the budget.</summary>
/// <param name="IsReserved">May use the part of the budget that is kept for getting out and finding out.</param>
/// <param name="TellsLimits">Its answer says what the budget is, and so it is asked whatever that is taken for.</param>
internal sealed record VenueRoute(string Name, BreakerOptions Breaker, bool IsReserved, bool IsOrder = false, bool TellsLimits = false)
{
    /// <summary>Getting out and finding out are never shut off for long: a failing route is only asked less often.</summary>
    private static readonly BreakerOptions Short = new(5, TimeSpan.FromSeconds(2));

    public static VenueRoute Entry { get; } = new("entry", BreakerOptions.Default, IsReserved: false, IsOrder: true);

    public static VenueRoute Exit { get; } = new("exit", Short, IsReserved: true, IsOrder: true);

    public static VenueRoute Cancel { get; } = new("cancel", Short, IsReserved: true);

    public static VenueRoute Query { get; } = new("query", Short, IsReserved: true);

    public static VenueRoute Account { get; } = new("account", BreakerOptions.Default, IsReserved: false);

    public static VenueRoute Market { get; } = new("market", BreakerOptions.Default, IsReserved: false);

    public static VenueRoute Rules { get; } = new("rules", BreakerOptions.Default, IsReserved: false, TellsLimits: true);

    public static VenueRoute Clock { get; } = new("clock", Short, IsReserved: true);

    public static IReadOnlyList<VenueRoute> All { get; } = [Entry, Exit, Cancel, Query, Account, Market, Rules, Clock];
}
