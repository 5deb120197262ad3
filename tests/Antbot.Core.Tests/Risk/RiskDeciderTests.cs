using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Core.Tests.Coordinator;
using Antbot.Risk.Core;
using Xunit;

namespace Antbot.Core.Tests.Risk;

public sealed class RiskDeciderTests
{
    private static readonly RiskLimits Limits = RiskLimits.Default;
    private static readonly DateTimeOffset Now = Some.Now;

    [Fact]
    public void What_keeps_to_every_limit_is_approved_and_its_whole_notional_reserved()
    {
        var (reserved, state) = Approve(RiskState.Initial, Trade(1), 250);
        Assert.Equal(new Money(250), reserved.Reserved);
        Assert.Equal((250m, 0m, 1), (state.Reserved, state.Open, state.Trades.Count));
        Assert.Equal(Limits, reserved.Limits);
        var approved = Assert.IsType<RiskApproved>(Assert.Single(RiskDecider.React(reserved)));
        Assert.Equal((Trade(1), new Money(250)), (approved.Trade, approved.Reserved));
        Assert.All(approved.Verdicts, v => Assert.True(v.Passed && v.Saw.Length > 0, v.Rule));
    }

    /// <summary>Prevents one position too many in a symbol: what two processes let in at the same moment neither of them can count, and here it is decided one after the other.</summary>
    [Fact]
    public void Each_approval_says_the_how_manieth_trade_of_its_symbol_it_is_that_is_not_over()
    {
        var (one, after) = Approve(RiskState.Initial, Trade(1), 250);
        var (two, then) = Approve(after, Trade(2), 250);
        Assert.Equal((1, 2), (one.InSymbol, two.InSymbol));
        Assert.Equal(2, Assert.IsType<RiskApproved>(Assert.Single(RiskDecider.React(two))).InSymbol);
        var elsewhere = Assert.IsType<ExposureReserved>(Assert.Single(Decide(then, new AssessRisk(Some.Signal with { Trade = Trade(3), Symbol = new Symbol("ETHUSDT") }, 0.7m))));
        Assert.Equal(1, elsewhere.InSymbol);
        // Asked again it has its number still; what is adopted counts; what is over does not.
        Assert.Equal(2, Approve(then, Trade(2), 250).Event.InSymbol);
        then = After(then, Opened(Trade(7), 100) with { Symbol = Some.Signal.Symbol }, Opened(Trade(1), 250) with { Symbol = Some.Signal.Symbol });
        Assert.Equal(4, Approve(then, Trade(4), 250).Event.InSymbol);
        Assert.Equal(3, Approve(After(then, Closed(Trade(1), 0)), Trade(4), 250).Event.InSymbol);
    }

    [Theory]
    [InlineData("0", false)]
    [InlineData("-1", false)]
    [InlineData("0.01", true)]
    [InlineData("1000", true)]
    [InlineData("1000.01", false)]
    public void An_order_costs_something_and_at_most_the_limit(string notional, bool passes) =>
        Assert.Equal(passes, Verdict(RiskState.Initial, Assess(Trade(1), decimal.Parse(notional)), "max_notional").Passed);

    [Theory]
    [InlineData("200", true)]
    [InlineData("200.01", false)]
    public void Reserved_and_open_together_stay_within_the_limit(string notional, bool passes)
    {
        var state = RiskState.Initial;
        for (var i = 1; i <= 10; i++)
            state = Approve(state, Trade(i), 980).After;
        state = After(state, Opened(Trade(1), 980));
        Assert.Equal((8_820m, 980m), (state.Reserved, state.Open));
        Assert.Equal(passes, Verdict(state, Assess(Trade(99), decimal.Parse(notional)), "max_exposure").Passed);
    }

    [Fact]
    public void A_day_that_has_lost_its_share_enters_nothing_more_and_the_next_day_does()
    {
        var state = Lost(RiskState.Initial, 499.99m);
        Assert.True(Verdict(state, Assess(Trade(50)), "daily_loss").Passed);
        state = Lost(state, 0.01m);
        var denied = Denied(state, Assess(Trade(50)));
        Assert.Equal("daily_loss", Assert.Single(denied.Verdicts, v => !v.Passed).Rule);
        Assert.Equal((10_000m, -500m), (denied.Sight.DayStartEquity, denied.Sight.RealisedToday));

        var tomorrow = Now.AddDays(1);
        var message = Assess(Trade(51)) with { Signal = Some.Signal with { RaisedAt = tomorrow, ValidUntil = tomorrow.AddSeconds(30) } };
        var reserved = Assert.IsType<ExposureReserved>(Assert.Single(RiskDecider.Decide(state, message, tomorrow, Limits)));
        Assert.Equal((9_500m, 0m), (reserved.Sight.DayStartEquity, reserved.Sight.RealisedToday));
    }

    [Fact]
    public void A_clock_that_goes_back_over_midnight_does_not_give_the_day_before_its_allowance_again()
    {
        var state = Lost(RiskState.Initial, 500);
        Assert.False(Rules(state, Assess(Trade(9)), Now.AddDays(-1)).Single(v => v.Rule == "daily_loss").Passed);
        var counted = Assert.IsType<PositionClosedCounted>(RiskDecider.Decide(state, Closed(Trade(8), -1), Now.AddDays(-1), Limits)[0]);
        Assert.Equal(DateOnly.FromDateTime(Now.UtcDateTime), counted.Day);
    }

    [Fact]
    public void An_account_without_equity_enters_nothing() =>
        Assert.False(Verdict(Lost(RiskState.Initial, 10_000), Assess(Trade(9)), "daily_loss").Passed);

    [Fact]
    public void Every_rule_is_asked_and_a_refusal_names_every_reason()
    {
        var late = Now.AddMinutes(10);
        var state = Lost(RiskState.Initial, 600);
        var denied = Assert.IsType<RiskDeniedRecorded>(Assert.Single(RiskDecider.Decide(state, Assess(Trade(2), 20_000), late, Limits)));
        Assert.Equal(["still_valid", "not_barred", "max_notional", "max_exposure", "max_trades", "daily_loss"], denied.Verdicts.Select(v => v.Rule));
        Assert.Equal(["still_valid", "max_notional", "max_exposure", "daily_loss"], denied.Verdicts.Where(v => !v.Passed).Select(v => v.Rule));
        Assert.Equal(new RiskDenied(Trade(2), denied.Verdicts), Assert.Single(RiskDecider.React(denied)));
        Assert.Equal(RiskState.Fold.Apply(state, denied), state);
    }

    [Fact]
    public void The_number_of_trades_is_bounded()
    {
        var limits = Limits with { TradesMax = 2 };
        var state = Approve(Approve(RiskState.Initial, Trade(1), 1).After, Trade(2), 1).After;
        Assert.IsType<RiskDeniedRecorded>(Assert.Single(RiskDecider.Decide(state, Assess(Trade(3), 1), Now, limits)));
    }

    [Fact]
    public void A_fill_puts_its_true_cost_in_the_place_of_the_reservation()
    {
        var state = Approve(RiskState.Initial, Trade(1), 250).After;
        var filled = Assert.IsType<ReservationFilled>(Assert.Single(Decide(state, Opened(Trade(1), 248.5m))));
        Assert.Equal((new Money(250), new Money(248.5m)), (filled.Released, filled.Cost));
        state = RiskState.Fold.Apply(state, filled);
        Assert.Equal((0m, 248.5m), (state.Reserved, state.Open));
        Assert.Empty(RiskDecider.React(filled));
    }

    [Fact]
    public void An_entry_that_failed_gives_its_reservation_back()
    {
        var state = After(Approve(RiskState.Initial, Trade(1), 250).After, new EntryFailed(Trade(1), Some.Account, "refused"));
        Assert.Equal((0m, 0m), (state.Reserved, state.Open));
        Assert.Empty(state.Trades);
    }

    [Fact]
    public void A_close_frees_what_was_open_and_counts_the_day()
    {
        var state = After(Approve(RiskState.Initial, Trade(1), 250).After, Opened(Trade(1), 250), Closed(Trade(1), -12.5m));
        Assert.Equal((0m, 0m, -12.5m), (state.Reserved, state.Open, state.RealisedToday));
        Assert.Empty(state.Trades);
        Assert.Empty(state.Bars);
    }

    [Fact]
    public void A_close_that_overtakes_its_opening_counts_once_and_the_opening_then_opens_nothing()
    {
        var state = After(Approve(RiskState.Initial, Trade(1), 250).After, Closed(Trade(1), 7));
        Assert.Equal((0m, 0m, 7m), (state.Reserved, state.Open, state.RealisedToday));
        state = After(state, Closed(Trade(1), 7));
        Assert.Equal(7m, state.RealisedToday);
        state = After(state, Opened(Trade(1), 250));
        Assert.Equal((0m, 0m), (state.Reserved, state.Open));
        Assert.Empty(state.Trades);
    }

    public static TheoryData<bool> Outcomes => [true, false];

    [Theory]
    [MemberData(nameof(Outcomes))]
    public void An_outcome_that_overtakes_the_assessment_refuses_it(bool closed)
    {
        ITradeMessage outcome = closed ? Closed(Trade(1), -3) : new EntryFailed(Trade(1), Some.Account, "cancelled");
        var state = After(RiskState.Initial, outcome);
        Assert.Equal(closed ? -3m : 0m, state.RealisedToday);
        var denied = Denied(state, Assess(Trade(1)));
        Assert.Equal("not_barred", Assert.Single(denied.Verdicts, v => !v.Passed).Rule);
        Assert.IsType<ExposureReserved>(Assert.Single(Decide(state, Assess(Trade(2)))));
    }

    [Fact]
    public void What_is_known_to_be_closed_opens_nothing_and_what_nobody_asked_about_counts()
    {
        var state = After(RiskState.Initial, Closed(Trade(1), 1), Opened(Trade(1), 100));
        Assert.Equal(0m, state.Open);
        state = After(state, Opened(Trade(2), 100));
        Assert.Equal(100m, state.Open);
        Assert.Equal("not_barred", Assert.Single(Denied(state, Assess(Trade(2))).Verdicts, v => !v.Passed).Rule);
    }

    [Fact]
    public void Bars_are_bounded_and_what_was_raised_before_the_forgotten_ones_is_refused()
    {
        var state = RiskState.Initial;
        for (var i = 1; i <= RiskState.BarsMax + 1; i++)
        {
            foreach (var @event in RiskDecider.Decide(state, new EntryFailed(Trade(i), Some.Account, "cancelled"), Now.AddSeconds(i), Limits))
                state = RiskState.Fold.Apply(state, @event);
        }
        Assert.Equal(RiskState.BarsMax / 2 + 1, state.Bars.Count);
        var forgotten = Now.AddSeconds(RiskState.BarsMax / 2);
        Assert.Equal(forgotten, state.BarsUntil);
        Assert.False(RaisedAt(state, Trade(1), Now).Passed);
        Assert.False(RaisedAt(state, Trade(90_000), forgotten.AddSeconds(10)).Passed);
        Assert.True(RaisedAt(state, Trade(90_000), forgotten.AddSeconds(10.001)).Passed);
        Assert.False(RaisedAt(state, Trade(RiskState.BarsMax), forgotten.AddSeconds(11)).Passed);

        static Verdict RaisedAt(RiskState state, TradeId trade, DateTimeOffset at) =>
            Rules(state, Assess(trade) with { Signal = Assess(trade).Signal with { RaisedAt = at, ValidUntil = at.AddHours(9) } }, at).Single(v => v.Rule == "not_barred");
    }

    [Fact]
    public void The_same_trade_in_another_message_is_answered_with_what_was_reserved_and_reserves_nothing_more()
    {
        var state = Approve(RiskState.Initial, Trade(1), 250).After;
        foreach (var later in new[] { state, After(state, Opened(Trade(1), 240)) })
        {
            var again = Assert.IsType<ExposureReserved>(Assert.Single(Decide(later, Assess(Trade(1), 400))));
            Assert.Equal(new Money(250), again.Reserved);
            Assert.Equal(later, RiskState.Fold.Apply(later, again));
        }
    }

    [Fact]
    public void A_failure_that_contradicts_an_open_position_changes_nothing()
    {
        var state = After(Approve(RiskState.Initial, Trade(1), 250).After, Opened(Trade(1), 250));
        Assert.IsType<RiskNewsAbsorbed>(Assert.Single(Decide(state, new EntryFailed(Trade(1), Some.Account, "refused"))));
    }

    [Fact]
    public void The_state_has_the_same_size_after_many_thousand_trades()
    {
        var state = RiskState.Initial;
        for (var i = 1; i <= 20_000; i++)
            state = After(Approve(state, Trade(i), 250).After, Opened(Trade(i), 250), Closed(Trade(i), i % 2 == 0 ? 1 : -1));
        Assert.Equal((0m, 0m, 0, 0), (state.Reserved, state.Open, state.Trades.Count, state.Bars.Count));
    }

    private static TradeId Trade(int n) => new(new Guid(n, 1, 1, new byte[8]));

    private static AssessRisk Assess(TradeId trade, decimal notional = 250) => new(Some.Signal with { Trade = trade, Notional = new Money(notional) }, 0.7m);

    private static TradeOpened Opened(TradeId trade, decimal cost) => Some.Opened with { Trade = trade, Cost = new Money(cost) };

    private static TradeClosed Closed(TradeId trade, decimal realised) => Some.Closed with { Trade = trade, Realised = new Money(realised) };

    private static RiskState Lost(RiskState state, decimal amount) => After(state, Closed(Trade(1_000 + state.Bars.Count), -amount));

    private static IReadOnlyList<object> Decide(RiskState state, ITradeMessage message) => RiskDecider.Decide(state, message, Now, Limits);

    private static RiskState After(RiskState state, params IEnumerable<ITradeMessage> messages) =>
        messages.Aggregate(state, (s, m) => Decide(s, m).Aggregate(s, RiskState.Fold.Apply));

    private static (ExposureReserved Event, RiskState After) Approve(RiskState state, TradeId trade, decimal notional)
    {
        var reserved = Assert.IsType<ExposureReserved>(Assert.Single(Decide(state, Assess(trade, notional))));
        return (reserved, RiskState.Fold.Apply(state, reserved));
    }

    private static RiskDeniedRecorded Denied(RiskState state, AssessRisk message) => Assert.IsType<RiskDeniedRecorded>(Assert.Single(Decide(state, message)));

    private static IReadOnlyList<Verdict> Rules(RiskState state, AssessRisk message, DateTimeOffset now) => Assert.Single(RiskDecider.Decide(state, message, now, Limits)) switch
    {
        ExposureReserved e => e.Verdicts,
        RiskDeniedRecorded e => e.Verdicts,
        var other => throw new InvalidOperationException(other.ToString()),
    };

    private static Verdict Verdict(RiskState state, AssessRisk message, string rule) => Rules(state, message, Now).Single(v => v.Rule == rule);
}
