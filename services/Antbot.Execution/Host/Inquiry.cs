using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Execution;

/// <param name="Report">Null where the venue did not show the order.</param>
/// <param name="IsAbsent">It said to every question that the order is not there.</param>
/// <param name="AskedAt">The venue's time before the first question; null while its clock was never measured.</param>
/// <param name="Evidence">Its words to each.</param>
public sealed record Inquired(OrderReport? Report, bool IsAbsent, DateTimeOffset? AskedAt, string Evidence);

/// <summary>
/// What became of an order: asked by the client's id, then among what is open, then by the trades since. A venue's look-up by the
/// client's id may lag behind or have forgotten, so that it alone proves nothing. What was not answered proves nothing either.
/// </summary>
public sealed class Inquiry(IVenue venue)
{
    private const int StrangersMax = 50;
    private const int ClaimsMax = 50_000;

    /// <summary>The venue's clock is measured, not known.</summary>
    private static readonly TimeSpan ClockMargin = TimeSpan.FromSeconds(2);

    /// <summary>Whose each of the venue's orders is.</summary>
    private readonly ConcurrentDictionary<string, ClientOrderId> _owners = new(StringComparer.Ordinal);

    /// <summary>It is recorded whose this order of the venue's is: nobody else need ask for it.</summary>
    public void Claim(string venueOrderId, ClientOrderId owner)
    {
        // Forgetting costs a question each; nothing rests on it.
        if (_owners.Count >= ClaimsMax)
            _owners.Clear();
        _owners[venueOrderId] = owner;
    }

    public async Task<Inquired> AskAsync(OrderState order, CancellationToken cancellationToken)
    {
        var (symbol, askedAt) = (order.Intended.Symbol, venue.Now);
        var evidence = "";
        switch (await venue.FindOrderAsync(symbol, order.Id, cancellationToken))
        {
            case VenueAnswer<OrderReport>.Said { Value: var report }:
                return Found(report);
            case VenueAnswer<OrderReport>.Refused { Refusal: Refusal.UnknownOrder } refused:
                evidence = $"by its id: {refused.Code} {refused.Text}";
                break;
            case var other:
                return Open($"by its id: {TextOf(other)}");
        }
        // While an attempt may still arrive, that it is not there says nothing yet, whoever is asked.
        if (askedAt is not { } at || at < order.SettledAt)
            return Open($"{evidence}; it may still arrive");
        switch (await venue.ListOpenOrdersAsync(symbol, cancellationToken))
        {
            case VenueAnswer<IReadOnlyList<OrderReport>>.Said { Value: var open } said:
                if (open.FirstOrDefault(o => o.Id == order.Id) is { } report)
                    return Found(report);
                if (said.MayHavePassedOver(order.Id.Value))
                    return Open($"{evidence}; open orders: {open.Count}, and {said.PassedOver} that make no sense, of which one may be it");
                evidence += $"; open orders: {open.Count}, none of them it";
                break;
            case var other:
                return Open($"{evidence}; open orders: {TextOf(other)}");
        }
        return await LookAtTradesAsync(order, at, evidence, cancellationToken);

        Inquired Found(OrderReport report) => new(report, IsAbsent: false, askedAt, "");

        Inquired Open(string words) => new(null, IsAbsent: false, askedAt, words);
    }

    /// <summary>Trades bear the venue's number of their order, and by that number it says whose it was.</summary>
    private async Task<Inquired> LookAtTradesAsync(OrderState order, DateTimeOffset askedAt, string evidence, CancellationToken cancellationToken)
    {
        var symbol = order.Intended.Symbol;
        var since = (order.SentAt ?? askedAt) - ClockMargin;
        evidence += $"; trades since {since.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}: ";
        var answer = await venue.ListFillsAsync(symbol, since, cancellationToken);
        if (answer is not VenueAnswer<IReadOnlyList<FillReport>>.Said { Value: var trades } said)
            return new Inquired(null, IsAbsent: false, askedAt, evidence + TextOf(answer));
        if (said.HasNameless)
            return new Inquired(null, IsAbsent: false, askedAt, $"{evidence}{trades.Count}, and {said.PassedOver} that make no sense");
        // Of a trade that makes no sense its order is asked for all the same.
        var numbers = trades.Where(t => t.Side == order.Intended.Side).Select(t => t.VenueOrderId).Concat(said.Names ?? []).Where(n => n != order.VenueOrderId && (!_owners.TryGetValue(n, out var owner) || owner == order.Id));
        var strangers = (order.VenueOrderId is { } own ? [own] : Array.Empty<string>()).Concat(numbers).Distinct(StringComparer.Ordinal).ToList();
        foreach (var number in strangers.Take(StrangersMax))
        {
            switch (await venue.FindOrderAsync(symbol, number, cancellationToken))
            {
                case VenueAnswer<OrderReport>.Said { Value: var report } when report.Id == order.Id:
                    return new Inquired(report, IsAbsent: false, askedAt, "");
                case VenueAnswer<OrderReport>.Said { Value.Id: var owner }:
                    Claim(number, owner);
                    break;
                case VenueAnswer<OrderReport>.Refused { Refusal: Refusal.UnknownOrder } when number == order.VenueOrderId:
                    break;
                case var other:
                    return new Inquired(null, IsAbsent: false, askedAt, $"{evidence}{trades.Count}, and of its order {number}: {TextOf(other)}");
            }
        }
        // Those that were asked about need not be again: the next time it comes to the others.
        return strangers.Count > StrangersMax
            ? new Inquired(null, IsAbsent: false, askedAt, $"{evidence}{trades.Count}, of {strangers.Count} orders that nobody here knew, and {StrangersMax} of them asked about")
            : new Inquired(null, IsAbsent: true, askedAt, $"{evidence}{trades.Count}, none of them its");
    }

    private static string TextOf<T>(VenueAnswer<T> answer) => answer switch
    {
        VenueAnswer<T>.Refused a => $"{a.Code} {a.Text}",
        VenueAnswer<T>.Unknown a => a.Text,
        VenueAnswer<T>.NotSent a => $"not asked: {a.Text}",
        _ => "it answered",
    };
}
