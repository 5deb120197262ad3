using Antbot.Contracts;

namespace Antbot.Signals.Core;

/// <summary>What a signal gets where whoever raises it does not say.</summary>
/// <param name="PriceDeviationPercent">How far a price that came with a signal may lie from the market's.</param>
public sealed record SignalTerms(AccountId Account, Money Notional, decimal StopPercent, decimal TakeProfitPercent, decimal Confidence, TimeSpan Life, decimal PriceDeviationPercent)
{
    private const int PriceScale = 8;

    public static SignalTerms Default { get; } = new(new AccountId("main"), new Money(100), 0.5m, 1, 0.7m, TimeSpan.FromSeconds(30), 5);

    public Price StopFor(Side side, Price entry) => Away(entry, -side.Sign() * StopPercent);

    public Price TakeProfitFor(Side side, Price entry) => Away(entry, side.Sign() * TakeProfitPercent);

    /// <summary>To the venue's tick it is rounded where the order is made; here only so far that it stays a price.</summary>
    private static Price Away(Price from, decimal percent)
    {
        var price = Math.Round(from.Value * (1 + percent / 100), PriceScale, MidpointRounding.ToEven);
        return Price.Fault(price) is null ? new Price(price) : from;
    }
}
