using Antbot.Integration.Tests.Support;
using Antbot.Resilience;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

public sealed class ResilienceTests
{
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 0, TimeSpan.Zero));

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
        _clock.Move(TimeSpan.FromSeconds(60));
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        Assert.True(breaker.TryEnter(out _));
        Assert.False(breaker.TryEnter(out _));
        breaker.Failed();
        Assert.Equal(BreakerState.Open, breaker.State);
        _clock.Move(TimeSpan.FromSeconds(60));
        Call(breaker, works: true);
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    [Fact]
    public void A_probe_that_its_caller_gave_up_makes_room_for_another()
    {
        var breaker = new CircuitBreaker("test", new BreakerOptions(1, TimeSpan.FromSeconds(1)), _clock);
        Call(breaker, works: false);
        _clock.Move(TimeSpan.FromSeconds(1));
        Assert.True(breaker.TryEnter(out _));
        breaker.Abandoned();
        Assert.True(breaker.TryEnter(out _));
    }

    private static void Call(CircuitBreaker breaker, bool works)
    {
        Assert.True(breaker.TryEnter(out _));
        if (works)
            breaker.Succeeded();
        else
            breaker.Failed();
    }
}
