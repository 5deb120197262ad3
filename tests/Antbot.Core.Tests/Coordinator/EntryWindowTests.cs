using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Core.Tests.Kernel;
using Antbot.Kernel.Identity;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Antbot.Core.Tests.Coordinator;

/// <summary>No more trades are on their way to the venue than get there in time.</summary>
public sealed class EntryWindowTests
{
    private static readonly TimeSpan Life = TimeSpan.FromSeconds(10);

    private readonly EntryWindow _window = new(TimeSpan.FromSeconds(10));

    [Fact]
    public void As_many_begin_at_first_as_it_takes_to_see_how_fast_it_goes()
    {
        Assert.Equal(EntryWindow.RoomMin, Fill(at: 0));
        Assert.Equal(EntryWindow.RoomMin, _window.Entering);
    }

    [Fact]
    public void There_is_room_for_as_many_as_got_there_in_half_of_the_time_that_they_have()
    {
        // A hundred a second.
        for (var n = 0; n < 1_000; n++)
        {
            Raise(n, at: n * 0.01);
            Arrive(n, at: n * 0.01);
        }
        Assert.Equal(500, _window.Room(Some.Now.AddSeconds(9.99), left: TimeSpan.FromSeconds(10)), 1.0);
        Assert.Equal(1_500, _window.Room(Some.Now.AddSeconds(9.99), left: TimeSpan.FromSeconds(30)), 3.0);
        Assert.Equal(200, _window.Room(Some.Now.AddSeconds(12.99), left: TimeSpan.FromSeconds(10)), 1.0);
        Assert.Equal(EntryWindow.RoomMin, _window.Room(Some.Now.AddSeconds(20), left: TimeSpan.FromSeconds(10)));
        Assert.Equal(EntryWindow.RoomMin, _window.Room(Some.Now.AddSeconds(9.99), left: TimeSpan.FromSeconds(-10)));
    }

    [Fact]
    public void There_is_never_room_for_more_than_any_machine_keeps_up_with()
    {
        for (var n = 0; n < 2 * EntryWindow.RoomMax; n++)
        {
            Raise(n, at: 0);
            Arrive(n, at: 0);
        }
        Assert.Equal(EntryWindow.RoomMax, _window.Room(Some.Now, Life));
    }

    [Fact]
    public void A_place_is_free_when_one_has_reached_the_venue_or_come_to_nothing()
    {
        Fill(at: 0);
        Assert.False(Enter(100, at: 0.1));
        Arrive(0, at: 0.2);
        Assert.True(Enter(100, at: 0.2));
        Assert.False(Enter(101, at: 0.3));
        _window.Apply(Of(1), new TradeExpired(Of(1), "late"), Some.Now.AddSeconds(0.4));
        Assert.True(Enter(101, at: 0.4));
    }

    /// <summary>Its order may rest for as long as its signal is valid; nothing of ours is busy with it.</summary>
    [Fact]
    public void One_that_rests_at_the_venue_takes_no_place()
    {
        Raise(1, at: 0);
        _window.Apply(Of(1), new TradeEntryAccepted(Of(1), Some.Order, "17", Some.Now), Some.Now);
        Assert.Equal(0, _window.Entering);
    }

    [Fact]
    public void What_was_never_begun_takes_no_place_and_does_not_count_as_having_got_anywhere()
    {
        for (var n = 0; n < 100; n++)
        {
            _window.Apply(Of(n), new TradeRaised(SignalOf(n), Some.Now, TooLate: true), Some.Now);
            _window.Apply(Of(n), new TradeExpired(Of(n), "late"), Some.Now);
        }
        Assert.Equal((0, EntryWindow.RoomMin), (_window.Entering, _window.Room(Some.Now, Life)));
    }

    [Fact]
    public void However_full_it_is_one_a_second_is_let_in()
    {
        Fill(at: 0);
        var let = Enumerable.Range(1, 100).Count(n => Enter(100 + n, at: n * 0.1));
        Assert.Equal(10, let);
    }

    [Fact]
    public void A_clock_that_is_set_back_stops_nobody_for_good()
    {
        Fill(at: 0);
        Assert.True(Enter(100, at: -3_600));
    }

    /// <summary>What is stuck somewhere must not keep all that follow out.</summary>
    [Fact]
    public void One_whose_time_is_over_keeps_nobody_out()
    {
        Fill(at: 0);
        Assert.True(Enter(100, at: 31));
        var later = Some.Now.AddSeconds(31);
        _window.Apply(Of(100), new TradeRaised(SignalOf(100) with { ValidUntil = later.AddSeconds(30) }, later), later);
        Assert.Equal(EntryWindow.RoomMin - 1, Enumerable.Range(200, 100).Count(n => _window.TryEnter(Of(n), later.AddSeconds(30), later)));
    }

    [Fact]
    public void One_that_is_on_its_way_already_is_told_again_without_another_place()
    {
        Fill(at: 0);
        Assert.True(Enter(3, at: 0.1));
        Assert.Equal(EntryWindow.RoomMin, _window.Entering);
    }

    /// <summary>A signal that was told again once its trade had reached the venue held a place until it was valid no more, and after a standstill such copies kept all others out.</summary>
    [Fact]
    public void One_that_is_told_again_after_it_got_there_takes_no_place()
    {
        for (var n = 0; n < 100; n++)
        {
            Raise(n, at: n * 0.01);
            Arrive(n, at: n * 0.01);
        }
        Assert.All(Enumerable.Range(0, 100), n => Assert.True(Try(n, at: 20)));
        Assert.Equal(0, _window.Entering);
    }

    /// <summary>As where a process begins anew and copies come of what it does not remember.</summary>
    [Fact]
    public void One_that_is_let_in_and_does_not_begin_loses_its_place_soon()
    {
        Assert.Equal(EntryWindow.RoomMin, Enumerable.Range(0, 100).Count(n => Try(n, at: 0)));
        Assert.False(Try(200, at: 0.5));
        Assert.Equal(EntryWindow.RoomMin, Enumerable.Range(300, 100).Count(n => Try(n, at: 2.1)));
    }

    [Fact]
    public void Arrivals_of_a_clock_that_was_ahead_make_no_room()
    {
        for (var n = 0; n < 500; n++)
        {
            Raise(n, at: 3_600);
            Arrive(n, at: 3_600);
        }
        Assert.Equal(EntryWindow.RoomMin, _window.Room(Some.Now, Life));
    }

    [Fact]
    public void What_is_kept_is_what_is_on_its_way()
    {
        Fill(at: 0);
        Arrive(0, at: 0);
        var again = new EntryWindow(TimeSpan.FromSeconds(10));
        again.Load(_window.Save());
        Assert.Equal(_window.Save(), again.Save());
        Assert.Equal(EntryWindow.RoomMin - 1, again.Entering);
    }

    /// <summary>True: a signal. False: the oldest gets there.</summary>
    [Fact]
    public void Whatever_comes_and_goes_no_more_are_under_way_than_there_is_room_for_but_for_one_a_second() => Holds.ForAll(Days, day =>
    {
        var (window, under, now, room) = (new EntryWindow(TimeSpan.FromSeconds(10)), new Queue<int>(), Some.Now, 0);
        for (var n = 0; n < day.Length; n++)
        {
            now += TimeSpan.FromMilliseconds(20);
            room = Math.Max(room, window.Room(now, TimeSpan.FromDays(1)));
            if (day[n] && window.TryEnter(Of(n), SignalOf(n).ValidUntil.AddDays(1), now))
            {
                window.Apply(Of(n), new TradeRaised(SignalOf(n) with { ValidUntil = now.AddDays(1) }, now.AddHours(1)), now);
                under.Enqueue(n);
            }
            else if (!day[n] && under.TryDequeue(out var first))
                window.Apply(Of(first), new TradeDenied(Of(first), Some.Verdicts), now);
            Assert.Equal(under.Count, window.Entering);
        }
        Assert.True(under.Count <= room + (day.Length / 50), $"{under.Count} are under way, where there was never room for more than {room}");
    });

    private static Arbitrary<bool[]> Days { get; } =
        (from often in Gen.Choose(1, 9)
         from day in Gen.Choose(0, 9).Select(n => n < often).ArrayOf(600)
         select day).ToArbitrary();

    private static TradeId Of(int n) => new(DeterministicId.From("window", $"{n}"));

    private static Signal SignalOf(int n) => Some.Signal with { Trade = Of(n) };

    private int Fill(double at) => Enumerable.Range(0, 100).Count(n => Enter(n, at));

    /// <summary>It is let in, and recorded to have begun.</summary>
    private bool Enter(int n, double at)
    {
        var isIn = Try(n, at);
        if (isIn)
            Raise(n, at);
        return isIn;
    }

    private bool Try(int n, double at) => _window.TryEnter(Of(n), SignalOf(n).ValidUntil, Some.Now.AddSeconds(at));

    private void Raise(int n, double at) => _window.Apply(Of(n), new TradeRaised(SignalOf(n), Some.Now.AddHours(1)), Some.Now.AddSeconds(at));

    private void Arrive(int n, double at) => _window.Apply(Of(n), new TradeEntryAccepted(Of(n), Some.Order, "17", Some.Now), Some.Now.AddSeconds(at));
}
