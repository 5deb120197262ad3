using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>The programs of the market, held to the numbers that they are named for.</summary>
public sealed class ScenarioTests
{
    private const long Since = 1_750_000_000_000;
    private const long Minute = 60_000;
    private const long Seed = 7;

    private static readonly IReadOnlyList<Instrument> All = VenueRules.Default.Instruments;
    private static readonly Instrument Sol = All[2];

    public static TheoryData<Scenario> Programs => [.. Enum.GetValues<Scenario>()];

    [Theory]
    [MemberData(nameof(Programs))]
    public void Given_any_of_them_When_it_begins_Then_the_price_is_where_it_was_and_later_it_is_the_same_for_the_same_time(Scenario scenario)
    {
        foreach (var instrument in All)
        {
            var shift = new Fixed8(3_000_000);
            Assert.Equal(SyntheticMarket.Middle(instrument, Seed, Since, shift), Scenarios.At(Program(scenario), instrument, Seed, Since, shift).Middle);
            for (var elapsed = 0L; elapsed < 2 * 3_600_000; elapsed += 7_777)
            {
                var conditions = At(scenario, instrument, elapsed);
                Assert.Equal(conditions, At(scenario, instrument, elapsed));
                Assert.True(conditions.Middle.IsMultipleOf(instrument.Tick) && conditions.Middle >= new Fixed8(instrument.Tick.Units * 100) && conditions.Middle <= instrument.MaxPrice);
            }
        }
    }

    [Fact]
    public void Given_a_flash_crash_When_its_minute_is_over_Then_ninety_percent_are_gone_and_it_swings_twice_as_much()
    {
        foreach (var instrument in All)
        {
            Near(0.1, Ratio(At(Scenario.FlashCrash, instrument, Minute), Usual(instrument, Minute)), 0.01);
            Near(0.55, Ratio(At(Scenario.FlashCrash, instrument, Minute / 2), Usual(instrument, Minute / 2)), 0.02);
        }
        // At the tenth of the price the swings are a tenth too.
        Near(2, Swing(Scenario.FlashCrash, Btc, Minute) / Swing(Scenario.Usual, Btc, Minute) * 10, 0.05);
    }

    [Fact]
    public void Given_an_altcoin_frenzy_When_it_has_run_Then_altcoins_are_up_five_hundred_percent_on_twenty_times_the_volume_with_dear_gas()
    {
        var conditions = At(Scenario.AltcoinFrenzy, Sol, 5 * Minute);
        Near(6, Ratio(conditions, Usual(Sol, 5 * Minute)), 0.001);
        Assert.Equal((20_000, 500), (conditions.Volume, conditions.GasGwei));
        Assert.Equal(Usual(Btc, 5 * Minute).Middle, At(Scenario.AltcoinFrenzy, Btc, 5 * Minute).Middle);
    }

    [Fact]
    public void Given_a_rug_cascade_When_an_hour_passes_Then_fifteen_rugs_are_pulled_and_each_takes_ninety_five_percent()
    {
        var pulled = 0;
        foreach (var instrument in All)
        {
            var isDown = false;
            for (var elapsed = 0L; elapsed < 60 * Minute; elapsed += 1_000)
            {
                var conditions = At(Scenario.RugCascade, instrument, elapsed);
                if (conditions.Depth == 50 && !isDown)
                    pulled++;
                isDown = conditions.Depth == 50;
            }
        }
        Assert.Equal(15, pulled);
        var after = At(Scenario.RugCascade, Sol, 10_000);
        Near(0.05, Ratio(after, Usual(Sol, 10_000)), 0.001);
        Assert.Equal((50, 1_000), (after.Depth, At(Scenario.RugCascade, Btc, 10_000).Depth));
    }

    [Fact]
    public void Given_a_liquidity_crisis_When_one_looks_at_the_book_Then_a_tenth_is_left_and_the_last_of_it_is_half_the_price_away()
    {
        var (usual, crisis) = (Asks(Usual(Btc, Minute)), Asks(At(Scenario.LiquidityCrisis, Btc, Minute)));
        Near(0.1, (double)crisis.Sum(q => q.Quantity.Units) / usual.Sum(q => q.Quantity.Units), 0.01);
        Near(1.5, (double)crisis[^1].Price.Units / Usual(Btc, Minute).Middle.Units, 0.03);
        Near(1.002, (double)usual[^1].Price.Units / Usual(Btc, Minute).Middle.Units, 0.002);

        static Quote[] Asks(Conditions conditions)
        {
            var (bids, asks) = (new Quote[SyntheticMarket.Levels], new Quote[SyntheticMarket.Levels]);
            SyntheticMarket.QuotesAround(Btc, Seed, Since + Minute, conditions, bids, asks);
            return asks;
        }
    }

    [Fact]
    public void Given_a_volatility_spike_When_it_moves_Then_it_moves_three_times_as_much() =>
        Near(3, Swing(Scenario.VolatilitySpike, Btc, 0) / Swing(Scenario.Usual, Btc, 0), 0.01);

    [Fact]
    public void Given_a_gas_war_When_orders_come_Then_sixty_of_a_hundred_are_turned_away_at_five_thousand_gwei()
    {
        var conditions = At(Scenario.GasWar, Btc, Minute);
        Assert.Equal((600, 5_000), (conditions.FailedOrders, conditions.GasGwei));
        Near(0.6, Enumerable.Range(0, 10_000).Count(turn => SyntheticMarket.Chance(Seed, turn, conditions.FailedOrders)) / 10_000.0, 0.02);
    }

    [Fact]
    public void Given_quiet_trending_and_choppy_markets_When_they_move_Then_each_does_what_it_is_called()
    {
        Near(0.2, Swing(Scenario.Quiet, Btc, 0) / Swing(Scenario.Usual, Btc, 0), 0.01);
        Near(2, Ratio(At(Scenario.Trending, Btc, 60 * Minute), Usual(Btc, 60 * Minute)), 0.05);
        Near(1, Ratio(At(Scenario.Trending, Btc, 120 * Minute), Usual(Btc, 120 * Minute)), 0.05);
        Assert.True(Swing(Scenario.Choppy, Btc, 0) > 2 * Swing(Scenario.Usual, Btc, 0));
        Near(1, Ratio(At(Scenario.Choppy, Btc, 30 * Minute), Usual(Btc, 30 * Minute)), 0.02);
    }

    [Fact]
    public void Given_candles_When_they_are_replayed_Then_each_opens_turns_and_closes_where_it_did()
    {
        var replay = CandleReplay.Parse(["open_time,open,high,low,close,volume", "1700000000000,100,110,95,105,3", "1700000060000,105,106,90,91,3", "1700000180000,92,93,91,92,3"]);
        Assert.Equal(
            ["100", "95", "110", "105", "106", "90", "91", "91", "92", "92"],
            ((long[])[0, 20_000, 40_000, 60_000, 80_000, 100_000, 120_000, 179_999, 180_000, 999_999]).Select(e => replay.At(e, Btc.Tick).ToString()[..^9].Split('.')[0]));
    }

    [Theory]
    [InlineData("1,2,3")]
    [InlineData("1700000000000,100,99,95,105,3")]
    [InlineData("1700000000000,100,110,101,105,3")]
    [InlineData("1700000000000,1e2,110,95,105,3")]
    [InlineData("1700000000000,0,110,0,105,3")]
    [InlineData("1700000000000,100,110,95,105,3")]
    [InlineData("1700000000000,100,110,95,105,3;1700000000000,100,110,95,105,3")]
    public void Given_lines_that_are_no_candles_When_they_are_read_Then_they_are_refused(string lines) =>
        Assert.Throws<FormatException>(() => CandleReplay.Parse(lines.Split(';')));

    [Fact]
    public void Given_a_program_in_force_When_the_journal_or_a_snapshot_is_read_Then_it_still_is()
    {
        var venue = new Trading();
        venue.Exchange.Choose(Scenario.Replay, 5_000, "BTCUSDT-1m.csv", Since);
        venue.Drain();
        var program = new MarketProgram(Scenario.Replay, Since, 5_000, "BTCUSDT-1m.csv");
        Assert.Equal(program, Replayed(venue.Journal).Program);
        Assert.Equal(program, Exchange.Restore(VenueRules.Default, StateOf(venue.Exchange)).Program);
    }

    private static MarketProgram Program(Scenario scenario) => new(scenario, Since, Scenarios.DefaultLength(scenario), "");

    private static Conditions At(Scenario scenario, Instrument instrument, long elapsed) => Scenarios.At(Program(scenario), instrument, Seed, Since + elapsed, Fixed8.Zero);

    private static Conditions Usual(Instrument instrument, long elapsed) => At(Scenario.Usual, instrument, elapsed);

    private static double Ratio(Conditions a, Conditions b) => (double)a.Middle.Units / b.Middle.Units;

    /// <summary>How far the price goes, up and down, in five minutes.</summary>
    private static double Swing(Scenario scenario, Instrument instrument, long from)
    {
        var way = 0L;
        for (var elapsed = from; elapsed < from + (5 * Minute); elapsed += 250)
            way += Math.Abs(At(scenario, instrument, elapsed + 250).Middle.Units - At(scenario, instrument, elapsed).Middle.Units);
        return way;
    }

    private static void Near(double expected, double actual, double within) => Assert.InRange(actual, expected * (1 - within), expected * (1 + within));
}
