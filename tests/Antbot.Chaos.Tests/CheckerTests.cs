using System.Text;
using Antbot.Chaos.Checking;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>The judge finds nothing in what is sound, and in each tampered history exactly what was done to it.</summary>
public sealed class CheckerTests
{
    private const string Closed = SoundEvidence.Closed;
    private const string Denied = SoundEvidence.Denied;

    private readonly SoundEvidence _evidence = new();

    [Fact]
    public void Nothing_is_found_where_nothing_is_wrong()
    {
        Assert.Empty(Checker.Violations(_evidence.Sealed()));
        Assert.Empty(Checker.Unsettled(_evidence.Sealed()));
    }

    [Fact]
    public void An_order_that_was_placed_twice_under_one_name_is_found()
    {
        _evidence.Orders.Add(_evidence.Orders[0] with { Id = 3, Executed = 0, Status = "CANCELED" });
        Finds("client order ids were used more than once at the venue", "trades were entered more than once", "executed otherwise than recorded");
    }

    [Fact]
    public void A_trade_that_was_entered_by_two_intents_is_found()
    {
        _evidence.Add($"order-{Closed}", "order_intended", $$"""{"Order":"e1-{{Closed}}"}""");
        _evidence.Add($"order-{Closed}", "order_attempted", $$"""{"Order":"e1-{{Closed}}"}""");
        _evidence.Orders.Add(new VenueOrder($"e1-{Closed}", 3, "BTCUSDT", "BUY", "CANCELED", 0));
        Finds("trades were entered more than once");
    }

    [Fact]
    public void A_fill_that_is_not_recorded_is_found()
    {
        _evidence.Remove($"order-{Closed}", "order_filled");
        Renumber();
        Finds("executed otherwise than recorded");
    }

    [Fact]
    public void A_fill_that_is_recorded_twice_is_found()
    {
        _evidence.Add($"order-{Closed}", "order_filled", $$"""{"Order":"e0-{{Closed}}","FillId":"901","Quantity":0.5}""");
        Finds("fills are recorded twice");
    }

    [Fact]
    public void A_fill_of_an_order_that_the_venue_does_not_know_is_found()
    {
        _evidence.Add($"order-{Closed}", "order_filled", $$"""{"Order":"x9-{{Closed}}","FillId":"999","Quantity":0.5}""");
        Finds("for orders that the venue does not know");
    }

    [Fact]
    public void An_order_without_its_fills_at_the_venue_is_found()
    {
        _evidence.Fills.RemoveAt(1);
        Finds("not the sum of their fills", "leaves 0.499");
    }

    [Fact]
    public void A_balance_that_no_fill_explains_is_found()
    {
        _evidence.Balances["BTC"] += 0.001m;
        Finds("balances are not what fills made of them: BTC: 0.100 and not 0.099");
    }

    [Fact]
    public void What_the_venue_has_forgotten_is_not_passed_over()
    {
        _evidence.Forgotten = 3;
        Finds("the venue has forgotten 3 orders");
    }

    [Fact]
    public void A_position_that_says_less_than_it_leaves_is_found()
    {
        _evidence.Change("position_closed", "0.099", "0");
        Finds("leaves 0.099 at the venue and says 0");
    }

    [Fact]
    public void A_trade_without_an_end_is_found_and_not_at_rest()
    {
        _evidence.Remove($"trade-{Denied}", "trade_denied");
        Finds("trades have not one end");
        Assert.Contains(Checker.Unsettled(_evidence.Sealed()), u => u.Contains("trades have no end", StringComparison.Ordinal));
    }

    [Fact]
    public void A_trade_with_two_ends_is_found()
    {
        _evidence.Add($"trade-{Denied}", "trade_failed", "{}");
        Finds("trades have not one end");
    }

    [Fact]
    public void A_trade_that_goes_on_after_its_end_is_found()
    {
        _evidence.Add($"trade-{Denied}", "trade_validated", "{}");
        Finds("trades went on after their end");
    }

    [Fact]
    public void A_signal_that_was_accepted_and_is_nowhere_is_found()
    {
        _evidence.Accepted.Add("33333333333333333333333333333333");
        Finds("accepted signals are in no history");
        Assert.Contains(Checker.Unsettled(_evidence.Sealed()), u => u.Contains("nothing of it is recorded", StringComparison.Ordinal));
    }

    [Fact]
    public void A_signal_that_never_became_a_trade_is_found()
    {
        _evidence.Add("signal-33333333333333333333333333333333", "signal_raised", "{}");
        Finds("signals never became a trade");
    }

    [Fact]
    public void An_entry_without_approval_is_found()
    {
        _evidence.Remove($"trade-{Closed}", "trade_approved");
        Renumber();
        Finds("not approved before they were attempted");
    }

    [Fact]
    public void An_entry_without_a_reservation_is_found()
    {
        _evidence.Remove("account-main", "exposure_reserved");
        Renumber();
        Finds("not approved before they were attempted", "held 0 and 50 was freed");
    }

    [Fact]
    public void An_order_that_nobody_intended_is_found()
    {
        _evidence.Orders.Add(new VenueOrder($"x3-{Closed}", 3, "BTCUSDT", "SELL", "CANCELED", 0));
        Finds("no recorded intent", "no recorded attempt");
    }

    [Fact]
    public void An_order_that_is_nobodys_is_found()
    {
        _evidence.Orders.Add(new VenueOrder("from-somewhere", 3, "BTCUSDT", "SELL", "CANCELED", 0));
        Finds("orders at the venue are nobody's");
    }

    [Fact]
    public void What_was_adopted_and_written_off_is_in_the_reckoning()
    {
        _evidence.Adopt();
        Assert.Empty(Checker.Violations(_evidence.Sealed()));
        Assert.Empty(Checker.Unsettled(_evidence.Sealed()));
    }

    [Fact]
    public void An_adopted_position_of_which_more_is_gone_than_it_says_is_found()
    {
        _evidence.Adopt();
        _evidence.Change("position_written_off", "0.1", "0.2");
        Finds($"{SoundEvidence.Adopted} leaves 0.30 at the venue and says 0.4");
    }

    [Fact]
    public void A_fill_of_an_adopted_order_that_is_not_recorded_is_found()
    {
        _evidence.Adopt();
        _evidence.Change("order_filled", "0.25", "0.2");
        Finds("hand-1: 0.25 at the venue, 0.2 recorded");
    }

    [Fact]
    public void An_order_that_rests_is_found_and_not_at_rest()
    {
        _evidence.Orders[1] = _evidence.Orders[1] with { Status = "PARTIALLY_FILLED" };
        Finds("orders are still open");
        Assert.NotEmpty(Checker.Unsettled(_evidence.Sealed()));
    }

    [Fact]
    public void A_reservation_that_nobody_let_go_is_found_and_not_at_rest()
    {
        _evidence.Remove("account-main", "position_closed_counted");
        Finds("is still held for 1 trades");
        Assert.Contains(Checker.Unsettled(_evidence.Sealed()), u => u.Contains("still hold exposure", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reservation_that_was_let_go_twice_is_found()
    {
        _evidence.Add("account-main", "reservation_released", $$"""{"Trade":"{{Closed}}","Released":50}""");
        Finds("held 0 and 50 was freed");
    }

    [Fact]
    public void A_closed_trade_that_was_not_held_against_the_venue_is_not_at_rest()
    {
        _evidence.Remove($"trade-{Closed}", "trade_reconciled");
        Assert.Contains(Checker.Unsettled(_evidence.Sealed()), u => u.Contains("not held against the venue", StringComparison.Ordinal));
    }

    [Fact]
    public void A_gap_in_a_stream_is_found()
    {
        var at = _evidence.Events.FindLastIndex(e => e.Stream == $"trade-{Closed}");
        _evidence.Events[at] = _evidence.Events[at] with { Version = 99 };
        Finds("streams are not 1..n");
    }

    [Fact]
    public void An_event_that_is_there_twice_is_found()
    {
        _evidence.Add($"signal-{Denied}", "signal_raised", "{}");
        _evidence.Events[^1] = _evidence.Events[^1] with { Id = _evidence.Events[0].Id };
        Finds("event ids are there twice");
    }

    [Fact]
    public void A_message_in_a_queue_is_not_at_rest_and_a_dead_letter_is_found()
    {
        _evidence.Queues[0] = _evidence.Queues[0] with { Waiting = 2 };
        _evidence.Queues[1] = _evidence.Queues[1] with { Waiting = 1 };
        Assert.Contains(Checker.Unsettled(_evidence.Sealed()), u => u.Contains("antbot-risk 2", StringComparison.Ordinal));
        Finds("antbot-risk_error 1");
    }

    [Fact]
    public void A_dead_letter_that_is_recorded_is_found()
    {
        _evidence.Add("deadletter-11111111111111111111111111111111", "dead_letter_kept", """{"MessageType":"AssessRisk","Endpoint":"risk","FaultMessage":"It failed."}""");
        Finds("AssessRisk to risk: It failed.");
    }

    [Theory]
    [InlineData("a value of an event")]
    [InlineData("a link")]
    [InlineData("a link that is gone")]
    [InlineData("an event that is gone")]
    [InlineData("an event in no link")]
    [InlineData("two links the other way round")]
    public void A_broken_chain_is_found(string tampered)
    {
        var ledger = _evidence.Link().ToList();
        switch (tampered)
        {
            case "a value of an event":
                _evidence.Change("exposure_reserved", "50", "51");
                break;
            case "a link":
                ledger[3] = ledger[3] with { Hash = [.. ledger[3].Hash.Reverse()] };
                break;
            case "a link that is gone":
                ledger.RemoveAt(3);
                break;
            case "an event that is gone":
                _evidence.Events.RemoveAt(3);
                break;
            case "an event in no link":
                ledger.RemoveAt(ledger.Count - 1);
                break;
            default:
                (ledger[3], ledger[4]) = (ledger[3] with { Sequence = ledger[4].Sequence, EventId = ledger[4].EventId }, ledger[4] with { Sequence = ledger[3].Sequence, EventId = ledger[3].EventId });
                break;
        }
        Assert.Contains(Checker.Violations(_evidence.With(ledger)), v => v.Contains("faults in the chain", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("""{"b":1,"a":{"d":[true,null,"x"],"c":0.10}}""", """{"a":{"c":0.10,"d":[true,null,"x"]},"b":1}""")]
    [InlineData("{\"a!\":1, \"a\":-0.00, \"\u00e9\":\"\\u0001\\/\\u00e9\\n\"}", "{\"a\":0.00,\"a!\":1,\"\u00e9\":\"\\u0001/\u00e9\\n\"}")]
    public void One_value_has_one_spelling(string json, string spelled) => Assert.Equal(spelled, Encoding.UTF8.GetString(PlainJson.Of(Encoding.UTF8.GetBytes(json))));

    private void Finds(params string[] what)
    {
        var violations = Checker.Violations(_evidence.Sealed());
        Assert.All(what, w => Assert.Contains(violations, v => v.Contains(w, StringComparison.Ordinal)));
    }

    /// <summary>After one was taken out of the middle of its stream.</summary>
    private void Renumber()
    {
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var i = 0; i < _evidence.Events.Count; i++)
        {
            var stream = _evidence.Events[i].Stream;
            versions[stream] = versions.GetValueOrDefault(stream) + 1;
            _evidence.Events[i] = _evidence.Events[i] with { Version = versions[stream] };
        }
    }
}
