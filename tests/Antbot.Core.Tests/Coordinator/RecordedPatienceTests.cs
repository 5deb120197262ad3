using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Xunit;

namespace Antbot.Core.Tests.Coordinator;

/// <summary>Whatever the settings were, the decision that was made with them says as much of them as it takes to make it again.</summary>
public sealed class RecordedPatienceTests
{
    private static readonly DateTimeOffset Start = new(2026, 2, 3, 4, 5, 6, TimeSpan.Zero);

    [Fact]
    public void With_what_a_decision_says_of_its_patience_it_is_the_same_again()
    {
        var random = new Random(7);
        for (var round = 0; round < 500; round++)
        {
            var patience = new TradePatience(Some(random), Some(random), Some(random), Some(random), Some(random), Some(random), TimeSpan.FromMilliseconds(random.Next(1, 120_000)));
            var (state, now) = (TradeState.Initial, Start);
            foreach (var message in Life(random))
            {
                now += TimeSpan.FromSeconds(random.Next(100));
                object input = message is DeadlineReached ? new DeadlineReached(Trade, state.Phase, state.Due ?? now) : message;
                var decided = TradeDecider.Decide(state, (ITradeMessage)input, now, patience);
                Assert.Equal(decided, TradeDecider.Decide(state, (ITradeMessage)input, now, RecordedPatience.Of(decided, now)));
                state = decided.Aggregate(state, TradeState.Fold.Apply);
            }
        }
    }

    private static readonly TradeId Trade = new(Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100"));

    private static TimeSpan Some(Random random) => TimeSpan.FromMilliseconds(random.Next(1, 200_000_000));

    private static ITradeMessage[] Life(Random random)
    {
        var until = random.Next(3) switch { 0 => Start.AddSeconds(5), 1 => Start.AddDays(9), _ => new DateTimeOffset(9999, 12, 30, 23, 59, 0, TimeSpan.Zero).AddMinutes(random.Next(3)) };
        var (account, symbol) = (new AccountId("main"), new Symbol("BTCUSDT"));
        var signal = new Signal(Trade, account, "test", symbol, Side.Buy, OrderKind.Market, new Price(100), null, null, null, new Money(50), 0.7m, Start, until);
        var opened = new TradeOpened(Trade, account, symbol, Side.Buy, new Quantity(1), new Price(100), new Money(100), Money.Zero, []);
        var late = new DeadlineReached(Trade, TradePhase.Open, Start);
        ITradeMessage first = random.Next(2) == 0 ? new SignalRaised(signal) : new AdoptTrade(signal, null, new Quantity(1), "found", "words");
        return first is AdoptTrade
            ? [first, late, opened, late, new TradeClosing(Trade, account, "why"), late]
            : [first, new SignalValidated(Trade, 0.8m, []), new RiskApproved(Trade, new Money(50), []), late, opened, late, new TradeClosing(Trade, account, "why"), late];
    }
}
