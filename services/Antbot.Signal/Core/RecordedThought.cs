using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Market;
using Antbot.Signals.Core.Strategies;

namespace Antbot.Signals.Core;

/// <summary>A strategy's thought and the terms it met, from the signal that came of them. The candles before it are the market's and are not recorded.</summary>
public static class RecordedThought
{
    private const string SourcePrefix = "strategy:";

    /// <summary>Null where no strategy thought it, or where its terms were not kept yet.</summary>
    public static (Thought Thought, SignalTerms Terms)? Of(SignalRecorded recorded)
    {
        ArgumentNullException.ThrowIfNull(recorded);
        var signal = recorded.Signal;
        if (!signal.Source.StartsWith(SourcePrefix, StringComparison.Ordinal))
            return null;
        try
        {
            using var document = JsonDocument.Parse(recorded.Inputs);
            var inputs = document.RootElement;
            if (!inputs.TryGetProperty("stop_percent", out var stop) || !inputs.TryGetProperty("take_profit_percent", out var profit))
                return null;
            var idea = new Idea(signal.Side, signal.Confidence, [.. inputs.GetProperty("strategy").EnumerateObject().Select(i => KeyValuePair.Create(i.Name, i.Value.GetDecimal()))]);
            var closed = DateTimeOffset.ParseExact(inputs.GetProperty("candle_closed").GetString()!, "O", CultureInfo.InvariantCulture);
            var interval = TimeSpan.FromTicks((long)(inputs.GetProperty("interval_seconds").GetDecimal() * TimeSpan.TicksPerSecond));
            var price = signal.Reference;
            var candle = new Candle(signal.Symbol, interval, closed - interval, price, price, price, price, Quantity.Zero);
            var terms = SignalTerms.Default with
            {
                Account = signal.Account, Notional = signal.Notional, StopPercent = stop.GetDecimal(), TakeProfitPercent = profit.GetDecimal(), Life = signal.ValidUntil - signal.RaisedAt,
            };
            return (new Thought(signal.Source[SourcePrefix.Length..], candle, idea), terms);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException or FormatException or OverflowException)
        {
            // Somebody else's signal bears a strategy's name.
            return null;
        }
    }
}
