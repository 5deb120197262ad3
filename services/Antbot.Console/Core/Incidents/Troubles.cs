using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.ConsoleService.Incidents;

/// <summary>Something that goes on, and has gone on for too long or come to too much.</summary>
/// <param name="Cause">The same for as long as it goes on.</param>
/// <param name="What">In a sentence, with the evidence.</param>
public sealed record Trouble(string Cause, string What, DateTimeOffset Since, TradeId? Trade = null);

/// <summary>Dead letters of one cause about which nothing is decided.</summary>
/// <param name="Like">What they are: where they were going, what failed.</param>
/// <param name="Example">One of them.</param>
public sealed record WaitingLetters(string Fingerprint, string Like, long Count, string Example, DateTimeOffset Since);

/// <param name="Evidence">The venue's own words.</param>
public sealed record StandingDifference(AccountId Account, DifferenceKind Kind, string Subject, TradeId? Trade, string What, string Evidence, DateTimeOffset Since);

/// <param name="Since">When it was first seen so.</param>
public sealed record BreakerNotClosed(string Service, string Name, DateTimeOffset Since);

/// <summary>What of that which goes on is more than may be.</summary>
public static class Troubles
{
    private const int LargestNamed = 3;

    /// <param name="ofCause">So many of one cause are too many.</param>
    /// <param name="ofAll">So many of all causes are.</param>
    public static IEnumerable<Trouble> Of(IReadOnlyCollection<WaitingLetters> letters, int ofCause, int ofAll)
    {
        ArgumentNullException.ThrowIfNull(letters);
        var largest = letters.Where(l => l.Count > 0).OrderByDescending(l => l.Count).ThenBy(l => l.Fingerprint, StringComparer.Ordinal).ToList();
        foreach (var l in largest.Where(l => l.Count >= ofCause))
            yield return new Trouble($"dead-letters:{l.Fingerprint}", Say($"{l.Count:N0} dead letters of one cause wait, such as {l.Example}: {l.Like} (fingerprint {l.Fingerprint})"), l.Since);
        var all = largest.Sum(l => l.Count);
        if (all >= ofAll)
            yield return new Trouble("dead-letters", Say($"{all:N0} dead letters of {largest.Count:N0} causes wait; the most of {string.Join(", ", largest.Take(LargestNamed).Select(l => Say($"{l.Fingerprint} ({l.Count:N0}: {l.Like})")))}"), largest.Min(l => l.Since));
    }

    public static IEnumerable<Trouble> Of(IEnumerable<StandingDifference> differences, TimeSpan stays, DateTimeOffset now) => differences
        .Where(d => now - d.Since >= stays)
        .Select(d => new Trouble($"difference:{d.Account.Value}:{DifferenceKey.Of(d.Kind, d.Subject)}", Say($"{d.Account.Value}: {d.What} ({d.Kind} {d.Subject}), found {d.Since:u} and not settled since; the venue says: {d.Evidence}"), d.Since, d.Trade));

    public static IEnumerable<Trouble> Of(IEnumerable<BreakerNotClosed> breakers, TimeSpan lasts, DateTimeOffset now) => breakers
        .Where(b => now - b.Since >= lasts)
        .Select(b => new Trouble($"breaker:{b.Service}/{b.Name}", Say($"The circuit breaker {b.Name} of {b.Service} has not been closed since {b.Since:u}: what goes through it fails"), b.Since));

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
