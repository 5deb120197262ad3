using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Venue;
using Antbot.Core.Tests.Kernel;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;
using FsCheck;
using FsCheck.Fluent;
using Xunit;
using static Antbot.Core.Tests.Reconciliation.Given;

namespace Antbot.Core.Tests.Reconciliation;

public sealed class OrderBookTests
{
    [Fact]
    public void A_trades_orders_leave_the_book_when_it_is_over_and_what_they_moved_stays()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 1, 100, 2), Ended(Entry(1), 1), Closed(1));
        Assert.Empty(book.Live);
        Assert.Empty(book.Over);
        Assert.Equal(new Flow(1, -100), book.Flows["BTCUSDT"]);
        Assert.Equal(2, book.Fees["USDT"]);
    }

    [Fact]
    public void An_order_that_still_moves_keeps_its_trade_in_the_book()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Closed(1));
        Assert.Single(book.Live);
        Assert.Empty(book.Apply(Ended(Entry(1)), Now).Live);
    }

    /// <summary>While something is asked about no balance is compared; what is adopted is not asked about any more.</summary>
    [Fact]
    public void What_was_asked_about_before_it_was_adopted_moves_nothing()
    {
        var asked = Book(new OrderCorrected(Entry(1), "it is not there", "none"));
        Assert.True(asked.IsMoving);
        var signal = Entry(1).Trade!.Value;
        Assert.False(asked.Apply(new PositionAdopted(Entry(1), signal, Account, new Symbol("BTCUSDT"), Side.Buy, new Quantity(1), new Price(100), "USDT", Now, "none"), Now).IsMoving);
        Assert.False(asked.Apply(new OrderAdopted(Entry(1), signal, Account, new Symbol("BTCUSDT"), Side.Buy, new Quantity(1), "7", Now, "none"), Now).IsMoving);
    }

    [Fact]
    public void The_same_fill_twice_counts_once()
    {
        var book = Book(Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 0.5m), Filled(Entry(1), "1", 0.5m), Filled(Entry(1), "2", 0.5m));
        Assert.Equal(1, book.Live[Entry(1).Value].Executed.Value);
    }

    [Fact]
    public void A_fill_that_comes_after_its_trade_is_over_is_missed_by_name_and_counted_once_its_order_is_brought_back()
    {
        object[] record = [Intended(1), Attempted(Entry(1)), Accepted(Entry(1)), Filled(Entry(1), "1", 0.5m), Ended(Entry(1), 0.5m)];
        var book = Book([.. record, Closed(1)]);
        var late = Filled(Entry(1), "2", 0.5m);
        Assert.Equal(Entry(1), book.Missing(late));
        var back = book.WithMissing(Book(record).Live[Entry(1).Value]);
        Assert.Null(back.Missing(late));
        var after = back.Apply(late, Now);
        Assert.Equal(new Flow(1, -100), after.Flows["BTCUSDT"]);
        Assert.Empty(after.Live);
    }

    [Fact]
    public void Orders_of_other_accounts_are_not_in_this_book() =>
        Assert.Empty(Book(Intended(1, account: new AccountId("other")), Attempted(Entry(1)), Accepted(Entry(1))).Live);

    [Fact]
    public void A_refused_absent_or_unsent_attempt_leaves_nothing_at_the_venue()
    {
        Assert.False(Book(Intended(1), Attempted(Entry(1)), new OrderRefused(Entry(1), 1, "-2010", "no", Refusal.InsufficientBalance, Now)).IsMoving);
        Assert.False(Book(Intended(1), Attempted(Entry(1)), new OrderAbsent(Entry(1), 1, Now)).IsMoving);
        Assert.False(Book(Intended(1), Attempted(Entry(1)), new OrderNotSent(Entry(1), 1, "breaker open", Now)).IsMoving);
        Assert.True(Book(Intended(1), Attempted(Entry(1)), new OrderUnknown(Entry(1), 1, "timed out", Account, Now)).IsMoving);
    }

    /// <summary>Any order and repetition of events: the book keeps its sums and survives being kept.</summary>
    [Fact]
    public void Whatever_comes_the_book_survives_being_kept() => Holds.ForAll(Events().ListOf().ToArbitrary(), events =>
    {
        var book = Book([.. events]);
        var kept = JsonSerializer.Deserialize<OrderBook>(JsonSerializer.SerializeToUtf8Bytes(book, EventCodec.Json), EventCodec.Json)!;
        Assert.Equal(Canonical(book), Canonical(kept));
        Assert.Equal(Canonical(book.Apply(Intended(3), Now)), Canonical(kept.Apply(Intended(3), Now)));
        Assert.All(book.Live.Values, o => Assert.True(o.Fills.Distinct().Count() == o.Fills.Count));
    });

    private static Gen<object> Events() =>
        from trade in Gen.Choose(1, 3)
        from kind in Gen.Choose(0, 9)
        from fill in Gen.Choose(1, 4)
        select kind switch
        {
            0 or 1 => (object)Intended(trade),
            2 => Attempted(Entry(trade)),
            3 => Accepted(Entry(trade)),
            4 or 5 => Filled(Entry(trade), fill.ToString(), fill, 100, fill, fill == 1 ? "BTC" : "USDT"),
            6 => Ended(Entry(trade)),
            7 => Closed(trade),
            8 => new OrderUnknown(Entry(trade), 1, "timed out", Account, Now),
            _ => new EntryFailedRecorded(Trade(trade), Account, "test"),
        };

    /// <summary>Hash maps have no order of their own.</summary>
    private static string Canonical(OrderBook book) => string.Join('\n',
    [
        .. book.Live.OrderBy(o => o.Key, StringComparer.Ordinal).Select(o => Json(o.Value)),
        .. book.Flows.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key} {f.Value}"),
        .. book.Fees.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Key} {f.Value}"),
        .. book.Over.Order(StringComparer.Ordinal),
    ]);
}
