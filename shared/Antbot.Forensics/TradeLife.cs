using Antbot.Contracts;
using Antbot.Coordinator.Core;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>How far a trade is, by its own stream.</summary>
/// <param name="GoesOn">It has begun, and is not over, or its end has not been found right at the venue.</param>
/// <param name="Over">The phase in which it ended; null where it did not.</param>
/// <param name="ValidUntil">Up to when it might be entered; null before it has begun.</param>
public sealed record TradeLife(bool GoesOn, string? Over, DateTimeOffset? ValidUntil)
{
    private static readonly Func<TradeState, bool> IsOver = TradeDecider.With(TradePatience.Default).IsOver;

    /// <summary>Of each of them, asked for once. One that was archived is over, and how it ended is not known here.</summary>
    public static async Task<IReadOnlyDictionary<TradeId, TradeLife>> OfAsync(IEventStore store, IReadOnlyCollection<TradeId> trades, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var states = trades.ToDictionary(t => Streams.Trade(t).Value, _ => (State: TradeState.Initial, Version: 0L), StringComparer.Ordinal);
        try
        {
            await foreach (var stored in store.ReadStreamsAsync([.. trades.Select(t => new StreamStart(Streams.Trade(t)))], cancellationToken))
                states[stored.Stream] = (TradeState.Fold.Apply(states[stored.Stream].State, StreamKinds.Codec.Decode(stored)), stored.Version);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            if (trades.Count == 1)
                return trades.ToDictionary(t => t, _ => new TradeLife(GoesOn: false, "over and archived", null));
            var lives = new Dictionary<TradeId, TradeLife>();
            foreach (var trade in trades)
                lives[trade] = (await OfAsync(store, [trade], cancellationToken))[trade];
            return lives;
        }
        return trades.ToDictionary(t => t, t => Of(states[Streams.Trade(t).Value]));
    }

    public static async Task<TradeLife> OfAsync(IEventStore store, TradeId trade, CancellationToken cancellationToken = default) => (await OfAsync(store, [trade], cancellationToken))[trade];

    private static TradeLife Of((TradeState State, long Version) trade) =>
        new(trade.Version > 0 && !IsOver(trade.State), trade.State.IsOver ? trade.State.Phase.ToString() : null, trade.State.Signal?.ValidUntil);
}
