using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Standalone;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>What the terminal shows of a history that is known.</summary>
public sealed class SummaryTests : IAsyncLifetime
{
    private static readonly DateTimeOffset At = new(2026, 5, 6, 12, 0, 0, TimeSpan.Zero);
    private static readonly Symbol Symbol = new("BTCUSDT");

    private ViewedHistory _history = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _history = await ViewedHistory.OpenAsync();

    public ValueTask DisposeAsync() => _history.DisposeAsync();

    [Fact]
    public async Task Its_line_counts_what_was_recorded()
    {
        Assert.Equal("0 of 7 services ready (bus: down) · 0 events · trades: none yet · 0 positions · P&L 0.00 after 0.00 fees", await Summary.LineAsync(await FollowedAsync(), new ServicesReady(0, 7, "bus: down"), Cancel));
        await new RandomHistory(_history.Store, 3).GrowAsync(1_500);
        var events = (await _history.Store.ReadPageAsync(0, 10_000, Cancel)).Where(ViewFold.Reads).Select(RandomHistory.Codec.Decode).ToList();
        var closed = events.OfType<PositionClosed>().GroupBy(e => e.Trade).Select(g => g.Last()).ToList();
        var open = events.OfType<PositionOpened>().Select(e => e.Trade).Distinct().Except(closed.Select(c => c.Trade)).Count();
        Assert.True(closed.Count > 5 && open > 0, $"{closed.Count} closed, {open} open");

        var line = await Summary.LineAsync(await FollowedAsync(), new ServicesReady(7, 7, null), Cancel);
        Assert.StartsWith($"7 of 7 services ready · {await CountAsync():N0} events · trades: ", line, StringComparison.Ordinal);
        Assert.EndsWith(FormattableString.Invariant($" · {open} positions · P&L {closed.Sum(c => c.Realised.Value):0.00} after {closed.Sum(c => c.Fees.Value):0.00} fees"), line, StringComparison.Ordinal);
        var phases = line.Split(" · ")[2]["trades: ".Length..].Split(", ").Select(p => p.Split(' ', 2)).ToDictionary(p => p[1], p => int.Parse(p[0], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(events.OfType<TradeRaised>().Select(e => e.Signal.Trade).Concat(events.OfType<TradeAdopted>().Select(e => e.Signal.Trade)).Distinct().Count(), phases.Values.Sum());
        Assert.Equal(events.OfType<TradeClosedRecorded>().DistinctBy(e => e.Closed.Trade).Count(), phases["closed"]);
    }

    [Fact]
    public async Task What_is_left_open_is_told_with_what_is_held_now_and_what_protects_it()
    {
        Assert.Equal(["No position is open."], await Summary.OpenPositionsAsync(await FollowedAsync(), null, Cancel));
        var (partly, found, bare, over) = (Trade(1), Trade(2), Trade(3), Trade(4));
        foreach (var trade in new[] { partly, found, bare, over })
        {
            await OrderAsync(trade, OrderRole.Entry, Side.Buy, null);
            await AppendAsync(trade, new PositionOpened(trade, RandomHistory.Account, Symbol, Side.Buy, new Quantity(2), new Price(100), new Money(200), Money.Zero, new Price(90), null, [Id(trade, OrderRole.Entry)], new Quantity(2), null));
        }
        await OrderAsync(partly, OrderRole.Stop, Side.Sell, new Price(90));
        await AppendAsync(partly, new OrderAccepted(Id(partly, OrderRole.Stop), "7", At));
        await OrderAsync(partly, OrderRole.Exit, Side.Sell, null);
        await AppendAsync(partly, new OrderFilled(Id(partly, OrderRole.Exit), "1", new Quantity(0.5m), new Price(110), Money.Zero, "USDT", At, Money.Zero));
        await AppendAsync(found, new OrderAdopted(Id(found, OrderRole.Stop), found, RandomHistory.Account, Symbol, Side.Sell, new Quantity(2), "8", At, "the venue says so"));
        // Intended, and cancelled again.
        await OrderAsync(bare, OrderRole.Stop, Side.Sell, new Price(90));
        await AppendAsync(bare, new OrderAccepted(Id(bare, OrderRole.Stop), "9", At), new OrderEnded(Id(bare, OrderRole.Stop), OrderEnd.Cancelled, new Quantity(0), "the venue says so"));
        await AppendAsync(over, new PositionClosed(over, RandomHistory.Account, Symbol, Side.Buy, new Quantity(2), new Price(100), new Price(101), new Money(2), Money.Zero, "a test", [], new Quantity(0)));

        var lines = await Summary.OpenPositionsAsync(await FollowedAsync(), new Uri("https://venue.example"), Cancel);
        Assert.Equal("3 positions are left open, and go on when it is started again:", lines[0]);
        Assert.Equal(
            new[]
            {
                $"  BTCUSDT Buy 1.5 at 100 (trade {partly}): a stop at 90", $"  BTCUSDT Buy 2 at 100 (trade {found}): a stop that was found at the venue, which alone knows its price", $"  BTCUSDT Buy 2 at 100 (trade {bare}): NO stop",
            }.Order(StringComparer.Ordinal),
            lines.Skip(1).Take(3).Order(StringComparer.Ordinal));
        Assert.EndsWith("Until then NOTHING protects these positions, and the market of venue.example moves on.", Assert.Single(lines.Skip(4)), StringComparison.Ordinal);
    }

    private static TradeId Trade(int n) => new(DeterministicId.From("summary", $"{n}"));

    private static ClientOrderId Id(TradeId trade, OrderRole role) => ClientOrderId.Of(trade, role, 0);

    private Task OrderAsync(TradeId trade, OrderRole role, Side side, Price? trigger) => AppendAsync(
        trade, new OrderIntended(Id(trade, role), trade, RandomHistory.Account, role, Symbol, side, trigger is null ? OrderKind.Market : OrderKind.Limit, new Quantity(2), null, trigger, role != OrderRole.Entry, null, "a test", null));

    private Task AppendAsync(TradeId trade, params object[] events) => _history.AppendAsync(At, Streams.Order(trade), "test", events);

    private async Task<long> CountAsync() => (await _history.Store.Ledger.ReadHeadAsync(Cancel)).Position;

    private async Task<ReadModelQueries> FollowedAsync()
    {
        await _history.CatchUpAsync();
        return new ReadModelQueries(_history.Store, RandomHistory.Codec, _history.Models, TimeProvider.System);
    }
}
