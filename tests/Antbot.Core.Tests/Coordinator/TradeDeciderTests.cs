using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Core.Tests.Kernel;
using Antbot.Runtime.Store;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Coordinator;

public sealed class TradeDeciderTests
{
    private static readonly TradePatience Patience = TradePatience.Default;

    public static TheoryData<TradePhase> Phases => [.. Enum.GetValues<TradePhase>()];

    [Fact]
    public void What_was_found_at_the_venue_begins_where_a_trade_of_ours_is_sent_and_has_no_deadline()
    {
        var found = new FoundOrder(new ClientOrderId("web_1"), "77", Some.Now);
        var adopt = new AdoptTrade(Some.Signal with { ValidUntil = new DateTimeOffset(9999, 12, 31, 0, 0, 0, TimeSpan.Zero) }, found, new Quantity(1), "what", "words");
        var adopted = Assert.IsType<TradeAdopted>(Assert.Single(Decide(TradeState.Initial, adopt)));
        Assert.Equal(9999, adopted.Due.Year);
        var told = Assert.IsType<AdoptPosition>(Assert.Single(TradeDecider.React(adopted)));
        Assert.Equal((adopt.Signal, found, adopt.Quantity, "words"), (told.Signal, told.Order, told.Quantity, told.Evidence));
        var state = TradeState.Fold.Apply(TradeState.Initial, adopted);
        Assert.Equal(TradePhase.Executing, state.Phase);
        Assert.IsType<TradeMessageAbsorbed>(Assert.Single(Decide(state, adopt)));
        Assert.IsType<TradeMessageAbsorbed>(Assert.Single(Decide(state, new SignalRaised(adopt.Signal))));
        var opened = new TradeOpened(adopt.Trade, adopt.Signal.Account, adopt.Signal.Symbol, Side.Buy, new Quantity(1), new Price(100), new Money(100), Money.Zero, [found.Order]);
        Assert.Equal(9999, Assert.IsType<TradeOpenedRecorded>(Assert.Single(Decide(state, opened))).Due.Year);
    }

    [Fact]
    public void News_that_comes_before_what_was_found_is_set_aside_with_its_reason_and_keeps_nothing_from_being_adopted()
    {
        foreach (var news in new ITradeMessage[] { Some.Opened, Some.Closed, new EntryFailed(Some.Trade, Some.Account, "refused") })
            Assert.Contains("what it follows from is not there", Assert.Throws<PredecessorMissingException>(() => Decide(TradeState.Initial, news)).Message, StringComparison.Ordinal);
        var adopted = Assert.Single(Decide(TradeState.Initial, new AdoptTrade(Some.Signal, null, new Quantity(1), "what", "words")));
        Assert.IsType<AdoptPosition>(Assert.Single(TradeDecider.React(adopted)));
    }

    [Fact]
    public void A_signal_begins_a_trade_and_has_it_validated()
    {
        var raised = Assert.IsType<TradeRaised>(Assert.Single(Decide(TradeState.Initial, new SignalRaised(Some.Signal))));
        Assert.Equal(Some.Now + Patience.Validating, raised.Due);
        Assert.Equal(new ValidateSignal(Some.Signal), Assert.Single(TradeDecider.React(raised)));
    }

    [Fact]
    public void What_is_valid_is_assessed_and_what_is_approved_is_executed()
    {
        var validated = Assert.IsType<TradeValidated>(Assert.Single(Decide(Some.In(TradePhase.Validating), new SignalValidated(Some.Trade, 0.7m, Some.Verdicts))));
        Assert.Equal(new AssessRisk(Some.Signal, 0.7m), Assert.Single(TradeDecider.React(validated)));
        var approved = Assert.IsType<TradeApproved>(Assert.Single(Decide(Some.In(TradePhase.AssessingRisk), new RiskApproved(Some.Trade, new Money(40), Some.Verdicts, InSymbol: 3))));
        Assert.Equal(new ExecuteTrade(Some.Signal, new Money(40), InSymbol: 3), Assert.Single(TradeDecider.React(approved)));
    }

    /// <summary>Found by the long run of the fuzz: beyond the last moment that there is nothing can be added, and the trade stood still.</summary>
    [Fact]
    public void What_is_approved_for_a_signal_without_an_end_has_a_deadline_all_the_same()
    {
        var endless = TradeState.Fold.Apply(Some.In(TradePhase.None), new TradeRaised(Some.Signal with { ValidUntil = DateTimeOffset.MaxValue }, Some.Now));
        var approved = Assert.IsType<TradeApproved>(Assert.Single(Decide(After(endless, new SignalValidated(Some.Trade, 0.7m, Some.Verdicts)), new RiskApproved(Some.Trade, new Money(40), Some.Verdicts))));
        Assert.InRange(approved.Due, Some.Now.AddYears(7_000), DateTimeOffset.MaxValue);
    }

    [Fact]
    public void What_was_opened_and_what_was_closed_is_verified_at_the_venue()
    {
        var opened = Assert.Single(Decide(Some.In(TradePhase.Executing), Some.Opened));
        Assert.False(Assert.IsType<VerifyTrade>(Assert.Single(TradeDecider.React(opened))).Closed);
        var closed = Assert.Single(Decide(Some.In(TradePhase.Closing), Some.Closed));
        var verify = Assert.IsType<VerifyTrade>(Assert.Single(TradeDecider.React(closed)));
        Assert.True(verify.Closed);
        Assert.Equal(Some.Closed.Quantity, verify.Quantity);
    }

    [Fact]
    public void A_close_that_overtakes_its_opening_closes_the_trade_all_the_same() =>
        Assert.Equal(TradePhase.Closed, After(Some.In(TradePhase.Executing), Some.Closed).Phase);

    [Theory]
    [InlineData(TradePhase.AssessingRisk, typeof(CancelTrade))]
    [InlineData(TradePhase.Executing, typeof(CancelTrade))]
    [InlineData(TradePhase.Open, typeof(CloseTrade))]
    [InlineData(TradePhase.Closing, typeof(CloseTrade))]
    public void A_phase_that_lasts_too_long_is_compensated_and_asked_after_again(TradePhase phase, Type compensation)
    {
        var state = Some.In(phase);
        var passed = Assert.IsType<TradeDeadlinePassed>(Assert.Single(Decide(state, new DeadlineReached(Some.Trade, phase, state.Due!.Value))));
        Assert.IsType(compensation, Assert.Single(TradeDecider.React(passed)));
        Assert.Equal(Some.Now + Patience.Again, passed.NextDue);
        Assert.Equal(phase, TradeState.Fold.Apply(state, passed).Phase);
    }

    [Fact]
    public void A_validation_that_never_answers_ends_the_trade_for_nothing_is_held_yet()
    {
        var state = Some.In(TradePhase.Validating);
        var events = Decide(state, new DeadlineReached(Some.Trade, TradePhase.Validating, state.Due!.Value));
        Assert.IsType<TradeExpired>(events[^1]);
        Assert.All(events, e => Assert.Empty(TradeDecider.React(e)));
    }

    [Fact]
    public void An_approval_that_comes_after_its_compensation_is_not_executed()
    {
        var events = Decide(Some.In(TradePhase.AssessingRisk, cancelling: true), new RiskApproved(Some.Trade, new Money(50), Some.Verdicts));
        Assert.IsType<TradeMessageAbsorbed>(Assert.Single(events));
    }

    [Fact]
    public void Only_the_word_of_execution_ends_a_trade_that_is_being_cancelled() =>
        Assert.Equal(TradePhase.Expired, After(Some.In(TradePhase.Executing, cancelling: true), new EntryFailed(Some.Trade, Some.Account, "cancelled")).Phase);

    [Theory]
    [InlineData(TradePhase.Rejected)]
    [InlineData(TradePhase.Denied)]
    [InlineData(TradePhase.Expired)]
    [InlineData(TradePhase.Failed)]
    public void What_is_opened_for_a_trade_that_came_to_nothing_is_flattened(TradePhase phase)
    {
        var late = Assert.Single(Decide(Some.In(phase), Some.Opened));
        Assert.IsType<CancelTrade>(Assert.Single(TradeDecider.React(late)));
    }

    [Fact]
    public void A_deadline_of_a_phase_that_is_over_says_nothing()
    {
        Assert.Empty(Decide(Some.In(TradePhase.Open), new DeadlineReached(Some.Trade, TradePhase.Executing, Some.Now)));
        Assert.Empty(Decide(Some.In(TradePhase.Open), new DeadlineReached(Some.Trade, TradePhase.Open, Some.Now)));
    }

    [Theory]
    [MemberData(nameof(Phases))]
    public void Every_message_is_acted_on_absorbed_or_held_in_every_phase(TradePhase phase)
    {
        foreach (var message in Some.Messages)
        {
            var treatment = TradeDecider.Treat(phase, message.GetType());
            if (treatment == Treatment.Hold)
            {
                var e = Assert.Throws<PredecessorMissingException>(() => Decide(Some.In(phase), message));
                Assert.Contains(message.GetType().Name, e.Message, StringComparison.Ordinal);
            }
            else
            {
                var events = Decide(Some.In(phase), message);
                Assert.NotEmpty(events);
                Assert.Equal(treatment == Treatment.Absorb, events.All(e => e is TradeMessageAbsorbed));
            }
        }
    }

    [Fact]
    public void Every_message_that_is_routed_to_the_coordinator_is_in_the_table() =>
        Assert.Equal(
            Routes.All.Where(r => r.Value.Contains(Routes.Coordinator)).Select(r => r.Key).Append(typeof(DeadlineReached)).OrderBy(t => t.Name, StringComparer.Ordinal),
            TradeDecider.Messages.OrderBy(t => t.Name, StringComparer.Ordinal));

    [Fact]
    public void Twice_the_same_input_gives_the_same_events() => Holds.ForAll(Story, story =>
    {
        var state = TradeState.Initial;
        foreach (var message in story)
        {
            Assert.Equal(Attempt(state, message), Attempt(state, message));
            state = Follow(state, message);
        }
    });

    [Fact]
    public void In_whatever_order_and_however_often_messages_come_no_phase_goes_backwards_and_what_is_over_stays_over() => Holds.ForAll(Story, story =>
    {
        var state = TradeState.Initial;
        foreach (var message in story)
        {
            var after = Follow(state, message);
            Assert.True(after.Phase >= state.Phase, $"{state.Phase} went to {after.Phase} on {message.GetType().Name}");
            Assert.True(!state.IsOver || after.Phase == state.Phase, $"{state.Phase} went on to {after.Phase}");
            state = after;
        }
    });

    [Fact]
    public void A_trade_is_executed_at_most_once_whatever_comes() => Holds.ForAll(Story, story =>
    {
        var (state, executed) = (TradeState.Initial, 0);
        foreach (var message in story)
        {
            executed += Events(state, message).SelectMany(TradeDecider.React).Count(m => m is ExecuteTrade);
            state = Follow(state, message);
        }
        Assert.True(executed <= 1, $"{executed} times");
    });

    [Fact]
    public void What_is_stored_folds_to_what_was_decided() => Holds.ForAll(Story, story =>
    {
        var codec = new EventCodec(EventRegistry.From(typeof(TradeRaised).Assembly));
        var (live, replayed) = (TradeState.Initial, TradeState.Initial);
        foreach (var message in story)
        {
            foreach (var @event in Events(live, message))
            {
                var encoded = codec.Encode(@event);
                replayed = TradeState.Fold.Apply(replayed, JsonSerializer.Deserialize(encoded.Data.Span, @event.GetType(), EventCodec.Json)!);
            }
            live = Follow(live, message);
        }
        Assert.Equal(JsonSerializer.Serialize(live), JsonSerializer.Serialize(replayed));
    });

    /// <summary>Messages in any order, repeated; half of them begin as a trade should.</summary>
    private static Arbitrary<ITradeMessage[]> Story { get; } =
        (from proper in Gen.Choose(0, 6)
         from rest in Gen.Elements(Some.Messages.Append(new DeadlineReached(Some.Trade, TradePhase.AssessingRisk, Some.Now + Patience.AssessingRisk)).ToArray()).ListOf()
         select (ITradeMessage[])
         [
             .. new ITradeMessage[] { new SignalRaised(Some.Signal), new SignalValidated(Some.Trade, 0.7m, Some.Verdicts), new RiskApproved(Some.Trade, new Money(50), Some.Verdicts), Some.Opened, Some.Closed }.Take(proper),
             .. rest,
         ]).ToArbitrary();

    private static IReadOnlyList<object> Decide(TradeState state, ITradeMessage message) => TradeDecider.Decide(state, message, Some.Now, Patience);

    private static TradeState After(TradeState state, ITradeMessage message) => Decide(state, message).Aggregate(state, TradeState.Fold.Apply);

    private static IReadOnlyList<object> Events(TradeState state, ITradeMessage message)
    {
        try
        {
            return Decide(state, message);
        }
        catch (PredecessorMissingException)
        {
            return [];
        }
    }

    private static string Attempt(TradeState state, ITradeMessage message) => string.Join('\n', Events(state, message).Select(e => JsonSerializer.Serialize(e, e.GetType())));

    private static TradeState Follow(TradeState state, ITradeMessage message) => Events(state, message).Aggregate(state, TradeState.Fold.Apply);
}
