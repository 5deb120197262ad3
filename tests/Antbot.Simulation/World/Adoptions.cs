using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Execution;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Ports;

namespace Antbot.Simulation.World;

/// <summary>
/// What others do on the account: each difference is remedied once at a time, what is adopted has its stop at the venue, and when all of
/// it is in the books, nothing more is found.
/// </summary>
internal sealed class Adoptions(SimWorld world, Action<Invariant, string> violated)
{
    /// <summary>What a stop leaves out: less than a step, and what the venue sells nothing for.</summary>
    private const decimal Dust = 0.1m;

    /// <summary>In two further looks nothing was found.</summary>
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(2 * SimProcess.Reconciling.EverySeconds + 2);

    private readonly Dictionary<string, TradeId> _awaited = new(StringComparer.Ordinal);
    private readonly HashSet<string> _differences = new(StringComparer.Ordinal);
    private readonly Dictionary<TradeId, decimal> _adopted = [];
    private readonly Dictionary<string, decimal> _shifts = new(StringComparer.Ordinal);
    private TimeSpan _lastFound;

    public BalanceBaselineSet? Baseline { get; private set; }

    /// <summary>Those that began with an adoption.</summary>
    public HashSet<TradeId> Trades { get; } = [];

    /// <summary>Nobody else has moved anything, and the venue took nothing back, nor lied for long.</summary>
    public bool IsOurs => !world.Plan.Faults.Any(f => f is SomebodyTrades or Busted or WrongBalances { IsBelieved: true });

    /// <summary>What the venue told of the account was not so, and was believed.</summary>
    public bool WasLiedTo => world.Plan.Faults.Any(f => f is WrongBalances { IsBelieved: true });

    /// <summary>What came to the trade without an order.</summary>
    public decimal Of(TradeId trade) => _adopted.GetValueOrDefault(trade);

    public void Look(object @event)
    {
        if (@event is ILookEvent)
            _lastFound = world.Loop.Now;
        switch (@event)
        {
            case BalanceBaselineSet e:
                Baseline = e;
                break;
            case DifferenceFound e:
                _differences.Add(DifferenceKey.Of(e.Kind, e.Subject));
                break;
            case DifferenceSettled e:
                _differences.Remove(DifferenceKey.Of(e.Kind, e.Subject));
                _awaited.Remove(DifferenceKey.Of(e.Kind, e.Subject));
                break;
            case AdoptionDecided e:
                if (!_awaited.TryAdd(e.Difference, e.Signal.Trade))
                    violated(Invariant.OneOwner, $"{e.Difference} is adopted as {e.Signal.Trade} while it is on its way to be {_awaited[e.Difference]}");
                Trades.Add(e.Signal.Trade);
                break;
            case RemedyEnded e:
                _awaited.Remove(e.Difference);
                break;
            case BalanceTakenOver e:
                Shift(e.Asset, e.Amount);
                world.Tally.Happened("a balance that was taken over");
                break;
            case PositionAdopted e:
                Came(e.Trade);
                _adopted[e.Trade] = e.Quantity.Value;
                Shift(SimExchange.RuleOf(e.Symbol).BaseAsset, e.Quantity.Value);
                world.Tally.Happened("a position that was adopted");
                break;
            case OrderAdopted e:
                Came(e.Trade);
                world.Tally.Happened("an order that was adopted");
                break;
            case PositionWrittenOff e:
                Shift(SimExchange.RuleOf(e.Symbol).BaseAsset, -e.Quantity.Value);
                world.Tally.Happened("a position that was written off");
                break;
            default:
                // It says nothing of others.
                break;
        }
    }

    /// <summary>A trade that stays: what was adopted and is protected, or an order that was adopted and rests. Both must be so at the venue.</summary>
    public bool IsKept(TradeId trade, OrdersState state)
    {
        if (!Trades.Contains(trade) || state.Orders.Any(o => o.Doubted))
            return false;
        if (state.Stage == TradeStage.Entering)
            return state.Entry is { Status: OrderStatus.Resting } entry && IsOpen(entry.Id) is not null;
        return state is { Stage: TradeStage.Open, Stop: { Status: OrderStatus.Resting } stop } && IsOpen(stop.Id) is { } open && Covers(state, open);
    }

    public string? WhyNotAtRest() => IsOurs ? null
        : _differences.FirstOrDefault() is { } open ? $"{open} is open"
        : world.Loop.Now - _lastFound < Quiet || world.Loop.Now - world.Exchange.MovedByOthers < Quiet ? "something was found just now"
        : null;

    /// <summary>What the account holds by Reconciliation's books, without what our orders have moved.</summary>
    public Dictionary<string, decimal> Expected(IReadOnlyDictionary<string, decimal> start)
    {
        var expected = new Dictionary<string, decimal>(start, StringComparer.Ordinal);
        foreach (var (asset, amount) in _shifts)
            expected[asset] += amount;
        return expected;
    }

    private static bool Covers(OrdersState state, ExchangeOrder stop)
    {
        var rule = SimExchange.RuleOf(stop.Asked.Symbol);
        return (state.Held() - (stop.Asked.Quantity.Value - stop.Executed)) * state.Position!.Average.Value < rule.QuantityStep * state.Position.Average.Value + Dust;
    }

    private ExchangeOrder? IsOpen(ClientOrderId id) => world.Exchange.Orders.Find(o => o.IsOpen && o.Asked.Id == id);

    private void Came(TradeId trade)
    {
        foreach (var (difference, _) in _awaited.Where(a => a.Value == trade).ToList())
            _awaited.Remove(difference);
    }

    private void Shift(string asset, decimal amount) => _shifts[asset] = _shifts.GetValueOrDefault(asset) + amount;
}
