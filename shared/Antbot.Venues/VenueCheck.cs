using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging.Abstractions;

namespace Antbot.Venues;

public enum CheckVerdict
{
    Ok = 1,

    /// <summary>It works, and could be better.</summary>
    Warning = 2,

    Failed = 3,

    /// <summary>The venue did not say.</summary>
    Unknown = 4,
}

/// <param name="Advice">What to do; empty where nothing is to be done.</param>
public sealed record CheckLine(string Name, CheckVerdict Verdict, string Found, string Advice = "");

/// <summary>Asks a venue what an operator wants to know before anything trades there. Only asks.</summary>
public static class VenueCheck
{
    private const string AskAgain = "Check the address and the network, and ask again.";

    private static readonly TimeSpan OffsetFine = TimeSpan.FromSeconds(1);

    /// <param name="budget">Shared with what runs at the same venue: what it was told to wait for is waited for here too.</param>
    public static async Task<IReadOnlyList<CheckLine>> RunAsync(VenueOptions options, IReadOnlyList<Symbol> symbols, IVenueBudget budget, TimeProvider clock, CancellationToken cancellationToken)
    {
        var venueClock = new VenueClock(clock);
        using var breakers = new BreakerPanel();
        using var requests = new RequestBudget(options, budget, venueClock, clock, NullLogger.Instance);
        using var http = new VenueHttp(options, breakers, requests, clock, NullLogger.Instance);
        var venue = new BinanceVenue(options, http, requests, venueClock, new KeyWatch(clock), new Listing(options, NullLogger<Listing>.Instance), clock);
        var lines = new List<CheckLine> { Clock(await venue.MeasureClockAsync(cancellationToken), venueClock, clock) };
        lines.AddRange(Rules(await venue.ReadRulesAsync(cancellationToken), symbols));
        lines.Add(Balances(await venue.ReadBalancesAsync(cancellationToken), options));
        lines.AddRange(Key(await venue.ReadPermissionsAsync(cancellationToken), options.Paper));
        return lines;
    }

    private static CheckLine Clock(VenueAnswer<DateTimeOffset> answer, VenueClock venueClock, TimeProvider clock)
    {
        if (answer is not VenueAnswer<DateTimeOffset>.Said)
            return Unsaid("clock", answer);
        var (offset, trip) = (venueClock.Now!.Value - clock.GetUtcNow(), venueClock.RoundTrip!.Value);
        var found = string.Create(CultureInfo.InvariantCulture, $"offset {offset.TotalMilliseconds:+0;-0;0} ms, round trip {trip.TotalMilliseconds:0} ms");
        return offset.Duration() <= OffsetFine
            ? new CheckLine("clock", CheckVerdict.Ok, found)
            : new CheckLine("clock", CheckVerdict.Warning, found, "Orders are signed with the venue's time and go on; set this machine's clock (NTP), for its events and certificates need it.");
    }

    private static IEnumerable<CheckLine> Rules(VenueAnswer<IReadOnlyList<SymbolRules>> answer, IReadOnlyList<Symbol> symbols)
    {
        if (answer is not VenueAnswer<IReadOnlyList<SymbolRules>>.Said { Value: var rules })
            return [Unsaid("filters", answer)];
        if (symbols.Count == 0)
            return [rules.Count > 0 ? new CheckLine("filters", CheckVerdict.Ok, $"{rules.Count} symbols are traded, with filters that make sense") : new CheckLine("filters", CheckVerdict.Failed, "no symbol is traded there", "Check the address.")];
        return symbols.Select(s => rules.FirstOrDefault(r => r.Symbol == s) is { } rule
            ? new CheckLine($"filters {s}", CheckVerdict.Ok, string.Create(CultureInfo.InvariantCulture, $"price tick {rule.PriceTick:0.########}, quantity {rule.QuantityMin} to {rule.QuantityMax} by {rule.QuantityStep:0.########}, at least {rule.NotionalMin} {rule.QuoteAsset}"))
            : new CheckLine($"filters {s}", CheckVerdict.Failed, "it is not traded there, or its filters make no sense", $"Take {s} out of the symbols, or check its name."));
    }

    private static CheckLine Balances(VenueAnswer<IReadOnlyList<Balance>> answer, VenueOptions options)
    {
        if (answer is not VenueAnswer<IReadOnlyList<Balance>>.Said { Value: var all })
            return Unsaid("balances", answer);
        var held = all.Where(b => b.Total > 0).OrderBy(b => b.Asset, StringComparer.Ordinal).ToList();
        return held.Count > 0
            ? new CheckLine("balances", CheckVerdict.Ok, string.Join(", ", held.Select(b => string.Create(CultureInfo.InvariantCulture, $"{b.Total} {b.Asset}{(b.Locked > 0 ? $" ({b.Locked} locked)" : "")}"))))
            : new CheckLine("balances", CheckVerdict.Warning, "there is nothing in the account", $"Fund it before '{options.Account}' is to trade.");
    }

    private static IEnumerable<CheckLine> Key(VenueAnswer<KeyPermissions> answer, bool isPaper)
    {
        if (answer is not VenueAnswer<KeyPermissions>.Said { Value: var may })
        {
            var unsaid = Unsaid("key", answer);
            return [isPaper ? unsaid with { Verdict = CheckVerdict.Warning, Advice = "With real money nothing would be entered." } : unsaid with { Advice = "Live enters nothing with a key of which it is not known what it may do." }];
        }
        return
        [
            may.Reads && may.Trades ? new("key trades", CheckVerdict.Ok, "it may read and trade") : new("key trades", CheckVerdict.Failed, $"it may {(may.Reads ? "not trade" : may.Trades ? "not read" : "neither read nor trade")}", "Allow reading and spot trading to the key at the venue."),
            !may.Withdraws ? new("key withdraws", CheckVerdict.Ok, "it may not withdraw")
                : new("key withdraws", isPaper ? CheckVerdict.Warning : CheckVerdict.Failed, "it may withdraw", "Live enters nothing with it: make a key that may not withdraw, and take this one back."),
            !may.Transfers ? new("key transfers", CheckVerdict.Ok, "it may not transfer")
                : new("key transfers", CheckVerdict.Warning, "it may move money between accounts", "Take that from the key at the venue: trading needs none of it."),
            may.IsBoundToAddresses || isPaper ? new("key addresses", CheckVerdict.Ok, may.IsBoundToAddresses ? "it is taken from the addresses named at the venue alone" : "it is taken from everywhere, which does not matter on paper")
                : new("key addresses", CheckVerdict.Warning, "it is taken from everywhere", "Name the addresses of this installation at the venue."),
        ];
    }

    private static CheckLine Unsaid<T>(string name, VenueAnswer<T> answer) => answer switch
    {
        VenueAnswer<T>.Refused { Refusal: Refusal.Unauthorized } refused => new CheckLine(name, CheckVerdict.Failed, $"{refused.Code} {refused.Text}", "Check the key, its secret, and from where it may be used."),
        VenueAnswer<T>.Refused { Refusal: Refusal.RateLimited } refused => new CheckLine(name, CheckVerdict.Unknown, $"{refused.Code} {refused.Text}", "The venue has told us to wait: ask again later."),
        VenueAnswer<T>.Refused refused => new CheckLine(name, CheckVerdict.Failed, $"{refused.Code} {refused.Text}", AskAgain),
        VenueAnswer<T>.NotSent notSent => new CheckLine(name, CheckVerdict.Unknown, notSent.Text, notSent.RetryAfter is { } after ? $"Ask again in {Math.Ceiling(after.TotalSeconds):0} s." : AskAgain),
        VenueAnswer<T>.Unknown unknown => new CheckLine(name, CheckVerdict.Unknown, unknown.Text, AskAgain),
        _ => throw new InvalidOperationException("What was said is no failure."),
    };
}
