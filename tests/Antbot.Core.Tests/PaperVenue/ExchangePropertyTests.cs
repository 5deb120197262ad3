using Antbot.Core.Tests.Kernel;
using Antbot.PaperVenue;
using Xunit;
using static Antbot.Core.Tests.PaperVenue.Trading;

namespace Antbot.Core.Tests.PaperVenue;

/// <summary>Whatever clients and the house do, in whatever order.</summary>
public sealed class ExchangePropertyTests
{
    private const int Operations = 120;

    [Fact]
    public void Nobody_stands_below_zero_and_all_hold_together_what_was_deposited() => Holds.ForAll(Holds.Seed, seed => Run(seed, run =>
    {
        foreach (var account in run.Venue.Exchange.Accounts)
        {
            for (var asset = 0; asset < account.Balances.Length; asset++)
            {
                Assert.True(account.Balances[asset].Free >= Fixed8.Zero);
                Assert.Equal(account.OpenOrders.Where(o => o.Pays == asset).Sum(o => o.Locked.Units), account.Balances[asset].Locked.Units);
            }
        }
        var deposited = run.Venue.Journal.OfType<Deposited>().ToList();
        for (var asset = 0; asset < VenueRules.Default.Assets.Count; asset++)
        {
            var held = run.Venue.Exchange.Accounts.Append(run.Venue.Exchange.House).Sum(a => a.Balances[asset].Total.Units);
            Assert.Equal(deposited.Where(d => d.Asset == asset).Sum(d => d.Amount.Units), held);
        }
    }));

    [Fact]
    public void The_book_is_never_crossed_and_its_levels_add_up() => Holds.ForAll(Holds.Seed, seed => Run(seed, run =>
    {
        var market = run.Venue.Exchange[Btc];
        if (market.Bids.Best is { } bid && market.Asks.Best is { } ask)
            Assert.True(bid.Price < ask.Price, $"{bid.Price} stands against {ask.Price}");
        foreach (var side in (BookSide[])[market.Bids, market.Asks])
        {
            Assert.All(side.Levels, level => Assert.Equal(level.Total.Units, Standing(level).Sum(o => o.Remaining.Units)));
            Assert.All(side.Levels, level => Assert.Equal(level.Shown.Units, Standing(level).Sum(o => o.Shown.Units)));
            Assert.All(side.Levels, level => Assert.True(level.Total.IsPositive));
            Assert.All(side.Levels.SelectMany(Standing), o => Assert.True(o.Shown.IsPositive && (o.Shown <= o.IcebergQuantity || o.Shown == o.Remaining)));
            Assert.Equal(side.Levels.Select(l => l.Price), side.Levels.Select(l => l.Price).Distinct().OrderBy(p => side == market.Asks ? p.Units : -p.Units));
        }
        var resting = run.Venue.Exchange.Accounts.SelectMany(a => a.OpenOrders).Where(o => o.IsWorking).Select(o => o.Id).Order();
        Assert.Equal(resting, market.Bids.Levels.Concat(market.Asks.Levels).SelectMany(Standing).Where(o => o.Id > 0).Select(o => o.Id).Order());
    }));

    [Fact]
    public void Of_a_pair_at_most_one_order_ever_trades_and_while_both_wait_one_alone_has_money_set_aside() => Holds.ForAll(Holds.Seed, seed => Run(seed, run =>
    {
        foreach (var list in run.Venue.Exchange.Accounts.SelectMany(a => a.ListsFrom(0)))
        {
            var orders = run.Venue.Exchange.OrdersOf(list).ToList();
            Assert.Equal(2, orders.Count);
            Assert.True(orders.Count(o => o.Fills.Count > 0) <= 1);
            Assert.True(orders.All(o => !o.IsOpen) || orders.TrueForAll(o => o.Status == OrderStatus.New) || orders.Exists(o => o.Status == OrderStatus.Expired));
            Assert.True(orders.Count(o => o.Locked.IsPositive) <= 1);
            Assert.Equal(orders.Exists(o => o.IsOpen), list.IsOpen);
            Assert.Equal(list.IsOpen, list.Account.OpenLists.Contains(list));
        }
        Assert.Equal(run.Venue.ListReports.Count(r => r.IsDone) + run.Venue.Exchange.Accounts.Sum(a => a.OpenLists.Count), run.Venue.ListReports.Count(r => !r.IsDone));
    }));

    /// <summary>Against a model that has no levels and no book: the list of resting orders, searched each time.</summary>
    [Fact]
    public void Every_trade_is_with_the_order_whose_turn_it_is() => Holds.ForAll(Holds.Seed, seed =>
    {
        var run = new Story(seed, houseTakesPart: false);
        var resting = new List<(long Id, Side Side, Fixed8 Price, Fixed8 Left, Fixed8 Part, Fixed8 Shown, int Turn)>();
        var (seen, turns) = (0, 0);
        for (var i = 0; i < Operations; i++)
        {
            run.Step();
            for (; seen < run.Venue.Journal.Count; seen++)
            {
                switch (run.Venue.Journal[seen])
                {
                    case OrderAccepted { StopPrice.IsZero: true } a when a.Type != OrderType.Market && a.TimeInForce == TimeInForce.GoodTillCancelled:
                        var part = a.IcebergQuantity.IsZero ? a.Quantity : a.IcebergQuantity;
                        resting.Add((a.Order, a.Side, a.Price, a.Quantity, part, part, turns++));
                        break;
                    case Traded t:
                        var turn = resting.Where(r => r.Side != t.TakerSide && r.Id != t.TakerOrder).OrderBy(r => t.TakerSide == Side.Buy ? r.Price.Units : -r.Price.Units).ThenBy(r => r.Turn).First();
                        Assert.Equal((turn.Id, turn.Price), (t.MakerOrder, t.Price));
                        Assert.True(t.Quantity <= turn.Shown);
                        foreach (var id in (long[])[t.MakerOrder, t.TakerOrder])
                        {
                            var at = resting.FindIndex(r => r.Id == id);
                            if (at < 0)
                                continue;
                            var (left, shown) = (resting[at].Left - t.Quantity, resting[at].Shown - t.Quantity);
                            // Who takes shows a part of what is left; who is taken from, when its part is gone, stands at the end.
                            resting[at] = id == t.TakerOrder || shown.IsZero
                                ? resting[at] with { Left = left, Shown = Fixed8.Min(left, resting[at].Part), Turn = turns++ }
                                : resting[at] with { Left = left, Shown = shown };
                        }
                        resting.RemoveAll(r => r.Left.IsZero);
                        break;
                    case OrderClosed c:
                        resting.RemoveAll(r => r.Id == c.Order);
                        break;
                }
            }
        }
    });

    [Fact]
    public void An_order_has_executed_what_its_fills_say_and_never_beyond_its_price() => Holds.ForAll(Holds.Seed, seed => Run(seed, run =>
    {
        foreach (var order in run.Venue.Exchange.Accounts.SelectMany(a => a.Orders))
        {
            Assert.Equal(order.Executed.Units, order.Fills.Sum(f => f.Quantity.Units));
            Assert.Equal(order.QuoteExecuted.Units, order.Fills.Sum(f => f.QuoteQuantity.Units));
            Assert.True(order.Executed <= order.Quantity);
            Assert.Equal(order.Status == OrderStatus.Filled, order.Remaining.IsZero);
            if (order.HasPrice)
                Assert.All(order.Fills, f => Assert.True(order.Side == Side.Buy ? f.Price <= order.Price : f.Price >= order.Price));
            if (!order.IsOpen)
                Assert.Equal(Fixed8.Zero, order.Locked);
        }
    }));

    [Fact]
    public void The_journal_read_back_gives_the_same_state_at_every_point() => Holds.ForAll(
        Holds.Seed,
        seed =>
        {
            var run = new Story(seed, houseTakesPart: true);
            for (var i = 0; i < Operations; i++)
            {
                run.Step();
                if (i % 30 == 29)
                    Assert.Equal(StateOf(run.Venue.Exchange), StateOf(Replayed(run.Venue.Journal)));
            }
        },
        times: 100);

    [Fact]
    public void A_snapshot_and_the_journal_after_it_give_the_same_state_and_the_same_future() => Holds.ForAll(
        Holds.Seed,
        seed =>
        {
            var run = new Story(seed, houseTakesPart: false);
            for (var i = 0; i < Operations / 2; i++)
                run.Step();
            var (snapshot, at) = (run.Venue.Exchange.Capture(), run.Venue.Journal.Count);
            for (var i = 0; i < Operations / 2; i++)
                run.Step();
            // Written while trading went on, it is of the moment at which it was taken.
            var restored = Exchange.Restore(VenueRules.Default, Written(snapshot));
            restored.Recovered();
            foreach (var e in run.Venue.Journal.Skip(at))
                restored.Apply(e);
            Assert.Equal(StateOf(run.Venue.Exchange), StateOf(restored));
            // The same purchase meets the same orders in the same turn.
            var sweep = new NewOrder { Instrument = Btc, Side = Side.Buy, Type = OrderType.Limit, Price = N("110"), Quantity = N("50"), ClientId = "sweep" };
            var (here, there) = (run.Venue.Exchange.Place(run.Venue.Alice, sweep, 1), restored.Place(restored.FindAccount("alice")!, sweep, 1));
            Assert.Equal(here.Order?.Fills.Select(f => (f.Price, f.Quantity)), there.Order?.Fills.Select(f => (f.Price, f.Quantity)));
        },
        times: 100);

    private static void Run(int seed, Action<Story> check)
    {
        var run = new Story(seed, houseTakesPart: true);
        for (var i = 0; i < Operations; i++)
        {
            run.Step();
            check(run);
        }
    }

    private static IEnumerable<Order> Standing(Level level)
    {
        for (var order = level.First; order is not null; order = order.Next)
            yield return order;
    }

    /// <summary>Random orders of every type near one price, by clients and house.</summary>
    private sealed class Story(int seed, bool houseTakesPart)
    {
        private static readonly TimeInForce[] Times = Enum.GetValues<TimeInForce>();

        private readonly Random _random = new(seed);

        public Trading Venue { get; } = new();

        public void Step()
        {
            var account = _random.Next(2) == 0 ? Venue.Alice : Venue.Bob;
            switch (_random.Next(houseTakesPart ? 14 : 8))
            {
                case < 4:
                    Place(account, OrderType.Limit, price: true, stop: false, Times[_random.Next(_random.Next(1, 4))]);
                    break;
                case 4:
                    Place(account, OrderType.Market, price: false, stop: false);
                    break;
                case 5 when houseTakesPart:
                    var stops = (OrderType[])[OrderType.StopLoss, OrderType.StopLossLimit, OrderType.TakeProfit, OrderType.TakeProfitLimit];
                    var type = stops[_random.Next(4)];
                    var delta = _random.Next(2) == 0 ? _random.Next(5, 300) : 0;
                    Place(account, type, type is OrderType.StopLossLimit or OrderType.TakeProfitLimit, stop: delta == 0 || _random.Next(2) == 0, trailingDelta: delta);
                    break;
                case 6:
                    Place(account, OrderType.LimitMaker, price: true, stop: false);
                    break;
                case 7 when _random.Next(3) == 0:
                    if (account.OrdersFromLatest.Where(o => o is { IsOpen: false, Fills.Count: > 0 }).Skip(_random.Next(3)).FirstOrDefault() is { } ended)
                        Venue.Exchange.Bust(ended, ++Venue.Now);
                    Venue.Drain();
                    break;
                case 7:
                    if (account.OpenOrders.Skip(_random.Next(5)).FirstOrDefault() is { } open)
                        Venue.Cancel(open);
                    break;
                case 8 or 9:
                    var middle = 9_500 + _random.Next(1_000);
                    Venue.Quote(Cents(middle - 5), Cents(middle + 5), "3");
                    break;
                case 10:
                    Venue.Exchange.Flow(Btc, _random.Next(2) == 0 ? Side.Buy : Side.Sell, new Fixed8(Btc.Lot.Units * _random.Next(1, 100_000)), ++Venue.Now);
                    Venue.Drain();
                    break;
                case 11 or 12 when Venue.Exchange[Btc].Last is { IsPositive: true } last:
                    PlacePair(account, last);
                    break;
                default:
                    Venue.Exchange.Deposit(account, _random.Next(3), new Fixed8(_random.NextInt64(-1_000_000_000, 1_000_000_000)), ++Venue.Now);
                    Venue.Drain();
                    break;
            }
        }

        private void Place(Account account, OrderType type, bool price, bool stop, TimeInForce timeInForce = TimeInForce.GoodTillCancelled, int trailingDelta = 0) => Venue.Place(account, new NewOrder
        {
            IcebergQuantity = price && timeInForce == TimeInForce.GoodTillCancelled && _random.Next(4) == 0 ? new Fixed8(Btc.Lot.Units * _random.Next(1_000, 50_000)) : Fixed8.Zero,
            Instrument = Btc,
            Side = (Side)_random.Next(2),
            Type = type,
            TimeInForce = timeInForce,
            Price = price ? N(Cents(9_500 + _random.Next(1_000))) : Fixed8.Zero,
            StopPrice = stop ? N(Cents(9_500 + _random.Next(1_000))) : Fixed8.Zero,
            TrailingDelta = trailingDelta,
            // Sometimes more than anybody can pay for.
            Quantity = new Fixed8(Btc.Lot.Units * _random.Next(5_000, _random.Next(10) == 0 ? 100_000_000 : 500_000)),
            ClientId = $"c{_random.Next(1_000)}",
        });

        /// <summary>On either side of the last price, now and then wrongly.</summary>
        private void PlacePair(Account account, Fixed8 last)
        {
            var (side, cents) = ((Side)_random.Next(2), (int)(last.Units * 100 / Fixed8.One));
            var (near, far) = (Cents(cents - _random.Next(-5, 200)), Cents(cents + _random.Next(-5, 200)));
            var stop = side == Side.Sell ? near : far;
            var pair = Venue.Pair(side, side == Side.Sell ? far : near, stop, _random.Next(2) == 0 ? null : Cents(cents + _random.Next(-300, 300)), $"{_random.Next(1, 500)}.5");
            if (_random.Next(3) == 0)
                pair = pair with { Other = pair.Other with { Type = OrderType.TakeProfit, StopPrice = pair.Other.Price, Price = Fixed8.Zero } };
            Venue.Place(account, pair);
        }

        private static string Cents(int cents) => $"{cents / 100}.{cents % 100:00}";
    }
}
