using System.Globalization;
using Antbot.Contracts.Events;
using Antbot.Hosting;

namespace Antbot.Standalone;

internal static class TallyText
{
    public static string Line(ServicesReady services, TradeTally tally, long events)
    {
        var (phases, realised, fees, open) = tally.Read();
        var trades = phases.OrderBy(p => p.Key).Select(p => string.Create(CultureInfo.InvariantCulture, $"{p.Value} {Word(p.Key)}"));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Services(services)} · {events:N0} events · trades: {(phases.Count == 0 ? "none yet" : string.Join(", ", trades))} · {open.Count} positions · P&L {realised.Value:0.00} after {fees.Value:0.00} fees");
    }

    /// <param name="market">Whose prices are traded on; null for the market that is made here.</param>
    public static IEnumerable<string> OpenPositions(TradeTally tally, Uri? market)
    {
        var open = tally.Read().Open;
        if (open.Count == 0)
        {
            yield return "No position is open.";
            yield break;
        }
        yield return $"{open.Count} positions are left open, and go on when it is started again:";
        foreach (var p in open)
            yield return $"  {p.Symbol} {p.Side} {p.Quantity} at {p.Average} (trade {p.Trade}): {(p.Stop is { } stop ? $"a stop at {stop}" : "NO stop")}";
        yield return $"Stops are kept by the paper venue in this process and act when it is started again. Until then NOTHING protects these positions, and {(market is null ? "the market" : $"the market of {market.Host}")} moves on.";
    }

    private static string Services(ServicesReady services) =>
        $"{services.Ready} of {services.All} services ready{(services.Why is null ? "" : $" ({services.Why})")}";

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
