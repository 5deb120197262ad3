using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Simulation.Ports;

namespace Antbot.Simulation.World;

/// <summary>
/// What every approved trade may still cost: by what Execution has recorded and by what the venue holds, whichever is more, and not by
/// Risk's own books. Whatever nobody knows to have ended counts in full.
/// </summary>
/// <param name="isRecorded">Whether a fill of the order stands in the record.</param>
internal sealed class Exposures(SimExchange exchange, Func<ExchangeOrder, Func<FillReport, bool>> isRecorded)
{
    private const decimal Dust = 0.1m;

    private readonly Dictionary<TradeId, (decimal Reserved, decimal Record)> _trades = [];
    private readonly Dictionary<TradeId, List<ExchangeOrder>> _orders = [];
    private readonly Dictionary<TradeId, decimal> _writtenOff = [];

    public void Reserved(TradeId trade, decimal amount)
    {
        if (!_trades.ContainsKey(trade))
            _trades[trade] = (amount, amount);
    }

    /// <summary>A fill that came late may cost more than was set aside for it: what was asked for is what is held against the limit.</summary>
    public void Opened(TradeId trade, decimal cost) => Record(trade, cost);

    public void Over(TradeId trade) => Record(trade, 0);

    /// <summary>Somebody else has sold it: no order of the trade's own shows that.</summary>
    public void WrittenOff(TradeId trade, Quantity quantity) => _writtenOff[trade] = _writtenOff.GetValueOrDefault(trade) + quantity.Value;

    public void Taken(TradeId trade, ExchangeOrder order)
    {
        if (!_orders.TryGetValue(trade, out var orders))
            _orders[trade] = orders = [];
        orders.Add(order);
    }

    public IReadOnlyList<ExchangeOrder> OrdersOf(TradeId trade) => _orders.GetValueOrDefault(trade) ?? [];

    public decimal Sum()
    {
        var sum = 0m;
        foreach (var (trade, (reserved, record)) in _trades)
            sum += Math.Min(reserved, Math.Max(record, AtVenue(trade)));
        return sum;
    }

    private void Record(TradeId trade, decimal amount)
    {
        if (_trades.TryGetValue(trade, out var known))
            _trades[trade] = (known.Reserved, amount);
    }

    /// <summary>What is open there, and what is held of what was bought, at what it cost.</summary>
    private decimal AtVenue(TradeId trade)
    {
        var (open, held, bought, cost) = (0m, -_writtenOff.GetValueOrDefault(trade), 0m, 0m);
        if (OrdersOf(trade) is not [var first, ..] orders)
            return 0;
        foreach (var order in orders)
        {
            if (order is { IsOpen: true, Asked.ReduceOnly: false })
                open += (order.Asked.Quantity.Value - order.Executed) * exchange.PriceOf(order.Asked.Symbol);
            // What it has taken back counts as it was told until it is known: nobody can have known before he looked.
            foreach (var fill in order.Fills.Concat(order.Busted.Where(isRecorded(order))))
            {
                held += fill.Side.Sign() * fill.Quantity.Value;
                bought += order.Asked.ReduceOnly ? 0 : fill.Quantity.Value;
                cost += order.Asked.ReduceOnly ? 0 : fill.Quantity.Value * fill.Price.Value;
            }
        }
        var worth = open + (held > 0 && bought > 0 ? held * cost / bought : 0);
        return worth <= SimExchange.RuleOf(first.Asked.Symbol).NotionalMin.Value + Dust ? 0 : worth;
    }
}
