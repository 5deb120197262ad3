using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Fuzz.Making;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Strategies;
using Antbot.Venues;

namespace Antbot.Fuzz.Targets;

/// <summary>
/// A strategy that is led through whatever candles a venue can bring it: each changes it in one way, and what it thinks is a signal that
/// can be stored, read and told. Taken is a case in which it thought something.
/// </summary>
public sealed class StrategyTarget(string name, Func<Random, Strategy> make) : IFuzzTarget
{
    private const int CandlesMax = 40;
    private const int SpoiledIn = 30;
    private const decimal Largest = 1_000_000_000_000;
    private const decimal Smallest = 0.0000000000000001m;

    private static readonly Symbol Btc = new("BTCUSDT");
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public static IEnumerable<IFuzzTarget> All =>
    [
        new StrategyTarget("ema-cross", r => new EmaCross(r.Next(1, 4), r.Next(4, 9))),
        new StrategyTarget("rsi-reversion", r => new RsiReversion(r.Next(2, 6), r.Next(1, 50), r.Next(50, 100))),
    ];

    public string Name => $"strategy:{name}";

    public string What => $"the candles that {name} looks at, and what it makes of them";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random)
    {
        var strategy = make(random);
        if (strategy.Name != name)
            throw new FuzzException($"{strategy.Name} is not {name}.");
        var watch = Watch.Begin([strategy], TimeSpan.FromSeconds(random.Next(0, 200)));
        var (opened, price, outcome) = (Start, 65_000m, FuzzOutcome.Refused);
        for (var count = random.Next(1, CandlesMax); count > 0; count--)
        {
            opened = Next(opened, random);
            price = Next(price, random);
            if (Read(opened, price, random) is not { } candle)
                continue;
            var (next, thoughts) = watch.On(candle);
            var (again, same) = watch.On(candle);
            if (!next.Strategies.SequenceEqual(again.Strategies) || next.LastClose != again.LastClose || !thoughts.Select(Say).SequenceEqual(same.Select(Say), StringComparer.Ordinal))
                throw new FuzzException($"{candle} made it {next} and {again}.");
            watch = next;
            foreach (var thought in thoughts)
            {
                Check(thought);
                outcome = FuzzOutcome.Taken;
            }
        }
        return outcome;
    }

    private static string Say(Thought thought) => $"{thought.Idea.Side} {thought.Idea.Confidence.ToString(CultureInfo.InvariantCulture)} {JsonSerializer.Serialize(thought.Idea.Inputs)}";

    private static void Check(Thought thought)
    {
        var recorded = SignalDecider.FromThought(thought, SignalTerms.Default, Start);
        var signal = recorded.Signal;
        if (signal.Confidence is < 0 or > 1 || signal.ValidUntil <= signal.RaisedAt || signal.Reference != thought.Candle.Close)
            throw new FuzzException($"It was raised as {signal}.");
        var (loss, gain) = signal.Side == Side.Buy ? (signal.Stop, signal.TakeProfit) : (signal.TakeProfit, signal.Stop);
        if (loss > signal.Reference || gain < signal.Reference)
            throw new FuzzException($"Its stop lies where its profit should: {signal}.");
        var stored = Deciders.Read(recorded);
        if (Deciders.Tell(SignalDecider.React(recorded)) != Deciders.Tell(SignalDecider.React(stored)))
            throw new FuzzException($"{recorded} is told otherwise than what was stored of it.");
    }

    /// <summary>As the venue says it, and now and then as nobody should. What its reader refuses no strategy sees.</summary>
    private static Contracts.Market.Candle? Read(DateTimeOffset opened, decimal close, Random random)
    {
        var open = Next(close, random);
        var text = string.Create(
            CultureInfo.InvariantCulture,
            $"""[{opened.ToUnixTimeMilliseconds()},"{open}","{Math.Max(open, close)}","{Math.Min(open, close)}","{close}","{random.Next(100)}",{opened.ToUnixTimeMilliseconds() + 59_999},"0",1,"0","0","0"]""");
        try
        {
            using var document = JsonDocument.Parse(random.Next(SpoiledIn) == 0 ? Mutator.Spoil(text, random) : System.Text.Encoding.UTF8.GetBytes(text));
            return BinanceReader.Candle(document.RootElement, Btc, Minute);
        }
        catch (Exception e) when (Json.MakesNoSense(e))
        {
            return null;
        }
    }

    /// <summary>Mostly the next one; and the same again, an older one, one after a gap, the last that there can be.</summary>
    private static DateTimeOffset Next(DateTimeOffset opened, Random random) => random.Next(40) switch
    {
        0 => opened,
        1 => opened - Minute,
        2 => opened > Start.AddYears(50) ? opened : opened + TimeSpan.FromDays(random.Next(1, 1_000)),
        3 => random.Next(20) == 0 ? new DateTimeOffset(2099, 12, 31, 23, 59, 59, TimeSpan.Zero) : opened + Minute,
        _ => opened + Minute,
    };

    private static decimal Next(decimal price, Random random) => random.Next(60) switch
    {
        0 => Largest,
        1 => Smallest,
        2 => price,
        3 => Math.Round(1 + (decimal)random.NextDouble(), 8),
        _ => Math.Clamp(Math.Round(price * (0.9m + random.Next(21) / 100m), 16), Smallest, Largest),
    };
}
