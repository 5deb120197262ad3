using Antbot.Contracts.Venue;
using Antbot.Execution;
using Antbot.Integration.Tests.Support;
using Antbot.Integration.Tests.Venues.Conformance;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

/// <summary>The venue's own dead man's switch is kept from running out, where there is one.</summary>
public sealed class CountdownTests
{
    private readonly VirtualClock _clock = new(DateTimeOffset.UtcNow);

    [Fact]
    public async Task It_is_renewed_at_a_third_of_its_time_and_never_runs_out_while_we_are_here()
    {
        var venue = new CountdownVenue(new ScriptedVenue(_clock), _clock);
        var keeper = Keeper(venue);
        await WhileAsync(keeper, () => _clock.PassAsync(TimeSpan.FromMinutes(10)));
        Assert.Equal(31, venue.Armed.Count);
        Assert.All(venue.Armed, a => Assert.Equal(TimeSpan.FromSeconds(60), a.Countdown));
        Assert.All(venue.Armed.Zip(venue.Armed.Skip(1)), pair => Assert.Equal(TimeSpan.FromSeconds(20), pair.Second.At - pair.First.At));
        Assert.Equal((0, null), (venue.Lapses, keeper.Trouble));
        Assert.Equal("60 s, renewed every 20 s", keeper.Standing);
    }

    /// <summary>Prevents that one lost request lets it run out, and that nobody hears of it where the venue takes none any more.</summary>
    [Fact]
    public async Task What_the_venue_does_not_take_is_sent_again_each_second_and_told()
    {
        var venue = new CountdownVenue(new ScriptedVenue(_clock), _clock);
        var keeper = Keeper(venue);
        await WhileAsync(keeper, async () =>
        {
            await _clock.PassAsync(TimeSpan.FromSeconds(19));
            venue.Instead = new VenueAnswer<DateTimeOffset>.Unknown("timed out");
            await _clock.PassAsync(TimeSpan.FromSeconds(38));
            Assert.Contains("timed out", keeper.Trouble, StringComparison.Ordinal);
            venue.Instead = null;
            await _clock.PassAsync(TimeSpan.FromSeconds(2));
            Assert.Equal((2, 0, null), (venue.Armed.Count, venue.Lapses, keeper.Trouble));
        });
    }

    [Fact]
    public async Task Where_the_venue_has_none_or_it_is_switched_off_nothing_is_armed_and_that_is_said()
    {
        var without = Keeper(new ScriptedVenue(_clock));
        Assert.Equal("scripted has none", without.Standing);
        var venue = new CountdownVenue(new ScriptedVenue(_clock), _clock);
        var off = Keeper(venue, seconds: 0);
        Assert.Equal("it is switched off", off.Standing);
        foreach (var keeper in new[] { without, off })
        {
            await WhileAsync(keeper, () => Task.CompletedTask);
            Assert.Null(keeper.Trouble);
        }
        Assert.Empty(venue.Armed);
    }

    private CountdownKeeper Keeper(Antbot.Runtime.Venue.IVenue venue, int seconds = 60) => new(venue, new ExecutionOptions { EntryCountdownSeconds = seconds }, _clock, NullLogger<CountdownKeeper>.Instance);

    private static async Task WhileAsync(CountdownKeeper keeper, Func<Task> act)
    {
        using var stop = new CancellationTokenSource();
        var running = Task.Run(() => keeper.RunAsync(stop.Token));
        await act();
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
