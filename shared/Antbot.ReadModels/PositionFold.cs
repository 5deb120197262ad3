using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

internal static class PositionFold
{
    public static PositionView? Apply(PositionView? position, object @event, DateTimeOffset at) => @event switch
    {
        PositionOpened e => new PositionView(
            e.Trade, e.Account, e.Symbol, e.Side, PositionState.Open, e.Quantity, e.Average, null, e.Cost, e.Fees, e.Stop, e.TakeProfit, null, position?.OpenedAt ?? at, null, "", e.Orders),
        PositionClosing e => position is null ? null : position with { State = position.State == PositionState.Closed ? position.State : PositionState.Closing, Reason = e.Reason },
        PositionWrittenOff e => position is null ? null : position with { Reason = e.What },
        PositionClosed e => new PositionView(
            e.Trade, e.Account, e.Symbol, e.Side, PositionState.Closed, e.Quantity, e.Entry, e.Exit, e.Entry * e.Quantity, e.Fees, position?.Stop, position?.TakeProfit, e.Realised,
            position?.OpenedAt ?? at, at, e.Reason, e.Orders),
        _ => position,
    };
}
