using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Core.Tests.Coordinator;
using Antbot.Core.Tests.Kernel;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;
using Antbot.Validation.Core;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Validation;

/// <summary>Whatever comes, in whatever order and however often.</summary>
public sealed class ValidationPropertyTests
{
    private static readonly ValidationLimits Limits = ValidationLimits.Default;
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(SymbolMemory).Assembly));

    public sealed record Step(Signal Signal, int Milliseconds);

    private static Arbitrary<Step[]> Story { get; } =
        (from trade in Gen.Choose(1, 30)
         from source in Gen.Elements("strategy:a", "strategy:b", "")
         from side in Gen.Elements(Side.Buy, Side.Sell)
         from stop in Gen.Elements<Price?>(null, new Price(95), new Price(105), new Price(0.000001m))
         from raised in Gen.Choose(-40_000, 40_000)
         from confidence in Gen.Elements(-5m, 0.4m, 0.8m, 3m)
         from milliseconds in Gen.Elements(0, 10, 2_000, 60_000)
         select new Step(
             Some.Signal with
             {
                 Trade = new TradeId(new Guid(trade, 2, 2, new byte[8])), Source = source, Side = side, Stop = stop, TakeProfit = null, Confidence = confidence,
                 RaisedAt = Some.Now.AddMilliseconds(raised), ValidUntil = Some.Now.AddMilliseconds(raised + 30_000),
             },
             milliseconds)).ListOf().Select(l => l.ToArray()).ToArbitrary();

    [Fact]
    public void Twice_the_same_input_gives_the_same_event_and_every_event_one_answer() => Holds.ForAll(Story, story =>
        Follow(story, (memory, signal, now, @event) =>
        {
            Assert.Equal(Text(@event), Text(ValidationDecider.Decide(memory, signal, now, Limits)));
            Assert.Equal(signal.Trade, ((ITradeMessage)Assert.Single(ValidationDecider.React(@event))).Trade);
        }));

    [Fact]
    public void No_two_of_the_same_wish_are_valid_within_the_window() => Holds.ForAll(Story, story =>
    {
        var valid = new List<Signal>();
        Follow(story, (_, signal, _, @event) =>
        {
            if (@event is not SignalValidatedRecorded { Verdicts.Count: > 1 } e)
                return;
            Assert.InRange(e.Confidence, 0, 1);
            Assert.DoesNotContain(valid, s => s.Source == signal.Source && s.Side == signal.Side && s.Trade != signal.Trade && (s.RaisedAt - signal.RaisedAt).Duration() < TimeSpan.FromSeconds(Limits.DuplicateWindowSeconds));
            valid.Add(signal);
        });
    });

    [Fact]
    public void What_is_stored_folds_to_what_was_decided_and_a_snapshot_is_the_state() => Holds.ForAll(Story, story =>
    {
        var replayed = SymbolMemory.Initial;
        Follow(story, (memory, _, _, @event) =>
        {
            replayed = SymbolMemory.Fold.Apply(replayed, JsonSerializer.Deserialize(Codec.Encode(@event).Data.Span, @event.GetType(), EventCodec.Json)!);
            var live = Canonical(SymbolMemory.Fold.Apply(memory, @event));
            Assert.Equal(live, Canonical(replayed));
            Assert.Equal(live, Canonical(JsonSerializer.Deserialize<SymbolMemory>(JsonSerializer.SerializeToUtf8Bytes(replayed, EventCodec.Json), EventCodec.Json)!));
        });
    });

    private static void Follow(Step[] story, Action<SymbolMemory, Signal, DateTimeOffset, object> look)
    {
        var (memory, now) = (SymbolMemory.Initial, Some.Now);
        foreach (var step in story)
        {
            now = now.AddMilliseconds(step.Milliseconds);
            var @event = ValidationDecider.Decide(memory, step.Signal, now, Limits);
            look(memory, step.Signal, now, @event);
            memory = SymbolMemory.Fold.Apply(memory, @event);
        }
    }

    private static string Text(object @event) => JsonSerializer.Serialize(@event, @event.GetType(), EventCodec.Json);

    private static byte[] Canonical(SymbolMemory memory) => CanonicalJson.From(JsonSerializer.SerializeToUtf8Bytes(memory, EventCodec.Json));
}
