using System.Text;
using System.Text.Json.Nodes;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;
using Xunit;
using static Antbot.Core.Tests.Reconciliation.Given;

namespace Antbot.Core.Tests.Reconciliation;

public sealed class TradeVerificationTests
{
    [Fact]
    public void An_entry_that_the_venue_executed_as_we_say_is_reconciled_with_the_venues_words()
    {
        var verified = Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), At(Verify(0.5m), Seen(Entry(), Side.Buy, 0.5m)))));
        Assert.Equal(0.5m, verified.Entered.Value);

        var told = Assert.IsType<TradeReconciled>(Assert.Single(ReconciliationDecider.React(verified)));
        Assert.Equal((Trade(), false), (told.Trade, told.Closed));
        Assert.Contains("the venue's order 77: Buy Filled, executed 0.5 of 1", told.Evidence, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_verified_before_it_was_recorded_what_else_that_rested_on_is_read_all_the_same()
    {
        var verified = Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), At(Verify(0.5m), Seen(Entry(), Side.Buy, 0.5m)) with { Record = [], Unsellable = 0.001m })));
        var old = JsonNode.Parse(Codec.Encode(verified).Data.Span)!.AsObject();
        Assert.True(old.Remove("Record") && old.Remove("Unsellable"));
        var read = Assert.IsType<TradeVerified>(Codec.Decode(new StoredEvent
        {
            Sequence = 1, Position = 1, EventId = Message, Stream = "reconciliation-main", Version = 1, Type = "trade_verified", ClrType = null, Data = Encoding.UTF8.GetBytes(old.ToJsonString()), Timestamp = Now,
        }));
        Assert.Equal((verified.Entered, null, 0m), (read.Entered, read.Record, read.Unsellable));
    }

    [Fact]
    public void A_closed_trade_that_has_nothing_left_is_reconciled() =>
        Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1), Seen(Exit(), Side.Sell, 1)))));

    [Fact]
    public void A_short_trade_is_reconciled_the_other_way_round() =>
        Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), At(Verify(1, closed: true, Side.Sell), Seen(Entry(), Side.Sell, 1), Seen(Exit(), Side.Buy, 1)))));

    [Theory]
    [InlineData(0.4)]
    [InlineData(0.6)]
    [InlineData(0)]
    public void Another_quantity_at_the_venue_is_drift_and_the_order_is_to_be_corrected(double executed)
    {
        var seen = At(Verify(0.5m), Seen(Entry(), Side.Buy, (decimal)executed)) with { Record = [new(Entry(), Side.Buy, new Quantity(0.5m), Over: true)] };
        var drifted = Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), seen)));

        var told = ReconciliationDecider.React(drifted);
        var drift = Assert.IsType<DriftFound>(told[0]);
        Assert.Contains("0.5 by our word", drift.What, StringComparison.Ordinal);
        var correct = Assert.IsType<CorrectOrder>(Assert.Single(told.Skip(1)));
        Assert.Equal((Trade(), Account, Entry()), (correct.Trade, correct.Account, correct.Order));
        Assert.Contains("0.5 in our record", correct.What, StringComparison.Ordinal);
        Assert.Contains("the venue's order 77", correct.Evidence, StringComparison.Ordinal);
    }

    /// <summary>Found by the fuzz: an order that the question and the record name twice ended every look at its trade.</summary>
    [Fact]
    public void The_same_order_twice_in_a_question_and_in_the_record_is_looked_at_and_its_later_word_counts()
    {
        var verify = Verify(0.5m) with { Orders = [Entry(), Entry()] };
        var seen = At(verify, Seen(Entry(), Side.Buy, 0.4m)) with { Record = [new(Entry(), Side.Buy, Quantity.Zero, Over: false), new(Entry(), Side.Buy, new Quantity(0.5m), Over: true)] };
        var correction = Assert.Single(TradeCheck.Corrections(seen));
        Assert.Contains("0.5 in our record", correction.What, StringComparison.Ordinal);
        Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), seen)));
    }

    [Fact]
    public void An_order_that_the_venue_does_not_know_executed_nothing()
    {
        var drifted = Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), At(Verify(1), NotKnown(Entry(), Side.Buy)))));
        Assert.Contains("is not known to the venue", drifted.Evidence, StringComparison.Ordinal);
        // One that never executed does no harm to a trade that another order entered.
        var second = ClientOrderId.Of(Trade(), OrderRole.Entry, 1);
        Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), At(Verify(1), NotKnown(Entry(), Side.Buy), Seen(second, Side.Buy, 1)))));
    }

    [Fact]
    public void A_closed_trade_that_has_something_left_is_drift()
    {
        var drifted = Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1), Seen(Exit(), Side.Sell, 0.9m)))));
        Assert.Contains("0.1 is left at the venue", drifted.What, StringComparison.Ordinal);
    }

    [Fact]
    public void What_was_sold_too_much_is_left_too() =>
        Assert.Contains("-0.1 is left", Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1), Seen(Exit(), Side.Sell, 1.1m))))).What, StringComparison.Ordinal);

    [Fact]
    public void Fees_that_the_venue_kept_of_the_base_asset_and_dust_below_its_step_are_not_left()
    {
        var fees = At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1, fees: 0.001m), Seen(Exit(), Side.Sell, 0.999m));
        Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), fees)));
        var dust = At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1, fees: 0.0005m), Seen(Exit(), Side.Sell, 0.999m)) with { Unsellable = 0.001m };
        Assert.IsType<TradeVerified>(Assert.Single(Decide(State(), dust)));
        Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), dust with { Unsellable = 0.0005m })));
    }

    [Fact]
    public void An_order_that_still_rests_behind_a_closed_trade_is_drift() => Assert.Contains(
        "still open at the venue",
        Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1), Seen(Exit(), Side.Sell, 1), Seen(ClientOrderId.Of(Trade(), OrderRole.Stop, 0), Side.Sell, 0, VenueOrderStatus.Open))))).What,
        StringComparison.Ordinal);

    [Fact]
    public void A_venue_that_does_not_say_is_pending_and_nothing_is_told()
    {
        var trouble = new TradeSeen(Verify(1), Message, [], "timed out", null, 0);
        var pending = Assert.IsType<VerificationPending>(Assert.Single(Decide(State(), trouble)));
        Assert.Empty(ReconciliationDecider.React(pending));
        Assert.Single(State(pending).Pending);

        // Asked again in vain it is not recorded again; once the venue speaks it is over.
        Assert.Empty(Decide(State(pending), trouble));
        var verified = Assert.Single(Decide(State(pending), At(Verify(1), Seen(Entry(), Side.Buy, 1))));
        Assert.Empty(State(pending, verified).Pending);
    }

    [Fact]
    public void A_drift_is_told_once_and_again_only_when_it_changes_and_ends_when_our_record_was_corrected()
    {
        var seen = At(Verify(1), Seen(Entry(), Side.Buy, 0.4m));
        var drifted = Assert.Single(Decide(State(), seen));
        Assert.Empty(Decide(State(drifted), seen));
        var other = Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(drifted), At(Verify(1), Seen(Entry(), Side.Buy, 0.5m)))));
        Assert.Equal(2, State(drifted, other).Pending.Single().Value.Steps);

        var corrected = seen with { Record = [new(Entry(), Side.Buy, new Quantity(0.4m), Over: true)] };
        var verified = Assert.IsType<TradeVerified>(Assert.Single(Decide(State(drifted), corrected)));
        Assert.Empty(State(drifted, verified).Pending);
    }

    [Fact]
    public void A_record_that_is_wrong_about_an_orders_end_is_corrected_too()
    {
        var seen = At(Verify(1), Seen(Entry(), Side.Buy, 0.4m, VenueOrderStatus.PartiallyFilled)) with { Record = [new(Entry(), Side.Buy, new Quantity(0.4m), Over: true)] };
        var drifted = Assert.IsType<TradeDrifted>(Assert.Single(Decide(State(), seen)));
        Assert.Equal("PartiallyFilled at the venue, ended in our record", Assert.Single(drifted.Corrections).What);
    }

    [Fact]
    public void The_same_question_about_the_same_answers_is_decided_alike()
    {
        var seen = At(Verify(1, closed: true), Seen(Entry(), Side.Buy, 1), Seen(Exit(), Side.Sell, 0.9m));
        Assert.Equal(Decide(State(), seen).Select(Json), Decide(State(), seen).Select(Json));
    }

    private static IReadOnlyList<object> Decide(ReconciliationState state, TradeSeen seen) => ReconciliationDecider.Decide(state, seen, Now);
}
