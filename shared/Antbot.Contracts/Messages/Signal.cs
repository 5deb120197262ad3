namespace Antbot.Contracts.Messages;

/// <summary>A wish to trade. It travels with the trade, so that no service has to ask another what is meant.</summary>
/// <param name="Source">Who wishes: <c>strategy:ema-cross</c>, <c>webhook:tradingview</c>, <c>operator:anna</c>.</param>
/// <param name="Reference">The market's price when it was raised.</param>
/// <param name="Notional">How much money to put in, at most.</param>
/// <param name="Confidence">0 to 1.</param>
/// <param name="ValidUntil">No entry is attempted after this.</param>
public sealed record Signal(
    TradeId Trade,
    AccountId Account,
    string Source,
    Symbol Symbol,
    Side Side,
    OrderKind Kind,
    Price Reference,
    Price? Limit,
    Price? Stop,
    Price? TakeProfit,
    Money Notional,
    decimal Confidence,
    DateTimeOffset RaisedAt,
    DateTimeOffset ValidUntil);

/// <summary>What one rule of one layer said, with what it looked at, so that every decision can be read afterwards.</summary>
/// <param name="Rule">Snake case, never renamed: <c>max_notional</c>.</param>
/// <param name="Saw">The inputs, in words a person understands: <c>250 of at most 1,000 USDT</c>.</param>
public sealed record Verdict(string Rule, bool Passed, string Saw);
