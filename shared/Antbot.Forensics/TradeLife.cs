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

    public static async Task<TradeLife> OfAsync(IEventStore store, TradeId trade, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        var (state, version, _, _) = await new StreamLoader(store, StreamKinds.Codec).LoadAsync(Streams.Trade(trade), TradeState.Fold, cancellationToken);
        return new TradeLife(version > 0 && !IsOver(state), state.IsOver ? state.Phase.ToString() : null, state.Signal?.ValidUntil);
    }
}
