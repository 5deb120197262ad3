using Antbot.ConsoleService.Incidents;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Xunit;

namespace Antbot.Core.Tests.Incidents;

/// <summary>What goes on is an incident from its threshold on, one for each cause, and says what it rests on.</summary>
public sealed class TroublesTests
{
    private static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    private static readonly TradeId Trade = TradeId.From("0123456789abcdef0123456789abcdef");

    [Fact]
    public void Letters_of_one_cause_and_of_all_causes_together_have_a_threshold_each()
    {
        WaitingLetters[] letters = [Letters("aaaa", 4), Letters("bbbb", 5, minutes: 9), Letters("cccc", 6), Letters("dddd", 0, minutes: 99)];
        Assert.Empty(Troubles.Of(letters, 7, 16));
        Assert.Empty(Troubles.Of([], 1, 1));
        var found = Troubles.Of(letters, 5, 15).ToList();
        Assert.Equal(["dead-letters:cccc", "dead-letters:bbbb", "dead-letters"], found.Select(t => t.Cause));
        Assert.Equal("6 dead letters of one cause wait, such as an example: like cccc (fingerprint cccc)", found[0].What);
        Assert.Equal("15 dead letters of 3 causes wait; the most of cccc (6: like cccc), bbbb (5: like bbbb), aaaa (4: like aaaa)", found[^1].What);
        Assert.Equal([Now.AddMinutes(-1), Now.AddMinutes(-9), Now.AddMinutes(-9)], found.Select(t => t.Since));
    }

    [Fact]
    public void A_difference_is_one_when_it_has_stayed_and_has_the_venues_words()
    {
        var (fresh, old) = (Difference("BTC", 14), Difference("ETH", 15));
        Assert.Empty(Troubles.Of([fresh], TimeSpan.FromMinutes(15), Now));
        var found = Assert.Single(Troubles.Of([fresh, old], TimeSpan.FromMinutes(15), Now));
        Assert.Equal(("difference:main:Balance:ETH", old.Since, Trade), (found.Cause, found.Since, found.Trade!.Value));
        Assert.Equal("main: 2 ETH are missing (Balance ETH), found 2026-01-02 02:49:05Z and not settled since; the venue says: {\"free\":\"1\"}", found.What);
    }

    [Fact]
    public void A_breaker_is_one_when_it_has_not_been_closed_for_long()
    {
        BreakerNotClosed[] breakers = [new("risk", "venue-market", Now.AddSeconds(-119)), new("execution", "venue-orders", Now.AddSeconds(-120))];
        var found = Assert.Single(Troubles.Of(breakers, TimeSpan.FromSeconds(120), Now));
        Assert.Equal(("breaker:execution/venue-orders", Now.AddSeconds(-120)), (found.Cause, found.Since));
        Assert.Contains("venue-orders of execution has not been closed since 2026-01-02 03:02:05Z", found.What, StringComparison.Ordinal);
    }

    private static WaitingLetters Letters(string fingerprint, long count, int minutes = 1) => new(fingerprint, $"like {fingerprint}", count, "an example", Now.AddMinutes(-minutes));

    private static StandingDifference Difference(string asset, int minutes) =>
        new(new AccountId("main"), DifferenceKind.Balance, asset, Trade, $"2 {asset} are missing", "{\"free\":\"1\"}", Now.AddMinutes(-minutes));
}
