using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.Integration.Tests.Support;
using Antbot.Reconciliation;
using Xunit;
using static Antbot.Integration.Tests.Reconciliation.ReconciliationWorld;

namespace Antbot.Integration.Tests.Reconciliation;

/// <summary>As it is without any setting: whatever begins to differ is found within ten seconds, whenever it begins.</summary>
public sealed class HowSoonTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    public static TheoryData<DifferenceKind> Kinds => [.. Enum.GetValues<DifferenceKind>()];

    /// <summary>Prevents defaults that together take longer: every ten seconds, and three to last, were thirteen.</summary>
    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Drift_of_each_kind_is_found_within_ten_seconds_by_default(DifferenceKind kind)
    {
        foreach (var phase in new[] { 0, 0.2, 1.7, 3.1, 4.9, 5.1 })
        {
            var clock = new VirtualClock(DateTimeOffset.UtcNow);
            var world = new ReconciliationWorld(options: new ReconciliationOptions(), clock: clock);
            await world.RecordOpenAsync();
            world.Venue.Put(Entry(), Side.Buy, 0, VenueOrderStatus.Open);
            await using var watch = new Running(world);
            await clock.PassAsync(TimeSpan.FromSeconds(20 + phase));
            await BeginsToDifferAsync(kind, world, clock);
            var began = clock.GetUtcNow();
            Assert.DoesNotContain(await world.EventsAsync(), e => e is DifferenceFound);

            await clock.PassAsync(Limit);
            var found = Assert.Single((await world.EventsAsync()).OfType<DifferenceFound>());
            Assert.Equal(kind, found.Kind);
            Assert.InRange(found.At - began, TimeSpan.Zero, Limit);
        }
    }

    /// <summary>
    /// Prevents coins that are never found missing because there is always an order of which our record does not know yet what became:
    /// what is missing is more than all that is under way could have moved, and that needs no quiet moment.
    /// </summary>
    [Fact]
    public async Task On_an_account_that_never_stands_still_what_is_missing_is_found_as_soon()
    {
        var clock = new VirtualClock(DateTimeOffset.UtcNow);
        var (world, finish) = await BusyAsync(clock, isTold: false);
        await using var watch = new Running(world);
        await clock.PassAsync(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain(await world.EventsAsync(), e => e is DifferenceFound);
        Assert.True(world.Venue.Balances["BTC"] > 2, "it has traded");

        world.Venue.Balances["BTC"] -= 0.5m;
        var began = clock.GetUtcNow();
        await clock.PassAsync(Limit);
        var found = Assert.Single((await world.EventsAsync()).OfType<DifferenceFound>());
        Assert.Equal((DifferenceKind.Balance, "BTC"), (found.Kind, found.Subject));
        Assert.StartsWith("less BTC", found.What, StringComparison.Ordinal);
        Assert.InRange(found.At - began, TimeSpan.Zero, Limit);
        // By how much is not known, so nothing is done about it, nor is it told again at every look.
        await clock.PassAsync(TimeSpan.FromMinutes(1));
        Assert.Single((await world.EventsAsync()).OfType<DifferenceFound>());
        Assert.Empty(world.Bus.Sent);

        // As soon as it stands still for two looks it is known, and remedied.
        await finish();
        await clock.PassAsync(TimeSpan.FromSeconds(20));
        Assert.Contains((await world.EventsAsync()).OfType<DifferenceFound>(), d => d.What.StartsWith("-0.5 BTC", StringComparison.Ordinal));
        Assert.Equal(0.5m, world.Bus.Sent.Select(m => m.Body).OfType<WriteOffPosition>().Sum(w => w.Quantity.Value));
    }

    /// <summary>
    /// Prevents coins that are never found missing because they are fewer than what happens to be under way: of the orders that are, the
    /// venue says what became, and then nothing is left open.
    /// </summary>
    [Fact]
    public async Task On_an_account_that_never_stands_still_the_least_that_is_missing_is_found_as_soon_and_written_off()
    {
        var clock = new VirtualClock(DateTimeOffset.UtcNow);
        var (world, _) = await BusyAsync(clock, isTold: true);
        await using var watch = new Running(world);
        await clock.PassAsync(TimeSpan.FromMinutes(5));
        Assert.DoesNotContain(await world.EventsAsync(), e => e is DifferenceFound);
        Assert.True(world.Venue.Balances["BTC"] > 2, "it has traded");

        world.Venue.Balances["BTC"] -= 0.05m;
        var began = clock.GetUtcNow();
        await clock.PassAsync(Limit);
        var found = Assert.Single((await world.EventsAsync()).OfType<DifferenceFound>());
        Assert.StartsWith("-0.05 BTC", found.What, StringComparison.Ordinal);
        Assert.InRange(found.At - began, TimeSpan.Zero, Limit);
        await clock.PassAsync(Limit);
        Assert.Equal(0.05m, world.Bus.Sent.Select(m => m.Body).OfType<WriteOffPosition>().Sum(w => w.Quantity.Value));
    }

    /// <summary>At every look one purchase is done at the venue and not in our record yet.</summary>
    /// <param name="isTold">Whether the venue says so when it is asked about that order.</param>
    private static async Task<(ReconciliationWorld World, Func<Task> Finish)> BusyAsync(VirtualClock clock, bool isTold)
    {
        var (world, trades) = (new ReconciliationWorld(options: new ReconciliationOptions(), clock: clock), 0);
        await world.LookAsync();
        world.Venue.BeforeListing = async () =>
        {
            await RecordAsync();
            trades++;
            await world.RecordAsync(
                Trade(trades), new OrderIntended(Entry(trades), Trade(trades), Account, OrderRole.Entry, FakeVenue.Btc, Side.Buy, OrderKind.Market, new Quantity(0.1m), null, null, ReduceOnly: false, null, "test", NotBefore: null),
                new OrderAttempted(Entry(trades), 1, clock.GetUtcNow(), 5_000, 0));
            world.Venue.Balances["BTC"] = world.Venue.Balances.GetValueOrDefault("BTC") + 0.1m;
            world.Venue.Balances["USDT"] -= 10;
            if (!isTold)
                return;
            var report = world.Venue.Put(Entry(trades), Side.Buy, 0.1m, VenueOrderStatus.Filled, 0.1m);
            world.Venue.Fills[report.VenueOrderId] = [new FillReport("1", report.VenueOrderId, FakeVenue.Btc, Side.Buy, new Quantity(0.1m), new Price(100), Money.Zero, "USDT", clock.GetUtcNow())];
        };
        return (world, async () =>
        {
            world.Venue.BeforeListing = () => Task.CompletedTask;
            await RecordAsync();
        });

        async Task RecordAsync()
        {
            if (trades > 0)
                await world.RecordAsync(Trade(trades), new OrderAccepted(Entry(trades), $"v-{trades}", clock.GetUtcNow()), Filled(trades, 0.1m), new OrderEnded(Entry(trades), OrderEnd.Filled, new Quantity(0.1m), "test"));
        }
    }

    private static async Task BeginsToDifferAsync(DifferenceKind kind, ReconciliationWorld world, VirtualClock clock)
    {
        switch (kind)
        {
            case DifferenceKind.UnknownOrder:
                world.Venue.Put(new ClientOrderId("web_1"), Side.Buy, 0, VenueOrderStatus.Open);
                break;
            case DifferenceKind.OpenOrder:
                await world.RecordAsync(Trade(), new OrderEnded(Entry(), OrderEnd.Cancelled, Quantity.Zero, "test"));
                break;
            case DifferenceKind.VanishedOrder:
                world.Venue.Put(Entry(), Side.Buy, 0, VenueOrderStatus.Cancelled);
                break;
            case DifferenceKind.Executed:
                world.Venue.Put(Entry(), Side.Buy, 0.5m, VenueOrderStatus.PartiallyFilled);
                break;
            case DifferenceKind.UnresolvedOrder:
                await world.RecordAsync(
                    Trade(2), new OrderIntended(Entry(2), Trade(2), Account, OrderRole.Entry, FakeVenue.Btc, Side.Buy, OrderKind.Market, new Quantity(1), null, null, ReduceOnly: false, null, "test", NotBefore: null),
                    new OrderAttempted(Entry(2), 1, clock.GetUtcNow(), 5_000, 0));
                break;
            case DifferenceKind.Balance:
                world.Venue.Balances["USDT"] -= 10;
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "A kind of difference that nobody here knows how to make.");
        }
    }

    private sealed class Running : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private readonly Task _work;

        public Running(ReconciliationWorld world) => _work = Task.Run(() => world.Watch.RunAsync(_stop.Token));

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _work.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }
    }
}
