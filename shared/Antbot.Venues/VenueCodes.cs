using Antbot.Contracts.Venue;

namespace Antbot.Venues;

/// <summary>The venue's error codes, put into the few kinds that anything depends on. The only place that looks at its texts.</summary>
internal static class VenueCodes
{
    /// <summary>Too many orders, which has nothing to do with what else is asked.</summary>
    public const int TooManyOrders = -1015;

    /// <summary>Whether it is those of a day: "current limit is 50 orders per 10 SECOND", or "per 1 DAY".</summary>
    public static bool IsOfTheDay(string text) => text.Contains(" DAY", StringComparison.OrdinalIgnoreCase);

    /// <summary>Null where the code itself says that the venue does not know what became of the request.</summary>
    public static Refusal? RefusalOf(int status, int code, string text) => (status, code) switch
    {
        (429 or 418 or 403, _) => Refusal.RateLimited,
        (401, _) => Refusal.Unauthorized,
        (_, -1003 or -1008 or TooManyOrders) => Refusal.RateLimited,
        (_, -1021) => Refusal.OutOfWindow,
        (_, -1022 or -2014 or -2015 or -1002) => Refusal.Unauthorized,
        (_, -2011 or -2013 or -2026) => Refusal.UnknownOrder,
        (_, -2010) => OrderRejected(text),
        (_, -1013 or -1014 or -1020) => Refusal.Invalid,
        (_, <= -1100 and >= -1199) => Refusal.Invalid,
        // Disconnected, timed out inside, unexpected: the venue itself does not say what happened. And of a code that nobody knows here it is not known what it says.
        _ => null,
    };

    private static Refusal OrderRejected(string text) => text switch
    {
        _ when text.Contains("uplicate order", StringComparison.Ordinal) => Refusal.DuplicateOrder,
        _ when text.Contains("insufficient balance", StringComparison.OrdinalIgnoreCase) => Refusal.InsufficientBalance,
        _ => Refusal.Other,
    };
}
