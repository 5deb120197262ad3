using System.Net.Http.Headers;

namespace Antbot.Venues;

/// <summary>The word of a venue that it is too much, however it was asked, and until when.</summary>
internal static class ToldToWait
{
    /// <summary>Where the venue does not say until when: a minute is what its count is of, and two are its shortest ban.</summary>
    private static readonly TimeSpan BlockDefault = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan BanDefault = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BlockMin = TimeSpan.FromSeconds(1);

    /// <param name="date">When it was said, by the venue's clock.</param>
    /// <returns>Null where the venue has not said so.</returns>
    public static TimeSpan? Of(int status, RetryConditionHeaderValue? retryAfter, DateTimeOffset? date, DateTimeOffset now)
    {
        // A firewall that is asked on and on after its 403 shuts out for longer.
        if (status is not (429 or 418 or 403))
            return null;
        var wait = retryAfter switch
        {
            { Delta: { } delta } => delta,
            // Both by the venue's clock, in whole seconds: never shorter than is meant.
            { Date: { } until } => until - (date ?? now),
            _ => status == 418 ? BanDefault : BlockDefault,
        };
        return wait > BlockMin ? wait : BlockMin;
    }
}
