using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;
using Xunit;
using static Antbot.Integration.Tests.Reconciliation.ReconciliationWorld;

namespace Antbot.Integration.Tests.Reconciliation;

public sealed class OrderBookFollowerTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_follower_that_is_restarted_anywhere_knows_what_a_fresh_one_knows(int seed)
    {
        var random = new Random(seed);
        var world = new ReconciliationWorld();
        var follower = New(world);
        var next = 1;
        var open = new List<int>();
        for (var step = 0; step < 120; step++)
        {
            switch (random.Next(6))
            {
                case 0 or 1:
                    await world.RecordOpenAsync(next);
                    open.Add(next++);
                    break;
                case 2 when open.Count > 0:
                    await world.RecordAsync(Trade(open[0]), Filled(open[0], 0.25m, random.Next(4).ToString()));
                    break;
                case 3 when open.Count > 0:
                    await world.RecordAsync(Trade(open[0]), new OrderEnded(Entry(open[0]), OrderEnd.Cancelled, Quantity.Zero, "test"), Closed(open[0]));
                    open.RemoveAt(0);
                    break;
                case 4 when next > 1:
                    // A fill of a trade that may be over for long.
                    var late = random.Next(1, next);
                    await world.RecordAsync(Trade(late), Filled(late, 0.125m, $"late-{random.Next(3)}"));
                    break;
                case 5:
                    await follower.CatchUpAsync(Cancel);
                    if (random.Next(2) == 0)
                        await follower.KeepAsync(Cancel);
                    follower = New(world);
                    break;
            }
        }
        await follower.CatchUpAsync(Cancel);
        var fresh = new OrderBookFollower(new WithoutSnapshots(world.Parts.Store), world.Codec, Account);
        await fresh.CatchUpAsync(Cancel);
        Assert.Equal(fresh.Sequence, follower.Sequence);
        Assert.Equal(Words(fresh.Book), Words(follower.Book));
        Assert.NotEmpty(fresh.Book.Flows);
    }

    [Fact]
    public async Task A_kept_book_of_another_build_is_passed_over()
    {
        var world = new ReconciliationWorld();
        await world.RecordOpenAsync();
        await world.Parts.Store.SaveSnapshotAsync(new Snapshot(Streams.Reconciliation(Account), OrderBook.Name, 99, "{\"Other\":1}"u8.ToArray()), Cancel);
        var follower = New(world);
        await follower.CatchUpAsync(Cancel);
        Assert.Single(follower.Book.Live);
    }

    private static OrderBookFollower New(ReconciliationWorld world) => new(world.Parts.Store, world.Codec, Account);

    private static PositionClosed Closed(int n) =>
        new(Trade(n), Account, FakeVenue.Btc, Side.Buy, new Quantity(1), new Price(100), new Price(110), new Money(10), Money.Zero, "test", [Entry(n)], Quantity.Zero);

    private static string Words(OrderBook book) => string.Join('\n',
    [
        .. book.Live.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => JsonSerializer.Serialize(o.Value, EventCodec.Json)),
        .. book.Flows.Select(f => $"{f.Key} {f.Value}"),
        .. book.Over.Order(StringComparer.Ordinal),
    ]);
}
