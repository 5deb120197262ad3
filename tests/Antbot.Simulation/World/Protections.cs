using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Execution;
using Antbot.Simulation.Faults;

namespace Antbot.Simulation.World;

/// <summary>
/// Where nothing goes wrong but that orders are filled in part: what a trade holds and could sell has its stop at the venue in time, or is on
/// its way out.
/// </summary>
internal sealed class Protections(SimWorld world, Action<Invariant, string> violated)
{
    public const string Cut = "an entry whose rest was cancelled for the sake of what it had filled";

    /// <summary>What a sale leaves out at another price.</summary>
    private const decimal Dust = 0.1m;

    /// <summary>It is listed within two seconds, and waits for more as long; then there is an order to cancel and one to place.</summary>
    private static readonly TimeSpan Within = TimeSpan.FromSeconds(10);

    private readonly bool _isBound = world.Plan.Faults.All(f => f is VenueErrs { Mishap: Mishap.HalfForGood or Mishap.PartialFill });
    private readonly Dictionary<TradeId, TimeSpan> _since = [];

    /// <param name="orders">What was so before it.</param>
    public void Look(OrderCancelIntended intended, OrdersState? orders)
    {
        if (orders is { Stage: TradeStage.Entering, Withdrawn: null } && orders.Find(intended.Order) is { IsAdopted: false } entry && entry.Executed > Quantity.Zero && world.Exchange.Now < entry.Intended.ValidUntil)
            world.Tally.Happened(Cut);
    }

    /// <summary>
    /// Nothing lies there that is on sale nowhere, but for what each trade may leave that the venue does not buy. What others buy or sell, or
    /// the venue takes back, is their concern.
    /// </summary>
    public void AtRest()
    {
        if (world.Plan.Faults.Any(f => f is SomebodyTrades or Busted))
            return;
        foreach (var rule in Ports.SimExchange.Rules)
        {
            var orders = world.Exchange.Orders.Where(o => o.Asked.Symbol == rule.Symbol).ToList();
            var bare = world.Exchange.Balances[rule.BaseAsset] - orders.Where(o => o is { IsOpen: true, Asked.Side: Side.Sell }).Sum(o => o.Asked.Quantity.Value - o.Executed);
            var dust = (rule.NotionalMin.Value + Dust) * orders.Select(o => o.Asked.Id.Trade).Distinct().Count();
            if (bare * world.Exchange.PriceOf(rule.Symbol) > dust)
                violated(Invariant.Protected, $"{bare} {rule.BaseAsset} lie there without a stop");
        }
    }

    public void Check()
    {
        if (!_isBound)
            return;
        foreach (var trade in world.Exchange.Orders.Where(o => o.Asked.Id.Trade is not null).GroupBy(o => o.Asked.Id.Trade!.Value))
        {
            var held = trade.SelectMany(o => o.Fills).Sum(f => f.Side.Sign() * f.Quantity.Value);
            var rule = Ports.SimExchange.RuleOf(trade.First().Asked.Symbol);
            var isLeftAlone = held * world.Exchange.PriceOf(rule.Symbol) > rule.NotionalMin.Value * 2 && !trade.Any(o => o is { IsOpen: true, Asked.ReduceOnly: true });
            if (!isLeftAlone)
                _since.Remove(trade.Key);
            else if (!_since.TryAdd(trade.Key, world.Loop.Now) && world.Loop.Now - _since[trade.Key] > Within)
                violated(Invariant.Protected, $"{held} {rule.BaseAsset} of {trade.Key} have been held without a stop for {(world.Loop.Now - _since[trade.Key]).TotalSeconds:0} s");
        }
    }
}
