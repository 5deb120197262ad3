using Antbot.Contracts.Events;
using Antbot.Coordinator.Core;
using Xunit;

namespace Antbot.Core.Tests.Coordinator;

public sealed class OpenTradesTests
{
    public static TheoryData<TradePhase, bool> Phases => new(Enum.GetValues<TradePhase>().Where(p => p != TradePhase.None)
        .Select(p => new TheoryDataRow<TradePhase, bool>(p, p is not (TradePhase.Rejected or TradePhase.Denied or TradePhase.Expired or TradePhase.Failed))));

    [Theory]
    [MemberData(nameof(Phases))]
    public void A_trade_is_kept_for_as_long_as_anything_is_expected_of_it(TradePhase phase, bool kept)
    {
        var trades = Played(Some.PathTo(phase));
        Assert.Equal(kept, trades.Count == 1);
        if (kept)
            Assert.Equal((phase, Some.In(phase).Due), (trades.All.Single().Phase, trades.All.Single().Due));
    }

    [Fact]
    public void A_closed_trade_leaves_when_it_has_been_verified_closed_and_not_before()
    {
        var path = Some.PathTo(TradePhase.Closed);
        Assert.Equal(1, Played([.. path, new TradeReconciledRecorded(Some.Trade, Closed: false, "")]).Count);
        Assert.Equal(0, Played([.. path, new TradeReconciledRecorded(Some.Trade, Closed: true, "")]).Count);
    }

    [Fact]
    public void What_comes_after_a_trade_was_settled_does_not_bring_it_back() =>
        Assert.Equal(0, Played([.. Some.PathTo(TradePhase.Failed), new TradeMessageAbsorbed(Some.Trade, "TradeClosed", TradePhase.Failed)]).Count);

    [Fact]
    public void A_saved_index_is_the_same_index_and_an_event_that_is_in_it_already_changes_nothing()
    {
        var trades = Played(Some.PathTo(TradePhase.Open));
        var again = new OpenTrades();
        again.Load(trades.Save());
        Assert.Equal(trades.All, again.All);
        again.Apply(Some.Trade, Some.PathTo(TradePhase.Validating)[0], Some.Now.AddDays(1), version: 1);
        Assert.Equal(trades.All, again.All);
    }

    private static OpenTrades Played(IReadOnlyList<object> events)
    {
        var trades = new OpenTrades();
        for (var i = 0; i < events.Count; i++)
            trades.Apply(Some.Trade, events[i], Some.Now.AddSeconds(i), i + 1);
        return trades;
    }
}
