using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Reconciliation;
using Xunit;
using static Antbot.Core.Tests.Reconciliation.Given;

namespace Antbot.Core.Tests.Reconciliation;

public sealed class TurnsTests
{
    /// <summary>Prevents a stop that is gone and that nobody asks about, because there are always as many entries before it.</summary>
    [Fact]
    public void Among_more_than_can_be_asked_about_a_stop_that_is_new_comes_first_and_everybody_in_turn()
    {
        var (turns, entries) = (new Turns(), Enumerable.Range(0, 60).Select(n => Of(Entry(n))).ToList());
        var first = turns.Next(entries, 50);
        var stop = Of(ClientOrderId.Of(Trade(99), OrderRole.Stop, 0));
        var second = turns.Next([.. entries, stop], 50);
        Assert.Equal(stop, second[0]);
        Assert.Equal(60, first.Concat(second).Where(d => d != stop).Distinct().Count());
        var third = turns.Next([.. entries, stop], 50);
        Assert.Contains(third, d => !second.Contains(d));
        // What is gone for a while and comes again is new.
        turns.Next(entries, 50);
        Assert.Equal(stop, turns.Next([.. entries, stop], 50)[0]);
    }

    private static Difference Of(ClientOrderId order) => new(
        DifferenceKind.VanishedOrder, order.Value, order.Trade, Ours: true, "gone", "",
        new BookedOrder(order, order.Trade!.Value, Given.Symbol, Side.Buy, new Quantity(1), Quantity.Zero, Standing.Accepted, Now, []));
}
