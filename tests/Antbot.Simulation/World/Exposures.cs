using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Risk.Core;
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

    /// <summary>A market order is sized with so much to spare: until the price can have moved further it costs no more than was set aside.</summary>
    private static readonly TimeSpan Prompt = SimExchange.TimeToMove(SimProcess.Executing.SlippageMax);

    private readonly Dictionary<TradeId, (ExposureReserved Approval, decimal Record)> _trades = [];
    private readonly Dictionary<TradeId, List<ExchangeOrder>> _orders = [];
    private readonly Dictionary<TradeId, decimal> _writtenOff = [];

    /// <summary>
    /// What may be paid at a time for what was approved so. Only what is bought at the market's price, and late or by an old one, may cost
    /// more, by what the market can have moved.
    /// </summary>
    public decimal Allowed(decimal reserved, VenueOrder asked, DateTimeOffset raised, DateTimeOffset at) =>
        asked.Limit is null && (at - raised > Prompt || exchange.HasOldBooks) ? reserved * (1 + SimExchange.PriceMovesMost) : reserved;

    public void Reserved(ExposureReserved approval) => _trades.TryAdd(approval.Trade, (approval, approval.Reserved.Value));

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
        foreach (var (trade, (approval, record)) in _trades)
        {
            var worth = Math.Max(record, AtVenue(trade));
            var (reserved, allowed) = (approval.Reserved.Value, AllowedOf(trade, approval));
            sum += worth > reserved && worth <= allowed ? reserved : worth;
        }
        return sum;
    }

    private void Record(TradeId trade, decimal amount)
    {
        if (_trades.TryGetValue(trade, out var known))
            _trades[trade] = (known.Approval, amount);
    }

    private decimal AllowedOf(TradeId trade, ExposureReserved approval) => OrdersOf(trade)
        .Where(o => !o.Asked.ReduceOnly)
        .Select(o => Allowed(approval.Reserved.Value, o.Asked, approval.RaisedAt, o.Fills.Concat(o.Busted).Select(f => f.At).DefaultIfEmpty(exchange.Now).Max()))
        .DefaultIfEmpty(approval.Reserved.Value)
        .Max();

    /// <summary>What is open there, and what is held of what was bought, at what it cost.</summary>
    private decimal AtVenue(TradeId trade)
    {
        var (open, held, bought, cost) = (0m, -_writtenOff.GetValueOrDefault(trade), 0m, 0m);
        if (OrdersOf(trade) is not [var first, ..] orders)
            return 0;
        foreach (var order in orders)
        {
            if (order is { IsOpen: true, Asked.ReduceOnly: false })
                open += (order.Asked.Quantity.Value - order.Executed) * (order.Asked.Limit?.Value ?? exchange.PriceOf(order.Asked.Symbol));
            // What it has taken back counts as it was told until it is known: nobody can have known before he looked. What was executed again in its place counts once.
            var asked = order.Asked.Quantity.Value;
            foreach (var fill in order.Fills.Concat(order.Busted.Where(isRecorded(order))))
            {
                var quantity = Math.Min(fill.Quantity.Value, asked);
                asked -= quantity;
                held += fill.Side.Sign() * quantity;
                bought += order.Asked.ReduceOnly ? 0 : quantity;
                cost += order.Asked.ReduceOnly ? 0 : quantity * fill.Price.Value;
            }
        }
        var worth = open + (held > 0 && bought > 0 ? held * cost / bought : 0);
        return worth <= SimExchange.RuleOf(first.Asked.Symbol).NotionalMin.Value + Dust ? 0 : worth;
    }
}
