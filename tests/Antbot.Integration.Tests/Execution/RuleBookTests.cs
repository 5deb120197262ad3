using Antbot.Contracts;
using Antbot.Execution;
using Antbot.Integration.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

public sealed class RuleBookTests
{
    private static readonly Symbol Listed = new("ETHUSDT");
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(3);

    /// <summary>A symbol that was listed since the last reading was not known for an hour, and what had been bought of it not protected.</summary>
    [Fact]
    public async Task A_symbol_that_is_not_known_is_asked_for_anew_and_not_each_time()
    {
        var clock = new ManualClock(DateTimeOffset.UnixEpoch);
        var venue = new ScriptedVenue(clock);
        var rules = new RuleBook(venue, clock, NullLogger<RuleBook>.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        var running = rules.RunAsync(stop.Token);
        await rules.Read;
        venue.Told = ScriptedVenue.Rules with { Symbol = Listed };
        Assert.Null(await rules.FindAsync(Listed, Within, stop.Token));
        clock.Move(TimeSpan.FromMinutes(1));
        Assert.Equal(venue.Told, await rules.FindAsync(Listed, Within, stop.Token));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
