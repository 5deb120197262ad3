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
        Assert.Null(breaker.TryEnter(out var rest));
        Assert.Equal(TimeSpan.FromSeconds(60), rest);
        _clock.Move(TimeSpan.FromSeconds(60));
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        var probe = breaker.TryEnter(out _)!.Value;
        Assert.Null(breaker.TryEnter(out _));
        probe.Failed();
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
        breaker.TryEnter(out _)!.Value.Abandoned();
        Assert.NotNull(breaker.TryEnter(out _));
    }

    /// <summary>Prevents that a call of before, which took its time, closes what its neighbours have opened, begins its minute anew, or is taken for the probe.</summary>
    [Fact]
    public void What_entered_before_it_opened_says_nothing_about_it_any_more()
    {
        var breaker = new CircuitBreaker("test", new BreakerOptions(1, TimeSpan.FromSeconds(60)), _clock);
        var late = Enumerable.Range(0, 6).Select(_ => breaker.TryEnter(out var _)!.Value).ToList();
        Call(breaker, works: false);
        late[0].Succeeded();
        Assert.Equal(BreakerState.Open, breaker.State);
        _clock.Move(TimeSpan.FromSeconds(40));
        late[1].Failed();
        _clock.Move(TimeSpan.FromSeconds(20));
        var probe = breaker.TryEnter(out _)!.Value;
        late[2].Abandoned();
        late[3].Failed();
        late[4].Succeeded();
        Assert.Equal(BreakerState.HalfOpen, breaker.State);
        Assert.Null(breaker.TryEnter(out _));
        probe.Succeeded();
        late[5].Failed();
        Assert.Equal(BreakerState.Closed, breaker.State);
    }

    private static void Call(CircuitBreaker breaker, bool works)
    {
        var call = breaker.TryEnter(out _)!.Value;
        if (works)
            call.Succeeded();
        else
            call.Failed();
    }
}
