using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Core.Tests.Coordinator;
using Antbot.Validation.Core;
using Xunit;

namespace Antbot.Core.Tests.Validation;

public sealed class ValidationDeciderTests
{
    private static readonly ValidationLimits Limits = ValidationLimits.Default;

    /// <summary>Each way in which a signal can be out of bounds, and the one rule that says so.</summary>
    private static readonly (string Rule, string What, Func<Signal, Signal> Change)[] Faults =
    [
        ("known_symbol", "a symbol nobody chose", s => s with { Symbol = new Symbol("SHIBUSDT") }),
        ("named_source", "no source", s => s with { Source = "" }),
        ("named_source", "an endless source", s => s with { Source = new string('x', 101) }),
        ("freshness", "too old", s => s with { RaisedAt = Some.Now.AddSeconds(-30.001) }),
        ("freshness", "from the future", s => s with { RaisedAt = Some.Now.AddSeconds(5.001) }),
        ("freshness", "run out", s => s with { ValidUntil = Some.Now }),
        ("freshness", "valid for too long", s => s with { ValidUntil = Some.Now.AddSeconds(3_600.001) }),
        ("entry_price", "a market order with a limit", s => s with { Limit = new Price(100) }),
        ("entry_price", "a limit order without one", s => s with { Kind = OrderKind.Limit }),
        ("entry_price", "no kind of order", s => s with { Kind = (OrderKind)0 }),
        ("entry_price", "a limit too far above", s => s with { Kind = OrderKind.Limit, Limit = new Price(105.01m) }),
        ("stop_price", "no stop", s => s with { Stop = null }),
        ("stop_price", "a stop that wins", s => s with { Stop = new Price(100.01m) }),
        ("stop_price", "a stop at the entry", s => s with { Stop = new Price(100) }),
        ("stop_price", "a stop too far", s => s with { Stop = new Price(79.99m) }),
        ("take_profit_price", "a take-profit that loses", s => s with { TakeProfit = new Price(99.99m) }),
        ("take_profit_price", "a take-profit out of reach", s => s with { TakeProfit = new Price(200.01m) }),
        ("notional_bounds", "dust", s => s with { Notional = new Money(9.99m) }),
        ("notional_bounds", "a typing error", s => s with { Notional = new Money(100_000.01m) }),
        ("enough_confidence", "too little confidence", s => s with { Confidence = 0.49m }),
        ("enough_confidence", "a negative confidence", s => s with { Confidence = -1 }),
    ];

    public static TheoryData<int> FaultNumbers => [.. Enumerable.Range(0, Faults.Length)];

    [Fact]
    public void A_signal_that_keeps_to_everything_is_validated_with_its_confidence()
    {
        var validated = Valid(SymbolMemory.Initial, Some.Signal);
        Assert.Equal(0.8m, validated.Confidence);
        Assert.Equal((Some.Signal, Limits), (validated.Signal, validated.Limits));
        Assert.Equal(
            ["known_symbol", "named_source", "freshness", "entry_price", "stop_price", "take_profit_price", "notional_bounds", "enough_confidence", "no_duplicate"],
            validated.Verdicts.Select(v => v.Rule));
        Assert.All(validated.Verdicts, v => Assert.True(v.Passed && v.Saw.Length > 0, v.Rule));
        Assert.Equal(new SignalValidated(Some.Trade, 0.8m, validated.Verdicts), Assert.Single(ValidationDecider.React(validated)));
    }

    [Theory]
    [MemberData(nameof(FaultNumbers))]
    public void What_is_out_of_bounds_is_rejected_by_its_own_rule(int number)
    {
        var (rule, what, change) = Faults[number];
        var rejected = Rejected(SymbolMemory.Initial, change(Some.Signal));
        Assert.True(rejected.Verdicts.Single(v => !v.Passed).Rule == rule, what);
        Assert.Equal(new SignalRejected(Some.Trade, rejected.Verdicts), Assert.Single(ValidationDecider.React(rejected)));
    }

    [Fact]
    public void A_rejection_names_every_reason()
    {
        var rejected = Rejected(SymbolMemory.Initial, Some.Signal with { Symbol = new Symbol("SHIBUSDT"), Stop = new Price(101), Notional = new Money(1), Confidence = 0.1m });
        Assert.Equal(["known_symbol", "stop_price", "notional_bounds", "enough_confidence"], rejected.Verdicts.Where(v => !v.Passed).Select(v => v.Rule));
    }

    [Fact]
    public void For_a_sale_the_stop_is_above_and_the_take_profit_below()
    {
        var sale = Some.Signal with { Side = Side.Sell, Stop = new Price(105), TakeProfit = new Price(90) };
        Valid(SymbolMemory.Initial, sale);
        Assert.Equal(["stop_price", "take_profit_price"], Rejected(SymbolMemory.Initial, Some.Signal with { Side = Side.Sell }).Verdicts.Where(v => !v.Passed).Select(v => v.Rule));
    }

    [Fact]
    public void Without_a_side_nothing_is_on_the_right_one() =>
        Assert.Equal(["entry_price", "stop_price", "take_profit_price"], Rejected(SymbolMemory.Initial, Some.Signal with { Side = (Side)0 }).Verdicts.Where(v => !v.Passed).Select(v => v.Rule));

    [Fact]
    public void The_exits_of_a_limit_order_are_measured_from_its_limit()
    {
        var signal = Some.Signal with { Kind = OrderKind.Limit, Limit = new Price(96), Stop = new Price(97), TakeProfit = new Price(98) };
        Assert.Equal("stop_price", Assert.Single(Rejected(SymbolMemory.Initial, signal).Verdicts, v => !v.Passed).Rule);
        Valid(SymbolMemory.Initial, signal with { Stop = new Price(95) });
    }

    [Theory]
    [InlineData("0.5", "0.5")]
    [InlineData("1", "1")]
    [InlineData("7.25", "1")]
    public void The_final_confidence_lies_within_0_and_1(string raised, string final) =>
        Assert.Equal(decimal.Parse(final), Valid(SymbolMemory.Initial, Some.Signal with { Confidence = decimal.Parse(raised) }).Confidence);

    [Fact]
    public void A_stop_may_be_left_out_where_the_operator_allows_it() =>
        Assert.IsType<SignalValidatedRecorded>(ValidationDecider.Decide(SymbolMemory.Initial, Some.Signal with { Stop = null }, Some.Now, Limits with { StopRequired = false }));

    [Theory]
    [InlineData(0)]
    [InlineData(4_999)]
    [InlineData(-4_999)]
    public void The_same_wish_within_the_window_is_a_duplicate_whichever_came_first(int milliseconds)
    {
        var memory = After(SymbolMemory.Initial, Some.Signal);
        var again = Other(2) with { RaisedAt = Some.Now.AddMilliseconds(milliseconds) };
        Assert.Equal("no_duplicate", Assert.Single(Rejected(memory, again).Verdicts, v => !v.Passed).Rule);
    }

    [Fact]
    public void Another_side_another_source_and_another_time_are_no_duplicates()
    {
        var memory = After(SymbolMemory.Initial, Some.Signal);
        Valid(memory, Other(2) with { Side = Side.Sell, Stop = new Price(105), TakeProfit = new Price(90) });
        Valid(memory, Other(2) with { Source = "strategy:other" });
        Valid(memory, Other(2) with { RaisedAt = Some.Now.AddSeconds(-5) });
        Assert.IsType<SignalValidatedRecorded>(ValidationDecider.Decide(memory, Other(2), Some.Now, Limits with { DuplicateWindowSeconds = 0 }));
    }

    [Fact]
    public void What_was_rejected_is_not_remembered()
    {
        var rejected = Rejected(SymbolMemory.Initial, Some.Signal with { Notional = new Money(1) });
        Assert.Same(SymbolMemory.Initial, SymbolMemory.Fold.Apply(SymbolMemory.Initial, rejected));
    }

    /// <summary>Prevents a duplicate that is let through because its first was asked about again, with another time, in between.</summary>
    [Fact]
    public void A_wish_that_is_asked_about_again_with_another_time_stays_where_it_was()
    {
        var first = Other(1) with { RaisedAt = Some.Now.AddSeconds(-10) };
        var memory = After(After(SymbolMemory.Initial, first), first with { RaisedAt = Some.Now, ValidUntil = Some.Now.AddSeconds(30) });
        Assert.Equal("no_duplicate", Assert.Single(Rejected(memory, Other(2) with { RaisedAt = Some.Now.AddSeconds(-9) }).Verdicts, v => !v.Passed).Rule);
        Valid(memory, Other(3));
    }

    [Fact]
    public void A_duplicate_that_comes_late_is_still_known_after_newer_wishes()
    {
        var memory = After(After(SymbolMemory.Initial, Some.Signal), Other(2) with { RaisedAt = Some.Now.AddSeconds(20), ValidUntil = Some.Now.AddSeconds(50) }, 20);
        var late = Other(3) with { RaisedAt = Some.Now.AddSeconds(2), ValidUntil = Some.Now.AddSeconds(50) };
        Assert.False(Assert.IsType<SignalRejectedRecorded>(ValidationDecider.Decide(memory, late, Some.Now.AddSeconds(21), Limits)).Verdicts.Single(v => v.Rule == "no_duplicate").Passed);
    }

    [Fact]
    public void The_same_trade_in_another_message_gets_the_same_answer_although_it_has_grown_old()
    {
        var memory = After(SymbolMemory.Initial, Some.Signal);
        var again = Assert.IsType<SignalValidatedRecorded>(ValidationDecider.Decide(memory, Some.Signal, Some.Now.AddMinutes(2), Limits));
        Assert.Equal(0.8m, again.Confidence);
    }

    [Fact]
    public void What_is_remembered_is_bounded_by_time_and_by_the_number_of_sources()
    {
        var memory = SymbolMemory.Initial;
        for (var i = 0; i < SymbolMemory.SourcesMax; i++)
            memory = After(memory, Other(i + 1) with { Source = $"webhook:{i}" });
        Assert.Equal(SymbolMemory.SourcesMax, memory.Wishes.Count);
        Assert.False(Rejected(memory, Other(99_999) with { Source = "webhook:one more" }).Verdicts.Single(v => v.Rule == "no_duplicate").Passed);
        Assert.Equal("no_duplicate", Assert.Single(Rejected(memory, Other(99_999) with { Source = "webhook:7" }).Verdicts, v => !v.Passed).Rule);

        // A minute later all of it is too old to be repeated.
        const int Minute = 60;
        for (var i = 0; i < 10_001; i++)
            memory = After(memory, Other(100_000 + i) with { Source = $"later:{i % 700}", RaisedAt = Some.Now.AddSeconds(Minute + i / 100), ValidUntil = Some.Now.AddSeconds(Minute + i / 100 + 30) }, Minute + i / 100, Limits with { DuplicateWindowSeconds = 1 });
        Assert.InRange(memory.Wishes.Count, 700, 20_000);
        Assert.InRange(memory.Wishes.Values.Where(w => w.Length > 0).Max(w => w.Length), 1, 40);
    }

    private static Signal Other(int n) => Some.Signal with { Trade = new TradeId(new Guid(n, 2, 2, new byte[8])) };

    private static SignalValidatedRecorded Valid(SymbolMemory memory, Signal signal) => Assert.IsType<SignalValidatedRecorded>(ValidationDecider.Decide(memory, signal, Some.Now, Limits));

    private static SignalRejectedRecorded Rejected(SymbolMemory memory, Signal signal) => Assert.IsType<SignalRejectedRecorded>(ValidationDecider.Decide(memory, signal, Some.Now, Limits));

    private static SymbolMemory After(SymbolMemory memory, Signal signal, int seconds = 0, ValidationLimits? limits = null) =>
        SymbolMemory.Fold.Apply(memory, ValidationDecider.Decide(memory, signal, Some.Now.AddSeconds(seconds), limits ?? Limits));
}
