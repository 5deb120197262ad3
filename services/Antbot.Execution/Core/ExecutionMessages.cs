using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;

namespace Antbot.Execution;

/// <summary>What others are told, from the recorded event alone.</summary>
public static class ExecutionMessages
{
    public static IReadOnlyList<object> React(object @event) => @event switch
    {
        OrderAccepted { Order: { Role: OrderRole.Entry, Trade: { } trade } } e => [new EntryAccepted(trade, e.Order, e.VenueOrderId, e.VenueTime)],
        OrderAdopted e when e.ToIntent().Role == OrderRole.Entry => [new EntryAccepted(e.Trade, e.Order, e.VenueOrderId, e.VenueTime)],
        OrderUnknown { Order: { Role: OrderRole.Entry, Trade: { } trade } } e => [new EntryUnknown(trade, e.Account, e.Text)],
        // Nothing was entered when this was recorded, and nothing ever will be.
        EntryForbidden e => [new EntryFailed(e.Trade, e.Account, e.Reason)],
        EntryFailedRecorded e => [new EntryFailed(e.Trade, e.Account, e.Reason)],
        PositionOpened e => [new TradeOpened(e.Trade, e.Account, e.Symbol, e.Side, e.Quantity, e.Average, e.Cost, e.Fees, e.Orders)],
        PositionClosing e => [new TradeClosing(e.Trade, e.Account, e.Reason)],
        PositionClosed e => [new TradeClosed(e.Trade, e.Account, e.Symbol, e.Quantity, e.Entry, e.Exit, e.Realised, e.Fees, e.Reason, e.Orders)],
        _ => [],
    };
}
