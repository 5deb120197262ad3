using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Reconciliation;

/// <summary>The venue's rules, asked for once an hour and when a symbol is new.</summary>
public sealed class VenueRules(IVenue venue, TimeProvider clock)
{
    private static readonly TimeSpan Lasts = TimeSpan.FromHours(1);
    private static readonly TimeSpan AgainAfter = TimeSpan.FromMinutes(1);

    private IReadOnlyDictionary<Symbol, SymbolRules>? _rules;
    private DateTimeOffset _read;

    /// <summary>Null with a reason where the venue does not say.</summary>
    public async Task<(IReadOnlyDictionary<Symbol, SymbolRules>? Rules, string Why)> ReadAsync(CancellationToken cancellationToken) =>
        _rules is { } known && clock.GetUtcNow() - _read < Lasts ? (known, "") : await AskAsync(cancellationToken);

    public async Task<(SymbolRules? Rules, string Why)> FindAsync(Symbol symbol, CancellationToken cancellationToken)
    {
        var (rules, why) = await ReadAsync(cancellationToken);
        if (rules is not null && !rules.ContainsKey(symbol) && clock.GetUtcNow() - _read > AgainAfter)
            (rules, why) = await AskAsync(cancellationToken);
        if (rules is null)
            return (null, why);
        return rules.TryGetValue(symbol, out var found) ? (found, "") : (null, $"the venue has no rules for {symbol}");
    }

    private async Task<(IReadOnlyDictionary<Symbol, SymbolRules>?, string)> AskAsync(CancellationToken cancellationToken)
    {
        var answer = await venue.ReadRulesAsync(cancellationToken);
        if (answer is not VenueAnswer<IReadOnlyList<SymbolRules>>.Said said)
            return (null, $"symbol rules: {VenueWords.Trouble(answer)}");
        var rules = new Dictionary<Symbol, SymbolRules>();
        foreach (var rule in said.Value)
            rules[rule.Symbol] = rule;
        (_rules, _read) = (rules, clock.GetUtcNow());
        return (rules, "");
    }
}
