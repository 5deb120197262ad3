using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Market;
using Antbot.Contracts.Messages;
using Antbot.Core.Tests.Coordinator;
using Antbot.Core.Tests.Kernel;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Strategies;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Signals;

public sealed class StrategyTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>Closes that wander, so that averages cross and extremes are reached.</summary>
    private static Arbitrary<decimal[]> Closes { get; } =
        Gen.Choose(-40, 40).ArrayOf(160).Select(steps => steps.Aggregate(new List<decimal> { 100 }, (list, step) => [.. list, Math.Max(1, list[^1] + step / 10m)]).ToArray()).ToArbitrary();

    [Fact]
    public void The_averages_cross_where_they_do_by_hand()
    {
        // Fast 2, slow 3: both 10; then 12 and 11.5; then 8.67 and 9.25; then 16.22 and 14.63.
        var ideas = Run(new EmaCross(2, 3), 10, 10, 10, 13, 7, 20);
        Assert.Equal([4, 5], ideas.Select(i => i.At));
        Assert.Equal([Side.Sell, Side.Buy], ideas.Select(i => i.Idea.Side));
        Assert.Equal(14.625m, ideas[1].Idea.Inputs.Single(i => i.Key == "slow").Value);
        Assert.Equal(16.222222m, Math.Round(ideas[1].Idea.Inputs.Single(i => i.Key == "fast").Value, 6));
    }

    [Fact]
    public void Nothing_is_thought_before_the_slow_average_is_full() => Assert.Empty(Run(new EmaCross(2, 30), [.. Enumerable.Range(0, 29).Select(i => i % 2 == 0 ? 100m : 110m)]));

    [Fact]
    public void A_market_that_stands_still_gives_no_ideas()
    {
        Assert.Empty(Run(new EmaCross(5, 13), [.. Enumerable.Repeat(100m, 200)]));
        Assert.Empty(Run(new RsiReversion(14, 30, 70), [.. Enumerable.Repeat(100m, 200)]));
    }

    [Fact]
    public void The_index_is_Wilders()
    {
        decimal[] closes =
        [
            44.3389m, 44.0902m, 44.1497m, 43.6124m, 44.3278m, 44.8264m, 45.0955m, 45.4245m, 45.8433m, 46.0826m, 45.8931m, 46.0328m, 45.6140m, 46.2820m, 46.2820m, 46.0028m,
        ];
        // 70.53 after the first fourteen changes, 66.32 after the next: it comes back out of what is overbought.
        var (at, idea) = Assert.Single(Run(new RsiReversion(14, 30, 70), closes));
        Assert.Equal((15, Side.Sell), (at, idea.Side));
        Assert.Equal(70.53m, Math.Round(idea.Inputs.Single(i => i.Key == "rsi_before").Value, 2));
        Assert.Equal(66.32m, Math.Round(idea.Inputs.Single(i => i.Key == "rsi").Value, 2));
    }

    [Fact]
    public void Ideas_come_exactly_where_the_index_reckoned_anew_from_all_closes_comes_back() => Holds.ForAll(Closes, closes =>
    {
        const int Period = 5;
        // Beside every index that such closes reach exactly: on the threshold itself the last digit of a rounding would decide.
        const decimal Low = 30.000_000_7m, High = 69.999_999_3m;
        var expected = new List<(int, Side)>();
        decimal? before = null;
        for (var i = Period; i < closes.Length; i++)
        {
            var index = Reckoned(closes[..(i + 1)], Period);
            if (before < Low && index >= Low)
                expected.Add((i, Side.Buy));
            if (before > High && index <= High)
                expected.Add((i, Side.Sell));
            before = index;
        }
        Assert.Equal(expected, Run(new RsiReversion(Period, Low, High), closes).Select(i => (i.At, i.Idea.Side)));
    }, times: 50);

    [Fact]
    public void Crosses_alternate_and_every_confidence_is_one() => Holds.ForAll(Closes, closes =>
    {
        var sides = Run(new EmaCross(3, 8), closes).Select(i => i.Idea.Side).ToList();
        Assert.All(sides.Zip(sides.Skip(1)), pair => Assert.NotEqual(pair.First, pair.Second));
        Assert.All(Run(new RsiReversion(5, 30, 70), closes), i => Assert.InRange(i.Idea.Confidence, 0.5m, 1));
    });

    [Fact]
    public void After_an_idea_a_strategy_keeps_silent_and_a_candle_seen_twice_changes_nothing()
    {
        decimal[] closes = [10, 10, 10, 13, 7, 20, 2, 30];
        Assert.Equal(4, Thoughts(Watch.Begin([new EmaCross(2, 3)], TimeSpan.Zero), closes).Count);
        Assert.Equal([4, 7], Thoughts(Watch.Begin([new EmaCross(2, 3)], TimeSpan.FromSeconds(3)), closes).Select(t => (int)(t.Candle.OpenedAt - Some.Now).TotalSeconds));

        var watch = Watch.Begin([new EmaCross(2, 3)], TimeSpan.Zero);
        foreach (var candle in Candles(closes))
            watch = watch.On(candle).Next;
        var (again, thoughts) = watch.On(Candles(closes)[^1]);
        Assert.Empty(thoughts);
        Assert.Equal(watch, again);
    }

    [Fact]
    public void History_and_then_the_feed_give_the_ideas_that_one_pass_gives() => Holds.ForAll(Closes, Gen.Choose(0, 160).ToArbitrary(), (closes, at) =>
    {
        var candles = Candles(closes);
        var whole = Thoughts(Begin(), closes).Where(t => t.Candle.OpenedAt >= candles[at].OpenedAt).Select(t => (t.Strategy, t.Candle.OpenedAt, t.Idea.Side));
        var warm = candles[..at].Aggregate(Begin(), (w, c) => w.On(c).Next);
        // The feed repeats the last candle of the history.
        var live = new List<(string, DateTimeOffset, Side)>();
        foreach (var candle in candles[Math.Max(0, at - 1)..])
        {
            (warm, var thoughts) = warm.On(candle);
            live.AddRange(thoughts.Select(t => (t.Strategy, t.Candle.OpenedAt, t.Idea.Side)));
        }
        Assert.Equal(whole, live);

        static Watch Begin() => Watch.Begin([new EmaCross(3, 8), new RsiReversion(5, 30, 70)], TimeSpan.FromSeconds(10));
    }, times: 50);

    [Theory]
    [InlineData(Side.Buy, "99.5", "101")]
    [InlineData(Side.Sell, "100.5", "99")]
    public void An_idea_becomes_a_signal_with_its_exits_on_the_right_sides(Side side, string stop, string target)
    {
        var recorded = SignalDecider.FromThought(Thought(side), SignalTerms.Default, Some.Now);
        var signal = recorded.Signal;
        Assert.Equal((new Price(decimal.Parse(stop)), new Price(decimal.Parse(target))), (signal.Stop!.Value, signal.TakeProfit!.Value));
        Assert.Equal(("strategy:ema-cross", side, OrderKind.Market, new Price(100)), (signal.Source, signal.Side, signal.Kind, signal.Reference));
        Assert.Equal((Some.Now, Some.Now.AddSeconds(30)), (signal.RaisedAt, signal.ValidUntil));
        Assert.Equal(12.5m, JsonDocument.Parse(recorded.Inputs).RootElement.GetProperty("strategy").GetProperty("fast").GetDecimal());
        Assert.Equal(new SignalRaised(signal), Assert.Single(SignalDecider.React(recorded)));
    }

    [Fact]
    public void One_strategy_symbol_and_candle_is_one_trade_whenever_it_is_thought()
    {
        var thought = Thought(Side.Buy);
        var trade = TradeOf(thought, 0);
        Assert.Equal(trade, TradeOf(thought, 3));
        Assert.NotEqual(trade, TradeOf(thought with { Strategy = "rsi-reversion" }, 0));
        Assert.NotEqual(trade, TradeOf(thought with { Candle = thought.Candle with { OpenedAt = thought.Candle.OpenedAt + Second } }, 0));
        Assert.NotEqual(trade, TradeOf(thought with { Candle = thought.Candle with { Symbol = new Symbol("ETHUSDT") } }, 0));

        static TradeId TradeOf(Thought thought, int later) => SignalDecider.FromThought(thought, SignalTerms.Default, Some.Now.AddSeconds(later)).Signal.Trade;
    }

    [Fact]
    public void What_is_recorded_reads_back_as_it_was_decided()
    {
        var codec = new EventCodec(EventRegistry.From(typeof(SignalRecorded).Assembly));
        var recorded = SignalDecider.FromThought(Thought(Side.Sell), SignalTerms.Default, Some.Now);
        Assert.Equal(recorded, JsonSerializer.Deserialize<SignalRecorded>(codec.Encode(recorded).Data.Span, EventCodec.Json));
    }

    [Theory]
    [InlineData(Side.Buy)]
    [InlineData(Side.Sell)]
    public void What_a_strategy_thought_is_decided_again_from_what_was_recorded_of_it(Side side)
    {
        var terms = SignalTerms.Default with { Account = new AccountId("second"), Notional = new Money(12.50m), StopPercent = 0.70m, TakeProfitPercent = 3, Confidence = 0.1m, Life = TimeSpan.FromMilliseconds(1_234) };
        var recorded = SignalDecider.FromThought(Thought(side), terms, Some.Now);
        var known = RecordedThought.Of(recorded)!.Value;
        Assert.Equal(recorded, SignalDecider.FromThought(known.Thought, known.Terms, recorded.Signal.RaisedAt));
    }

    [Theory]
    [InlineData("webhook:chart", null)]
    [InlineData("strategy:ema-cross", """{"candle_closed":"2026-01-01T00:00:00.0000000Z","interval_seconds":60,"strategy":{}}""")]
    [InlineData("strategy:ema-cross", """{"candle_closed":"soon","interval_seconds":60,"stop_percent":1,"strategy":{},"take_profit_percent":1}""")]
    [InlineData("strategy:ema-cross", """{"stop_percent":1,"take_profit_percent":1}""")]
    [InlineData("strategy:ema-cross", "[]")]
    [InlineData("strategy:ema-cross", "nothing")]
    public void What_no_strategy_thought_or_was_kept_in_part_alone_is_not_decided_again(string source, string? inputs)
    {
        var recorded = SignalDecider.FromThought(Thought(Side.Buy), SignalTerms.Default, Some.Now);
        Assert.Null(RecordedThought.Of(recorded with { Signal = recorded.Signal with { Source = source }, Inputs = inputs ?? recorded.Inputs }));
    }

    private static Thought Thought(Side side) => new("ema-cross", Candles([100])[0], new Idea(side, 0.65m, [new("fast", 12.5m), new("slow", 12)]));

    private static decimal Reckoned(decimal[] closes, int period)
    {
        var changes = closes.Zip(closes.Skip(1), (a, b) => b - a).ToArray();
        var (gain, loss) = (changes.Take(period).Where(c => c > 0).Sum() / period, -changes.Take(period).Where(c => c < 0).Sum() / period);
        foreach (var change in changes.Skip(period))
            (gain, loss) = ((gain * (period - 1) + Math.Max(change, 0)) / period, (loss * (period - 1) + Math.Max(-change, 0)) / period);
        return gain + loss == 0 ? 50 : Math.Round(100 - 100 / (1 + (loss == 0 ? 1_000_000_000_000m : gain / loss)), 6);
    }

    private static List<(int At, Idea Idea)> Run(Strategy strategy, params decimal[] closes)
    {
        var ideas = new List<(int, Idea)>();
        var candles = Candles(closes);
        for (var i = 0; i < candles.Length; i++)
        {
            (strategy, var idea) = strategy.On(candles[i]);
            if (idea is not null)
                ideas.Add((i, idea));
        }
        return ideas;
    }

    private static List<Thought> Thoughts(Watch watch, decimal[] closes)
    {
        var all = new List<Thought>();
        foreach (var candle in Candles(closes))
        {
            (watch, var thoughts) = watch.On(candle);
            all.AddRange(thoughts);
        }
        return all;
    }

    private static Candle[] Candles(decimal[] closes) =>
        [.. closes.Select((close, i) => new Candle(Some.Symbol, Second, Some.Now.AddSeconds(i), new Price(close), new Price(close), new Price(close), new Price(close), new Quantity(1)))];
}
