using System.Collections.Immutable;
using Antbot.Contracts.Market;

namespace Antbot.Signals.Core.Strategies;

/// <summary>What a strategy thought, and at which candle.</summary>
public sealed record Thought(string Strategy, Candle Candle, Idea Idea);

/// <summary>
/// The strategies of one symbol on their way through its candles. After an idea a strategy keeps silent for a while; the silence
/// belongs to the state too, so that a restart does not shorten it.
/// </summary>
public sealed record Watch(ImmutableArray<(Strategy Strategy, DateTimeOffset SilentUntil)> Strategies, TimeSpan Cooldown, DateTimeOffset LastClose)
{
    public static Watch Begin(IEnumerable<Strategy> strategies, TimeSpan cooldown) =>
        new([.. strategies.Select(s => (s, DateTimeOffset.MinValue))], cooldown, DateTimeOffset.MinValue);

    /// <summary>How much history makes it as if it had always been looking.</summary>
    public int WarmUp => Strategies.Max(s => s.Strategy.WarmUp);

    /// <summary>A candle that was seen already changes nothing.</summary>
    public (Watch Next, IReadOnlyList<Thought> Thoughts) On(Candle candle)
    {
        if (candle.ClosedAt <= LastClose)
            return (this, []);
        var (strategies, thoughts) = (Strategies, new List<Thought>());
        for (var i = 0; i < strategies.Length; i++)
        {
            var (strategy, silentUntil) = strategies[i];
            var (next, idea) = strategy.On(candle);
            if (idea is not null && candle.ClosedAt >= silentUntil)
            {
                thoughts.Add(new Thought(strategy.Name, candle, idea));
                silentUntil = candle.ClosedAt + Cooldown;
            }
            strategies = strategies.SetItem(i, (next, silentUntil));
        }
        return (this with { Strategies = strategies, LastClose = candle.ClosedAt }, thoughts);
    }
}
