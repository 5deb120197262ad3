using Antbot.Contracts.Venue;

namespace Antbot.Reconciliation;

internal static class VenueWords
{
    /// <summary>Why an answer does not say what was asked.</summary>
    public static string Trouble<T>(VenueAnswer<T> answer) => answer switch
    {
        VenueAnswer<T>.Said => "the venue answered for another symbol",
        VenueAnswer<T>.Refused a => $"the venue refused ({a.Refusal}, {a.Code}): {a.Text}",
        VenueAnswer<T>.Unknown a => $"the venue's answer is not known: {a.Text}",
        VenueAnswer<T>.NotSent a => $"not asked: {a.Text}",
        _ => throw new ArgumentException("An answer is one of four.", nameof(answer)),
    };
}
