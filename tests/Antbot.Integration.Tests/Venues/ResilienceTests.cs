using Antbot.Resilience;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

public sealed class ResilienceTests
{
    private readonly HandClock _clock = new();

    [Fact]
    public void A_breaker_opens_after_five_failures_on_end_lets_one_probe_through_and_closes_when_it_works()
    {
        var breaker = new CircuitBreaker("test", BreakerOptions.Default, _clock);
        for (var i = 0; i < 4; i++)
            Call(breaker, works: false);
        Call(breaker, works: true);
        for (var i = 0; i < 5; i++)
            Call(breaker, works: false);
        Assert.Equal(BreakerState.Open, breaker.State);
        Assert.False(breaker.TryEnter(out var rest));
        Assert.Equal(TimeSpan.FromSeconds(60), rest);
        _clock.Advance(TimeSpan.FromSeconds(60));
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        Assert.True(breaker.TryEnter(out _));
        Assert.False(breaker.TryEnter(out _));
        breaker.Failed();
        Assert.Equal(BreakerState.Open, breaker.State);
        _clock.Advance(TimeSpan.FromSeconds(60));
        Call(breaker, works: true);
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public void A_probe_that_its_caller_gave_up_makes_room_for_another()
    {
        var breaker = new CircuitBreaker("test", new BreakerOptions(1, TimeSpan.FromSeconds(1)), _clock);
        Call(breaker, works: false);
        _clock.Advance(TimeSpan.FromSeconds(1));
        Assert.True(breaker.TryEnter(out _));
        breaker.Abandoned();
        Assert.True(breaker.TryEnter(out _));
    }

    [Fact]
    public void Entries_leave_a_part_of_the_budget_to_what_gets_out()
    {
        var budget = new RequestBudget(_clock);
        budget.SetLimits(weightPerMinute: 100, ordersPerTenSeconds: 10);
        for (var i = 0; i < 7; i++)
            Assert.True(budget.TryTake(10, isOrder: true, reserved: false, out _));
        Assert.False(budget.TryTake(10, isOrder: true, reserved: false, out var wait));
        Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        for (var i = 0; i < 3; i++)
            Assert.True(budget.TryTake(10, isOrder: true, reserved: true, out _));
        Assert.False(budget.TryTake(1, isOrder: false, reserved: true, out _));
        _clock.Advance(TimeSpan.FromMinutes(1));
        Assert.True(budget.TryTake(10, isOrder: true, reserved: false, out _));
    }

    [Fact]
    public void What_the_venue_has_counted_weighs_more_than_our_own_book()
    {
        var budget = new RequestBudget(_clock);
        Assert.True(budget.TryTake(1, isOrder: false, reserved: false, out _));
        budget.Counted(weight: 5_999, orders: null);
        Assert.False(budget.TryTake(1, isOrder: false, reserved: false, out _));
        Assert.True(budget.TryTake(1, isOrder: false, reserved: true, out _));
    }

    [Fact]
    public void When_told_to_wait_even_what_is_reserved_waits()
    {
        var budget = new RequestBudget(_clock);
        budget.BlockFor(TimeSpan.FromSeconds(30));
        budget.BlockFor(TimeSpan.FromSeconds(5));
        Assert.False(budget.TryTake(1, isOrder: false, reserved: true, out var wait));
        Assert.Equal(TimeSpan.FromSeconds(30), wait);
        _clock.Advance(TimeSpan.FromSeconds(30));
        Assert.True(budget.TryTake(1, isOrder: false, reserved: true, out _));
    }

    private static void Call(CircuitBreaker breaker, bool works)
    {
        Assert.True(breaker.TryEnter(out _));
        if (works)
            breaker.Succeeded();
        else
            breaker.Failed();
    }

    private sealed class HandClock : TimeProvider
    {
        private DateTimeOffset _now = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _now;

        public override long GetTimestamp() => _now.UtcTicks;

        public void Advance(TimeSpan time) => _now += time;
    }
}
