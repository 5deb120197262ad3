using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Signals.Core.Strategies;

namespace Antbot.Signals.Core;

/// <summary>From a wish to the event that records it, and from the event to what the Coordinator is told.</summary>
public static class SignalDecider
{
    public const string Consumer = "signal";

    /// <summary>What a strategy thought. One strategy, symbol and candle is one trade, whichever instance thought it.</summary>
    public static SignalRecorded FromThought(Thought thought, SignalTerms terms, DateTimeOffset now)
    {
        var (candle, idea) = (thought.Candle, thought.Idea);
        var closed = candle.ClosedAt.Cut().ToString("O", CultureInfo.InvariantCulture);
        var raised = now.Cut();
        var signal = new Signal(
            new TradeId(DeterministicId.From("strategy", thought.Strategy, candle.Symbol.Value, closed)), terms.Account, $"strategy:{thought.Strategy}", candle.Symbol, idea.Side,
            OrderKind.Market, candle.Close, null, terms.StopFor(idea.Side, candle.Close), terms.TakeProfitFor(idea.Side, candle.Close), terms.Notional, idea.Confidence,
            raised, raised + terms.Life);
        var inputs = JsonSerializer.Serialize(new Dictionary<string, object>(StringComparer.Ordinal)
        {
            ["candle_closed"] = closed,
            ["interval_seconds"] = (decimal)candle.Interval.Ticks / TimeSpan.TicksPerSecond,
            ["stop_percent"] = terms.StopPercent,
            ["strategy"] = idea.Inputs.ToDictionary(i => i.Key, i => i.Value, StringComparer.Ordinal),
            ["take_profit_percent"] = terms.TakeProfitPercent,
        });
        return new SignalRecorded(signal, HashOf(Encoding.UTF8.GetBytes(inputs)), inputs);
    }

    /// <summary>From the event alone, so that it can be said again at any time.</summary>
    public static IReadOnlyList<object> React(object @event) => @event is SignalRecorded e ? [new SignalRaised(e.Signal)] : [];

    public static string HashOf(ReadOnlySpan<byte> what) => Convert.ToHexStringLower(SHA256.HashData(what));
}
