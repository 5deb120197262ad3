using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Runtime.Venue;

namespace Antbot.Execution;

/// <summary>Prices that are young enough to act on; an old one is none.</summary>
public sealed class Prices(IMarketData market, RuleBook rules, ExecutionOptions options, TimeProvider clock)
{
    private const int SymbolsMax = 100;

    public MarketPrice? Fresh(Symbol symbol) =>
        market.Latest(symbol) is { } price && clock.GetUtcNow() - price.At <= TimeSpan.FromSeconds(options.PriceAgeSecondsMax) ? price : null;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await rules.Read.WaitAsync(cancellationToken);
        var symbols = options.SymbolList is { Count: > 0 } chosen ? chosen : [.. rules.Symbols.OrderBy(s => s.Value, StringComparer.Ordinal).Take(SymbolsMax)];
        if (symbols.Count == 0)
            throw new InvalidOperationException("The venue trades nothing: there are no prices to follow.");
        await market.FollowPricesAsync(symbols, cancellationToken);
    }
}
