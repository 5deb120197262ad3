using Antbot.Contracts.Messages;

namespace Antbot.Risk.Core.Rules;

/// <summary>Bounds the number of trades, and with it the account's state, where exposure alone would let any number of tiny ones in.</summary>
public static class MaxTrades
{
    public static Verdict Check(Assessment a) =>
        new("max_trades", a.Sight.Trades < a.Limits.TradesMax, $"{a.Sight.Trades} trades reserved or open, this one would be one more of at most {a.Limits.TradesMax}");
}
