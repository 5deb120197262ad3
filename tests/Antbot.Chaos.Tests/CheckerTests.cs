using System.Text;
using System.Text.RegularExpressions;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>The judge finds nothing in what is sound, and in each tampered history exactly what was done to it.</summary>
public sealed partial class CheckerTests
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
        _evidence.Add($"order-{Closed}", "order_intended", SoundEvidence.Intent($"e1-{Closed}", side: 1, 0.5m));
        _evidence.Add($"order-{Closed}", "order_attempted", $$"""{"Order":"e1-{{Closed}}"}""");
        _evidence.Orders.Add(new VenueOrder($"e1-{Closed}", 3, "BTCUSDT", "BUY", "CANCELED", 0.5m, 0));
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
        Finds("3 orders are forgotten by the venue");
    }

    [Fact]
    public void A_position_that_says_less_than_it_leaves_is_found()
    {
        _evidence.Change("position_closed", "0.099", "0");
        Finds("trades leave something else than they say", "leaves 0.099 at the venue and says 0");
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
        Finds("not approved before they were attempted", "faults of reservations", "held 0 and 50 was freed");
    }

    [Fact]
    public void An_order_that_nobody_intended_is_found()
    {
        _evidence.Orders.Add(new VenueOrder($"x3-{Closed}", 3, "BTCUSDT", "SELL", "CANCELED", 0.1m, 0));
        Finds("no recorded intent", "no recorded attempt");
    }

    [Fact]
    public void An_order_that_is_nobodys_is_found()
    {
        _evidence.Orders.Add(new VenueOrder("from-somewhere", 3, "BTCUSDT", "SELL", "CANCELED", 0.1m, 0));
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
        IsNotAtRest("orders are open at the venue");
    }

    [Fact]
    public void A_reservation_that_nobody_let_go_is_found_and_not_at_rest()
    {
        _evidence.Remove("account-main", "position_closed_counted");
        Finds("trades are over and exposure is still held for them");
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
        IsNotAtRest("queues hold messages: antbot-risk 2");
        Finds("queues of dead letters hold messages: antbot-risk_error 1");
    }

    [Fact]
    public void What_a_process_without_a_broker_has_given_up_is_found()
    {
        _evidence.Queues.Add(new QueueDepth(QueueDepth.GivenUp, 1));
        Finds("queues of dead letters hold messages: given-up 1");
        Assert.Empty(Checker.Unsettled(_evidence.Sealed()));
    }

    [Fact]
    public void A_queue_that_is_gone_is_not_at_rest()
    {
        _evidence.Queues[0] = _evidence.Queues[0] with { Waiting = null };
        IsNotAtRest("queues are not there");
    }

    [Fact]
    public void A_stream_whose_head_says_another_version_is_found()
    {
        _evidence.Head = h => h with { Version = h.Version + 1 };
        Finds("streams say another version than their last event");
    }

    [Fact]
    public void A_stream_without_a_head_is_found()
    {
        _evidence.Head = h => h.Id == "account-main" ? null : h;
        Finds("streams have events and no head");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(null)]
    public void A_stream_that_is_archived_is_found(bool? archived)
    {
        _evidence.Head = h => h with { Archived = archived };
        Finds("streams are archived, or nobody knows");
    }

    [Fact]
    public void A_step_of_a_trade_or_of_its_orders_that_was_taken_twice_is_found()
    {
        _evidence.Add($"trade-{Closed}", "trade_validated", "{}");
        _evidence.Add($"order-{Closed}", "entry_planned", "{}");
        Finds("steps were taken more than once", "steps of orders were taken more than once");
    }

    [Fact]
    public void An_intent_that_is_recorded_twice_is_found()
    {
        _evidence.Add($"order-{Closed}", "order_intended", SoundEvidence.Intent($"e0-{Closed}", side: 1, 0.5m));
        Finds("intents are recorded more than once");
    }

    [Theory]
    [InlineData("BTCUSDT", "BUY", 1.0)]
    [InlineData("ETHUSDT", "BUY", 0.5)]
    [InlineData("BTCUSDT", "SELL", 0.5)]
    public void An_order_of_another_size_symbol_or_side_than_was_intended_is_found(string symbol, string side, double quantity)
    {
        _evidence.Orders[0] = _evidence.Orders[0] with { Symbol = symbol, Side = side, Quantity = (decimal)quantity };
        Finds("orders at the venue are other ones than were intended");
    }

    /// <summary>Everywhere alike, as if somebody had asked for twice as much: only what was set aside tells of it.</summary>
    [Fact]
    public void An_entry_that_cost_more_than_was_set_aside_for_it_is_found()
    {
        _evidence.Fills[0] = _evidence.Fills[0] with { Quote = 52.4m };
        Assert.DoesNotContain(Checker.Violations(_evidence.Sealed()), v => v.Contains("set aside", StringComparison.Ordinal));
        _evidence.Fills[0] = _evidence.Fills[0] with { Quote = 52.6m };
        Finds($"entries cost more than was set aside for them: {Closed} 52.6 of 50");
    }

    [Fact]
    public void A_position_that_says_another_size_than_was_entered_is_found()
    {
        _evidence.Change("position_closed", "0.5", "0.6");
        Finds("trades were entered otherwise than they say");
    }

    [Fact]
    public void An_entered_trade_without_a_recorded_close_is_found()
    {
        _evidence.Remove($"order-{Closed}", "position_closed");
        Renumber();
        Finds("trades were entered at the venue and have no recorded close");
    }

    [Fact]
    public void What_was_set_aside_twice_is_found()
    {
        _evidence.Add("account-main", "exposure_reserved", $$"""{"Trade":"{{Closed}}","Reserved":50}""");
        Finds($"{Closed} was reserved twice");
    }

    /// <summary>What one reading shows and the next does not was under way; what becomes more meanwhile is the worst of all.</summary>
    [Fact]
    public async Task What_gets_worse_between_two_readings_is_told_as_it_is_at_the_last()
    {
        var first = Worse();
        var readings = new Queue<Evidence>([Worse(), Worse()]);
        var (last, violations) = await Campaign.JudgeAsync(first, () => Task.FromResult(readings.Dequeue()), TimeSpan.Zero, TestContext.Current.CancellationToken);
        Assert.Equal(5, last.Venue.Orders.Count);
        Assert.Contains(violations, v => v.Contains("client order ids were used more than once at the venue", StringComparison.Ordinal) && v.Contains("4 orders", StringComparison.Ordinal));
        readings = new Queue<Evidence>([new SoundEvidence().Sealed()]);
        Assert.Empty((await Campaign.JudgeAsync(first, () => Task.FromResult(readings.Dequeue()), TimeSpan.Zero, TestContext.Current.CancellationToken)).Violations);

        Evidence Worse()
        {
            _evidence.Orders.Add(_evidence.Orders[0] with { Id = 10 + _evidence.Orders.Count, Executed = 0, Status = "CANCELED" });
            return _evidence.Sealed() with { Venue = new VenueLedger([.. _evidence.Orders], _evidence.Fills, _evidence.Balances, 0) };
        }
    }

    /// <summary>A check that nobody tampers with may have stopped to find anything.</summary>
    [Fact]
    public void Each_thing_that_the_judge_can_say_is_found_by_a_test_of_it()
    {
        var folder = Path.Combine(Programs.Own().Root, "tests");
        var said = Said().Matches(File.ReadAllText(Path.Combine(folder, "Antbot.Chaos", "Checking", "Checker.cs"))).Select(m => m.Groups["what"].Value).ToList();
        var found = Literal().Matches(File.ReadAllText(Path.Combine(folder, "Antbot.Chaos.Tests", "CheckerTests.cs"))).Select(m => m.Groups["text"].Value).ToList();
        Assert.True(said.Count > 35, $"only {said.Count} were found");
        Assert.All(said, what => Assert.Contains(found, text => text.Contains(what, StringComparison.Ordinal) || what.Contains(text, StringComparison.Ordinal)));
    }

    [Fact]
    public void A_dead_letter_that_is_recorded_is_found()
    {
        _evidence.Add("deadletter-11111111111111111111111111111111", "dead_letter_kept", """{"MessageType":"AssessRisk","Endpoint":"risk","FaultMessage":"It failed."}""");
        Finds("messages were dead-lettered: AssessRisk to risk: It failed.");
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

    [GeneratedRegex("""Name\((wrong|unsettled), "(?<what>[^"]+)",""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Said();

    [GeneratedRegex("\"(?<text>[a-z1.' ,]{15,})", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Literal();

    private void IsNotAtRest(string what) => Assert.Contains(Checker.Unsettled(_evidence.Sealed()), u => u.Contains(what, StringComparison.Ordinal));

    /// <summary>Laid there by a case itself, it has to be replayed, and to have one effect.</summary>
    [Fact]
    public void A_dead_letter_of_a_case_that_was_not_replayed_once_is_found()
    {
        const string Message = "0badf00d-0000-4000-8000-000000000001";
        Letter("deadletter-a", Message);
        Finds("dead letters were not replayed in the end: deadletter-a dead_letter_kept", $"dead letters have not had one effect: {Message} 0");
        _evidence.Add("deadletter-a", "dead_letter_replayed", "{}");
        Effect(Message);
        Assert.Empty(Checker.Violations(_evidence.Sealed()));
        Effect(Message);
        Finds($"dead letters have not had one effect: {Message} 2");
        Letter("deadletter-b", Message);
        Finds($"dead letters are there more than once: {Message}");

        void Letter(string stream, string message) => _evidence.Add(stream, "dead_letter_kept", $$"""{"Message":"{{message}}","MessageType":"SettleOrder","Endpoint":"execution","FaultMessage":""}""");
        void Effect(string message)
        {
            _evidence.Add($"order-{SoundEvidence.Adopted}", "order_settlement_refused", "{}");
            _evidence.Events[^1] = _evidence.Events[^1] with { Causation = Guid.Parse(message).ToString("N") };
        }
    }

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
