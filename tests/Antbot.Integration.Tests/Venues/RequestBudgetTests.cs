using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>What one process makes of the budget that it shares.</summary>
public sealed class RequestBudgetTests : IDisposable
{
    private static readonly VenueOptions Options = new() { Address = new Uri("http://venue.invalid/"), Key = "key", Secret = "secret" };

    /// <summary>In the middle of every slot but the day's.</summary>
    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 5, TimeSpan.Zero));
    private readonly Fickle _shared;
    private readonly RequestBudget _budget;

    public RequestBudgetTests()
    {
        _shared = new Fickle(new LocalVenueBudget(_clock));
        _budget = New();
    }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _budget.Dispose();

    [Fact]
    public async Task Entries_leave_a_part_of_the_budget_to_what_gets_out()
    {
        _budget.SetLimits(new VenueLimits(100, 20, null));
        for (var i = 0; i < 7; i++)
            Assert.True(await TakeAsync(10, isOrder: true, reserved: false));
        var refused = await _budget.TakeAsync(10, isOrder: true, BudgetPart.Shared, Cancel);
        Assert.Contains("weight", refused.Why!, StringComparison.Ordinal);
        Assert.InRange(refused.RetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(60));
        Assert.True(await TakeAsync(10, isOrder: true, reserved: true));
        Assert.True(await TakeAsync(5, isOrder: true, reserved: true));
        Assert.False(await TakeAsync(1, isOrder: false, reserved: true));
        _clock.Move(refused.RetryAfter);
        Assert.True(await TakeAsync(10, isOrder: true, reserved: false));
    }

    /// <summary>Prevents an exit that waits a minute because our own questions about what is in doubt have used up what was kept back for it.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Questions_without_end_leave_a_part_to_exits_and_cancels_and_have_one_of_their_own_beyond_entries(bool away)
    {
        _budget.SetLimits(new VenueLimits(1_000, 100, null));
        while (!away && await TakeAsync(10, isOrder: false, reserved: false))
        {
        }
        _shared.IsAway = away;
        var questions = 0;
        for (; (await _budget.TakeAsync(5, isOrder: false, VenueRoute.Query.Part, Cancel)).IsGranted; questions++)
        {
        }
        Assert.InRange(questions, 5, 100);
        foreach (var route in new[] { VenueRoute.Exit, VenueRoute.Cancel })
            Assert.True((await _budget.TakeAsync(1, route.IsOrder, route.Part, Cancel)).IsGranted, route.Name);
    }

    [Fact]
    public async Task Orders_of_ten_seconds_and_of_the_day_are_counted_too()
    {
        _budget.SetLimits(new VenueLimits(null, 10, 12));
        for (var i = 0; i < 7; i++)
            Assert.True(await TakeAsync(1, isOrder: true, reserved: false));
        var refused = await _budget.TakeAsync(1, isOrder: true, BudgetPart.Shared, Cancel);
        Assert.Contains("orders-10s", refused.Why!, StringComparison.Ordinal);
        Assert.InRange(refused.RetryAfter, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
        _clock.Move(TimeSpan.FromSeconds(10));
        Assert.True(await TakeAsync(1, isOrder: true, reserved: false));
        Assert.Contains("orders-1d", (await _budget.TakeAsync(1, isOrder: true, BudgetPart.Shared, Cancel)).Why!, StringComparison.Ordinal);
        Assert.True(await TakeAsync(1, isOrder: true, reserved: true));
    }

    /// <summary>A request of the last moment arrives in the next minute: counted in one alone, the two together were more than the venue allows.</summary>
    [Fact]
    public async Task A_request_near_a_change_of_slots_is_counted_in_both()
    {
        _budget.SetLimits(new VenueLimits(100, null, null));
        _clock.Move(TimeSpan.FromSeconds(54.5));
        for (var i = 0; i < 17; i++)
            Assert.True(await TakeAsync(5, isOrder: false, reserved: true));
        _clock.Move(TimeSpan.FromSeconds(1));
        Assert.False(await TakeAsync(1, isOrder: false, reserved: true));
        _clock.Move(TimeSpan.FromSeconds(60));
        Assert.True(await TakeAsync(85, isOrder: false, reserved: true));
    }

    [Fact]
    public async Task What_the_venue_has_counted_weighs_more_than_our_own_book()
    {
        Assert.True(await TakeAsync(1, isOrder: false, reserved: false));
        _budget.Counted(_clock.GetUtcNow(), new VenueLimits(5_099, null, null));
        Assert.False(await TakeAsync(1, isOrder: false, reserved: false));
        Assert.True(await TakeAsync(1, isOrder: false, reserved: true));
        Assert.False(await TakeAsync(1, isOrder: false, reserved: true));
    }

    /// <summary>The last answer of a minute came in the next one, and its count held everything up for a whole minute.</summary>
    [Fact]
    public async Task A_count_of_the_slot_before_says_nothing_of_this_one()
    {
        var sent = _clock.GetUtcNow();
        _clock.Move(TimeSpan.FromSeconds(60));
        _budget.Counted(sent, new VenueLimits(6_000, null, null));
        Assert.True(await TakeAsync(1, isOrder: false, reserved: false));
    }

    [Fact]
    public async Task When_told_to_wait_even_what_is_reserved_waits_and_every_process_does()
    {
        using var other = New();
        await _budget.BlockAsync(TimeSpan.FromSeconds(30));
        await _budget.BlockAsync(TimeSpan.FromSeconds(5));
        foreach (var budget in new[] { _budget, other })
            Assert.Equal(TimeSpan.FromSeconds(30), (await budget.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel)).RetryAfter);
        _clock.Move(TimeSpan.FromSeconds(30));
        Assert.True(await TakeAsync(1, isOrder: false, reserved: true));
        Assert.True((await other.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel)).IsGranted);
    }

    /// <summary>Prevents that a position cannot be looked after, and its order not be cancelled, because somebody placed one order too many.</summary>
    [Fact]
    public async Task Too_many_orders_bar_orders_of_every_process_until_their_ten_seconds_are_over_and_nothing_else()
    {
        using var other = New();
        Assert.Equal(TimeSpan.FromSeconds(5.25), await _budget.OrdersUsedUpAsync(_clock.GetUtcNow(), ofDay: false));
        foreach (var budget in new[] { other, _budget })
        {
            foreach (var route in new[] { VenueRoute.Entry, VenueRoute.Exit })
            {
                var refused = await budget.TakeAsync(1, route.IsOrder, route.Part, Cancel);
                Assert.Contains("orders-10s", refused.Why!, StringComparison.Ordinal);
            }
            foreach (var route in new[] { VenueRoute.Cancel, VenueRoute.Query, VenueRoute.Market, VenueRoute.Clock })
                Assert.True((await budget.TakeAsync(1, route.IsOrder, route.Part, Cancel)).IsGranted, route.Name);
        }
        _clock.Move(TimeSpan.FromSeconds(5.25));
        foreach (var budget in new[] { _budget, other })
        {
            foreach (var route in new[] { VenueRoute.Entry, VenueRoute.Exit })
                Assert.True((await budget.TakeAsync(1, route.IsOrder, route.Part, Cancel)).IsGranted, route.Name);
        }
    }

    /// <summary>A day's count goes down with each fill: who gets out asks again, who enters does not.</summary>
    [Fact]
    public async Task Too_many_orders_of_a_day_bar_entries_until_it_is_over_and_exits_for_ten_seconds()
    {
        _budget.SetLimits(new VenueLimits(6_000, 100, 200_000));
        await _budget.OrdersUsedUpAsync(_clock.GetUtcNow(), ofDay: true);
        Assert.False(await TakeAsync(1, isOrder: true, reserved: true));
        _clock.Move(TimeSpan.FromSeconds(5.25));
        Assert.True(await TakeAsync(1, isOrder: true, reserved: true));
        var entry = await _budget.TakeAsync(1, isOrder: true, BudgetPart.Shared, Cancel);
        Assert.Contains("orders-1d", entry.Why!, StringComparison.Ordinal);
        Assert.InRange(entry.RetryAfter, TimeSpan.FromHours(11), TimeSpan.FromHours(12));
        _clock.Move(entry.RetryAfter);
        Assert.True(await TakeAsync(1, isOrder: true, reserved: false));
    }

    /// <summary>Prevents positions that lie until midnight: the venue counts one less with each order that fills, and our own count does not.</summary>
    [Fact]
    public async Task Our_own_count_of_a_day_ends_entries_and_no_exit()
    {
        _budget.SetLimits(new VenueLimits(null, 1_000_000, 100));
        for (var i = 0; i < 70; i++)
            Assert.True(await TakeAsync(1, isOrder: true, reserved: false));
        Assert.Contains("orders-1d", (await _budget.TakeAsync(1, isOrder: true, BudgetPart.Shared, Cancel)).Why!, StringComparison.Ordinal);
        for (var i = 0; i < 200; i++)
            Assert.True(await TakeAsync(1, isOrder: true, reserved: true), $"exit {i}");
    }

    [Fact]
    public async Task Too_many_orders_just_after_a_change_of_slots_were_those_of_the_one_before_and_without_the_others_it_holds_as_well()
    {
        _clock.Move(TimeSpan.FromSeconds(5.1));
        _shared.IsAway = true;
        Assert.Equal(TimeSpan.FromSeconds(0.15), await _budget.OrdersUsedUpAsync(_clock.GetUtcNow(), ofDay: false));
        Assert.False(await TakeAsync(1, isOrder: true, reserved: true));
        Assert.True(await TakeAsync(1, isOrder: false, reserved: true));
        _clock.Move(TimeSpan.FromSeconds(0.15));
        Assert.True(await TakeAsync(1, isOrder: true, reserved: true));
    }

    [Fact]
    public async Task While_the_others_cannot_be_asked_what_is_reserved_goes_on_with_little_and_entries_do_not()
    {
        _budget.SetLimits(new VenueLimits(1_000, 100, null));
        _shared.IsAway = true;
        Assert.False(await TakeAsync(1, isOrder: true, reserved: false));
        for (var i = 0; i < 5; i++)
            Assert.True(await TakeAsync(1, isOrder: true, reserved: true));
        Assert.False(await TakeAsync(1, isOrder: true, reserved: true));
        Assert.True(await TakeAsync(45, isOrder: false, reserved: true));
        Assert.False(await TakeAsync(1, isOrder: false, reserved: true));
        // The venue's own count still holds.
        _clock.Move(TimeSpan.FromMinutes(1));
        _budget.Counted(_clock.GetUtcNow(), new VenueLimits(999, null, null));
        Assert.True(await TakeAsync(1, isOrder: false, reserved: true));
        Assert.False(await TakeAsync(1, isOrder: false, reserved: true));
        _shared.IsAway = false;
        _clock.Move(TimeSpan.FromMinutes(1));
        Assert.True(await TakeAsync(1, isOrder: true, reserved: false));
    }

    [Fact]
    public async Task One_that_does_not_answer_is_not_waited_for_again_and_again()
    {
        _shared.Hangs = true;
        Assert.True(await TakeAsync(1, isOrder: true, reserved: true));
        for (var i = 0; i < 4; i++)
            Assert.True(await TakeAsync(1, isOrder: true, reserved: true));
        Assert.Equal(1, _shared.Asked);
    }

    /// <summary>Prevents a platform that enters nothing more until midnight: with every order that came alone five thousand of the day were drawn, and seven thousand orders used up fifty million.</summary>
    [Fact]
    public async Task What_was_taken_along_and_not_used_is_not_drawn_again_with_every_order_of_the_day()
    {
        _budget.SetLimits(new VenueLimits(1_200_000, 100_000, 50_000_000));
        for (var order = 0; order < 20_000; order++)
        {
            Assert.True(await TakeAsync(1, isOrder: true, reserved: order % 2 == 0), $"order {order}");
            _clock.Move(TimeSpan.FromSeconds(1));
        }
    }

    [Fact]
    public async Task Where_limits_are_high_some_is_taken_along_for_a_moment_and_entries_never_have_of_what_is_reserved()
    {
        _budget.SetLimits(new VenueLimits(1_000_000, null, null));
        for (var i = 0; i < 100; i++)
            Assert.True(await TakeAsync(1, isOrder: false, reserved: true));
        Assert.Equal(1, _shared.Asked);
        Assert.True(await TakeAsync(1, isOrder: false, reserved: false));
        Assert.Equal(2, _shared.Asked);
        _clock.Move(TimeSpan.FromMilliseconds(100));
        Assert.True(await TakeAsync(1, isOrder: false, reserved: false));
        Assert.Equal(3, _shared.Asked);
    }

    /// <summary>
    /// Prevents an exit that waits until midnight: a process that has just started took the venue's limits for the usual ones, which the
    /// others, who knew better, had long used up.
    /// </summary>
    [Fact]
    public async Task Until_the_venue_has_told_its_limits_nothing_waits_long_and_the_question_for_them_is_not_barred()
    {
        _budget.SetLimits(new VenueLimits(10_000_000, 1_000_000, 1_000_000_000));
        for (var i = 0; i < 2; i++)
        {
            Assert.True(await TakeAsync(7_000, isOrder: true, reserved: true));
            _clock.Move(TimeSpan.FromMilliseconds(200));
        }
        using var fresh = New();
        for (var i = 0; i < 3; i++)
        {
            var refused = await fresh.TakeAsync(1, isOrder: true, BudgetPart.Leaving, Cancel);
            Assert.Contains("orders", refused.Why!, StringComparison.Ordinal);
            Assert.InRange(refused.RetryAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(1));
        }
        Assert.False((await fresh.TakeAsync(20, isOrder: false, BudgetPart.Leaving, Cancel)).IsGranted);
        Assert.True((await fresh.TakeAsync(20, isOrder: false, BudgetPart.Shared, Cancel, tellsLimits: true)).IsGranted);
        fresh.SetLimits(new VenueLimits(10_000_000, 1_000_000, 1_000_000_000));
        Assert.True((await fresh.TakeAsync(1, isOrder: true, BudgetPart.Leaving, Cancel)).IsGranted);
        // Once they are told, they hold for this question as for any other.
        fresh.SetLimits(new VenueLimits(100, null, null));
        Assert.False((await fresh.TakeAsync(20, isOrder: false, BudgetPart.Shared, Cancel, tellsLimits: true)).IsGranted);
    }

    /// <summary>Prevents a longer ban: where there is one process its waits were forgotten when it was started again, and it asked at once.</summary>
    [Fact]
    public async Task What_one_process_was_told_to_wait_for_outlives_it()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-waits-").FullName;
        var file = Path.Combine(folder, "not-there-yet", "waits.json");
        try
        {
            await Local(file).BlockAsync("venue", TimeSpan.FromMinutes(10), Cancel);
            await Local(file).BlockAsync("other", TimeSpan.FromMinutes(1), Cancel);
            // A longer wait stands, whoever hears of a shorter one.
            await Local(file).BlockAsync("venue", TimeSpan.FromMinutes(2), Cancel);
            _clock.Move(TimeSpan.FromMinutes(3));
            Assert.Equal((TimeSpan.FromMinutes(7), TimeSpan.Zero, TimeSpan.Zero), (await BlockedAsync("venue"), await BlockedAsync("other"), await BlockedAsync("a third")));
            using (var budget = new RequestBudget(Options, Local(file), new VenueClock(_clock), _clock, NullLogger.Instance))
                Assert.True((await budget.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel)).IsGranted);
            // Set back by an hour, the clock makes of ten minutes no seventy.
            _clock.Move(TimeSpan.FromHours(-1));
            Assert.Equal(TimeSpan.FromMinutes(10), await BlockedAsync("venue"));
            _clock.Move(TimeSpan.FromHours(2));
            Assert.Equal(TimeSpan.Zero, await BlockedAsync("venue"));
            await Local(file).BlockAsync("venue", TimeSpan.FromSeconds(30), Cancel);
            Assert.Equal(TimeSpan.FromSeconds(30), await BlockedAsync("venue"));
            foreach (var nonsense in new[] { "{", "null", "[]", """{"venue":null}""", """{"venue":{"Until":"never"}}""", new string('x', 100_000) })
            {
                await File.WriteAllTextAsync(file, nonsense, Cancel);
                Assert.Equal(TimeSpan.Zero, await BlockedAsync("venue"));
            }
            await Local(file).BlockAsync("venue", TimeSpan.FromSeconds(30), Cancel);
            Assert.Equal(TimeSpan.FromSeconds(30), await BlockedAsync("venue"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        async Task<TimeSpan> BlockedAsync(string venue) => (await Local(file).DrawAsync(venue, [], Cancel)).Blocked;

        LocalVenueBudget Local(string path) => new(_clock, new KeptWaits(path));
    }

    private RequestBudget New() => new(Options, _shared, new VenueClock(_clock), _clock, NullLogger.Instance);

    private async Task<bool> TakeAsync(int weight, bool isOrder, bool reserved) => (await _budget.TakeAsync(weight, isOrder, reserved ? BudgetPart.Leaving : BudgetPart.Shared, Cancel)).IsGranted;

    private sealed class Fickle(IVenueBudget inner) : IVenueBudget
    {
        public bool IsAway { get; set; }

        public bool Hangs { get; set; }

        public int Asked { get; private set; }

        public Task<BudgetAnswer> DrawAsync(string venue, IReadOnlyList<BudgetDraw> draws, CancellationToken cancellationToken = default)
        {
            Asked++;
            if (IsAway)
                throw new EventStoreException(StoreFault.Unavailable, "It is away.");
            return Hangs ? new TaskCompletionSource<BudgetAnswer>().Task : inner.DrawAsync(venue, draws, cancellationToken);
        }

        public Task BlockAsync(string venue, TimeSpan wait, CancellationToken cancellationToken = default) =>
            IsAway ? throw new EventStoreException(StoreFault.Unavailable, "It is away.") : inner.BlockAsync(venue, wait, cancellationToken);
    }
}
