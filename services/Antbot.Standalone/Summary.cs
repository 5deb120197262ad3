using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.ReadModels;

namespace Antbot.Standalone;

/// <summary>What the terminal shows: how many trades stand where, what they have earned, and what is left open. The Console's read models know it.</summary>
public static class Summary
{
    private static readonly string[] Holding = [nameof(PositionState.Open), nameof(PositionState.Closing)];

    public static async Task<string> LineAsync(ReadModelQueries queries, ServicesReady services, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        ArgumentNullException.ThrowIfNull(services);
        var status = await queries.StatusAsync(cancellationToken: cancellationToken);
        var days = (await queries.ListAsync<DayView>(ViewTable.Summaries, new ViewQuery(["Day"], Limit: ViewQuery.LimitMax), cancellationToken)).Items;
        var trades = Enum.GetValues<TradePhase>().Select(p => (Phase: p, Count: status.Trades.GetValueOrDefault(p.ToString()))).Where(p => p.Count > 0)
            .Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Count} {Word(p.Phase)}")).ToList();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{services.Ready} of {services.All} services ready{(services.Why is null ? "" : $" ({services.Why})")} · {status.Events:N0} events · trades: {(trades.Count == 0 ? "none yet" : string.Join(", ", trades))} · {status.Exposure.Positions}{(status.Exposure.More ? " or more" : "")} positions · P&L {days.Sum(d => d.Realised.Value):0.00} after {days.Sum(d => d.Fees.Value):0.00} fees");
    }

    /// <param name="market">Whose prices are traded on; null for the market that is made here.</param>
    public static async Task<IReadOnlyList<string>> OpenPositionsAsync(ReadModelQueries queries, Uri? market, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(queries);
        var open = await queries.ListAsync<PositionView>(ViewTable.Positions, new ViewQuery(Holding, Limit: ViewQuery.LimitMax), cancellationToken);
        if (open.Items.Count == 0)
            return ["No position is open."];
        var lines = new List<string> { $"{open.Items.Count}{(open.Next is null ? "" : " or more")} positions are left open, and go on when it is started again:" };
        foreach (var position in open.Items)
        {
            var orders = (await queries.ListAsync<OrderView>(ViewTable.Orders, new ViewQuery([], Trade: position.Trade.Value, Limit: ViewQuery.LimitMax), cancellationToken)).Items;
            var sold = orders.Where(o => o.Side != position.Side).Sum(o => o.Executed.Value);
            var stop = orders.FirstOrDefault(o => o is { Role: OrderRole.Stop, Status: OrderStatus.Accepted or OrderStatus.PartiallyFilled });
            var protects = stop is null ? "NO stop" : stop.Trigger is { } trigger ? $"a stop at {trigger}" : "a stop that was found at the venue, which alone knows its price";
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  {position.Symbol} {position.Side} {position.Quantity.Value - sold} at {position.Entry} (trade {position.Trade}): {protects}"));
        }
        lines.Add($"Stops are kept by the paper venue in this process and act when it is started again. Until then NOTHING protects these positions, and {(market is null ? "the market" : $"the market of {market.Host}")} moves on.");
        return lines;
    }

    private static string Word(TradePhase phase) => phase switch
    {
        TradePhase.None => "unknown",
        TradePhase.Validating => "validating",
        TradePhase.AssessingRisk => "assessing risk",
        TradePhase.Executing => "executing",
        TradePhase.Open => "open",
        TradePhase.Closing => "closing",
        TradePhase.Closed => "closed",
        TradePhase.Rejected => "rejected",
        TradePhase.Denied => "denied",
        TradePhase.Expired => "expired",
        TradePhase.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "no phase of a trade"),
    };
}
