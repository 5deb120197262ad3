using System.Collections.Concurrent;
using Antbot.PaperVenue;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Journal;
using Antbot.PaperVenue.Streams;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>How it ends, and how it goes on by itself after what should not have happened.</summary>
public sealed class VenueLifeTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly Fixed8 Dollar = Fixed8.Parse("1");

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-venue-").FullName;
    private readonly FailingClock _venueClock = new();
    private readonly FailingClock _hubClock = new();
    private readonly Lines _log = new();

    private string Journal => Path.Combine(_folder, "journal");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task What_is_changed_while_it_ends_is_on_disk_once_or_is_refused()
    {
        var venue = await StartAsync();
        var (done, ends) = (0L, 0);
        var depositors = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            try
            {
                while (true)
                {
                    await DepositAsync(venue);
                    Interlocked.Increment(ref done);
                }
            }
            catch (VenueUnavailableException e) when (e.Message == "It has ended.")
            {
                Interlocked.Increment(ref ends);
            }
        })).ToList();
        await UntilAsync(() => Task.FromResult(Interlocked.Read(ref done) > 100));
        await venue.DisposeAsync();
        await Task.WhenAll(depositors).WaitAsync(Patience, TestContext.Current.CancellationToken);
        Assert.Equal(4, ends);
        Assert.InRange(done, 1, long.MaxValue);
        Assert.True(File.Exists(JournalFiles.SnapshotPath(Journal)));
        Assert.Equal(done * Fixed8.One, JournalFiles.Recover(Journal, VenueRules.Default, salvage: false).Exchange.FindAccount("a")!.Balances[0].Free.Units);
    }

    [Fact]
    public async Task What_broke_off_in_the_middle_is_not_written_down_at_the_end()
    {
        var venue = await StartAsync();
        await DepositAsync(venue);
        await Assert.ThrowsAsync<InvalidOperationException>(() => venue.ChangeAsync<bool>((exchange, now) =>
        {
            exchange.Deposit(exchange.FindAccount("a")!, 0, Dollar, now);
            throw new InvalidOperationException("It breaks.");
        }));
        await venue.DisposeAsync();
        Assert.Equal(Dollar, JournalFiles.Recover(Journal, VenueRules.Default, salvage: false).Exchange.FindAccount("a")!.Balances[0].Free);
    }

    /// <summary>Failures of kinds that nobody foresaw: of the market while the journal is opened anew, and of the keys that end.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Whatever_fails_in_what_keeps_it_in_order_is_counted_and_told_once_a_minute_and_goes_on(bool ofTheMarket)
    {
        var (venue, clock) = (await StartAsync(), ofTheMarket ? _venueClock : _hubClock);
        await DepositAsync(venue);
        clock.Fails = true;
        if (ofTheMarket)
            await Assert.ThrowsAsync<InvalidOperationException>(() => DepositAsync(venue));
        await UntilAsync(() => Task.FromResult(venue.TendFailures >= 3));
        Assert.Single(_log, l => l.Contains("not as it should be", StringComparison.Ordinal));
        clock.Fails = false;
        await UntilAsync(() => venue.ReadAsync((_, _) => venue.Trouble is null));
        await DepositAsync(venue);
        // The journal is kept bounded as before.
        await UntilAsync(async () =>
        {
            await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => DepositAsync(venue))).WaitAsync(Patience, TestContext.Current.CancellationToken);
            return File.Exists(JournalFiles.SnapshotPath(Journal));
        });
        await venue.DisposeAsync();
    }

    private async Task<Venue> StartAsync()
    {
        // A market that hardly moves: nothing fails but what a test lets fail.
        var options = new PaperVenueOptions { Data = _folder, SegmentBytes = 64 << 10, SnapshotBytes = 64 << 10, StepMilliseconds = 10_000 };
        var plan = new FaultPlan(options.Seed, TimeProvider.System);
        var venue = new Venue(options, _venueClock, new StreamHub(plan, _hubClock, options.ListenKeyLife), plan, _log);
        await venue.ChangeAsync((exchange, now) => exchange.OpenAccount("a", now));
        venue.Start();
        return venue;
    }

    private static async Task DepositAsync(Venue venue) => Assert.True(await venue.ChangeAsync((exchange, now) => exchange.Deposit(exchange.FindAccount("a")!, 0, Dollar, now)));

    private static async Task UntilAsync(Func<Task<bool>> holds)
    {
        using var limit = new CancellationTokenSource(Patience);
        while (!await holds())
            await Task.Delay(20, limit.Token);
    }

    private sealed class FailingClock : TimeProvider
    {
        public volatile bool Fails;

        public override DateTimeOffset GetUtcNow() => Fails ? throw new InvalidOperationException("It has stopped.") : base.GetUtcNow();
    }

    private sealed class Lines : ConcurrentQueue<string>, ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => Enqueue(formatter(state, exception));
    }
}
