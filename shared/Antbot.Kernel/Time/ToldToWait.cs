namespace Antbot.Kernel.Time;

/// <summary>The word of a venue that it is too much, however it was asked, and until when.</summary>
public static class ToldToWait
{
    /// <summary>The longest ban that is known of. What says more is no time to wait.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromDays(3);

    /// <summary>Where the venue does not say until when: a minute is what its count is of, and two are its shortest ban.</summary>
    private static readonly TimeSpan BlockDefault = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan BanDefault = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan BlockMin = TimeSpan.FromSeconds(1);

    /// <param name="after">Its Retry-After, where that is a time to wait.</param>
    /// <param name="until">The same, where it is a date.</param>
    /// <param name="date">When it was said, by the venue's clock.</param>
    /// <returns>Null where the venue has not said so.</returns>
    public static TimeSpan? Of(int status, TimeSpan? after, DateTimeOffset? until, DateTimeOffset? date, DateTimeOffset now)
    {
        // A firewall that is asked on and on after its 403 shuts out for longer. A 503 that does not say when says nothing of waiting.
        if (status is not (429 or 418 or 403) && (status != 503 || (after is null && until is null)))
            return null;
        // Both by the venue's clock, in whole seconds: never shorter than is meant.
        var wait = after ?? (until is { } at ? at - (date ?? now) : status == 418 ? BanDefault : BlockDefault);
        return wait < BlockMin ? BlockMin : wait > Longest ? Longest : wait;
    }
}
