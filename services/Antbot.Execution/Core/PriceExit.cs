using Antbot.Contracts;

namespace Antbot.Execution;

/// <summary>Whether a price closes a position: its profit is reached, or its stop is passed and none rests at the venue.</summary>
public static class PriceExit
{
    public static string? ReasonOf(OrdersState state, Price? bid, Price? ask)
    {
        if (state is not { Stage: TradeStage.Open, Position: { } position } || (position.Side == Side.Buy ? bid : ask) is not { } price)
            return null;
        var sign = position.Side.Sign();
        if (position.TakeProfit is { } profit && price.Value * sign >= profit.Value * sign)
            return $"take profit: {price} has reached {profit}";
        return position.Stop is { } stop && price.Value * sign <= stop.Value * sign && state.Stop is not { Status: OrderStatus.Resting }
            ? $"stop: {price} has passed {stop}, and no stop rests at the venue"
            : null;
    }
}
