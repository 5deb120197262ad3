using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Core.Tests.Kernel;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Coordinator;

/// <summary>What cannot be entered in time any more is not begun: it would only keep others from it.</summary>
public sealed class TooLateTests
{
    private static readonly TradePatience Patience = TradePatience.Default;

    [Fact]
    public void A_signal_that_comes_too_late_begins_and_ends_in_one_decision_and_nobody_is_told()
    {
        var events = Raise(Lived(20.001));
        Assert.True(Assert.IsType<TradeRaised>(events[0]).TooLate);
        Assert.Contains("20.0 s after it was raised", Assert.IsType<TradeExpired>(events[1]).Reason, StringComparison.Ordinal);
        Assert.Equal(2, events.Count);
        Assert.Empty(events.SelectMany(TradeDecider.React));
        Assert.Equal(TradePhase.Expired, Folded(events).Phase);
    }

    [Fact]
    public void One_that_has_just_enough_time_left_is_begun_as_any_other() => Assert.Null(Assert.IsType<TradeRaised>(Assert.Single(Raise(Lived(20)))).TooLate);

    /// <summary>Or none of them would ever be entered, on however idle a machine.</summary>
    [Theory]
    [InlineData(1.9, false)]
    [InlineData(2.1, true)]
    public void One_that_was_meant_to_live_shorter_than_an_entry_may_take_has_half_of_its_life(double waited, bool late) =>
        Assert.Equal(late, Raise(Some.Signal with { RaisedAt = Some.Now.AddSeconds(-waited), ValidUntil = Some.Now.AddSeconds(4 - waited) }).Count == 2);

    [Fact]
    public void What_is_validated_too_late_ends_there_and_half_of_the_time_is_enough_for_the_rest()
    {
        var ended = Assert.IsType<TradeExpired>(Assert.Single(Validate(Lived(25.001))));
        Assert.Contains("validated 25.0 s after it was raised", ended.Reason, StringComparison.Ordinal);
        Assert.Empty(TradeDecider.React(ended));
        Assert.IsType<TradeValidated>(Assert.Single(Validate(Lived(25))));
    }

    [Fact]
    public void What_comes_afterwards_for_one_that_was_never_begun_is_absorbed_and_what_was_opened_is_flattened()
    {
        var state = Folded(Raise(Lived(25)));
        Assert.All(Some.Messages.Where(m => m is not TradeOpened), m => Assert.IsType<TradeMessageAbsorbed>(Assert.Single(TradeDecider.Decide(state, m, Some.Now, Patience))));
        Assert.IsType<TradeOpenedLate>(Assert.Single(TradeDecider.Decide(state, Some.Opened, Some.Now, Patience)));
    }

    [Fact]
    public void Whatever_is_begun_has_the_time_that_it_needs_and_whatever_is_not_says_why() => Holds.ForAll(Signals, signal =>
    {
        var (left, half) = (signal.ValidUntil - Some.Now, (signal.ValidUntil - signal.RaisedAt) / 2);
        var events = Raise(signal);
        if (events.Count == 1)
            Assert.True(left >= Patience.Entering || left >= half, $"{left} were enough, of a life of {half * 2}");
        else
            Assert.True(left < Patience.Entering && left < half && events[^1] is TradeExpired { Reason.Length: > 0 }, $"{left} were too little, of a life of {half * 2}");
        Assert.Equal(events, TradeDecider.Decide(TradeState.Initial, new SignalRaised(signal), Some.Now, RecordedPatience.Of(events, Some.Now)));
    });

    /// <summary>Seconds of a life of thirty.</summary>
    private static Signal Lived(double seconds) => Some.Signal with { RaisedAt = Some.Now.AddSeconds(-seconds), ValidUntil = Some.Now.AddSeconds(30 - seconds) };

    private static Arbitrary<Signal> Signals { get; } =
        (from waited in Gen.Choose(-10_000, 200_000)
         from life in Gen.OneOf(Gen.Choose(0, 60_000), Gen.Choose(0, 4_000_000))
         let raised = Some.Now.AddMilliseconds(-waited)
         select Some.Signal with { RaisedAt = raised, ValidUntil = raised.AddMilliseconds(life) }).ToArbitrary();

    private static IReadOnlyList<object> Raise(Signal signal) => TradeDecider.Decide(TradeState.Initial, new SignalRaised(signal), Some.Now, Patience);

    private static IReadOnlyList<object> Validate(Signal signal) =>
        TradeDecider.Decide(Folded([new TradeRaised(signal, Some.Now.AddSeconds(30))]), new SignalValidated(signal.Trade, 0.7m, Some.Verdicts), Some.Now, Patience);

    private static TradeState Folded(IReadOnlyList<object> events) => events.Aggregate(TradeState.Initial, TradeState.Fold.Apply);
}
