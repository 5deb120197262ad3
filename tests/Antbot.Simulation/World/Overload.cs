using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.World;

/// <param name="Refused">Signals that were not taken, and whose senders were told.</param>
/// <param name="Appends">All of them, until everything was at rest.</param>
/// <param name="Entered">Trades that were opened while signals came.</param>
/// <param name="EnteredLater">Those that were after that.</param>
/// <param name="AtRestAfter">The last signal, in seconds.</param>
/// <param name="Silent">Trades that came to nothing and do not say why.</param>
public sealed record OverloadResult(int Signals, int Refused, int Appends, int Entered, int EnteredLater, double AtRestAfter, IReadOnlyList<TradeId> Silent, IReadOnlyList<Violation> Violations);

/// <summary>Signals at a steady rate over a slow store, each of a trade that nothing else stands against: how many of them are entered.</summary>
public static class Overload
{
    private static readonly TimeSpan RestsWithin = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    /// <param name="perSecond">Signals.</param>
    /// <param name="milliseconds">That each append takes.</param>
    public static OverloadResult Run(ulong seed, double perSecond, double seconds, double milliseconds)
    {
        var before = SynchronizationContext.Current;
        try
        {
            var signals = (int)(perSecond * seconds);
            var end = TimeSpan.FromSeconds(seconds) + RestsWithin;
            var world = new SimWorld(new Plan(seed, signals, 1, [new StoreSlow(0, end.TotalSeconds, milliseconds)]), Bug.None) { Rate = perSecond };
            world.Begin();
            for (var look = LookEvery; world.Checker.WhyNotAtRest() is { } missing; look += LookEvery)
            {
                while (world.Loop.Now < look)
                    world.Loop.Step();
                if (look >= end)
                    world.Checker.Violated(missing.Broken, missing.What);
                if (world.Checker.Violations.Count > 0)
                    return Told(world, signals, seconds);
            }
            world.Checker.AtRest();
            return Told(world, signals, seconds);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    private static OverloadResult Told(SimWorld world, int signals, double seconds)
    {
        var (entered, later, explained) = (new HashSet<TradeId>(), new HashSet<TradeId>(), new HashSet<TradeId>());
        foreach (var stored in world.Ledger.ReadLinksAsync().ToBlockingEnumerable().Select(l => l.Event!))
        {
            if (!stored.Stream.StartsWith(Streams.TradePrefix, StringComparison.Ordinal))
                continue;
            var trade = TradeId.From(stored.Stream[Streams.TradePrefix.Length..]);
            switch (world.Codec.Decode(stored))
            {
                case TradeOpenedRecorded:
                    (stored.Timestamp <= SimLoop.Epoch + TimeSpan.FromSeconds(seconds) ? entered : later).Add(trade);
                    break;
                case TradeRejected { Verdicts: var verdicts } when verdicts.Any(v => !v.Passed):
                case TradeDenied { Verdicts: var denied } when denied.Any(v => !v.Passed):
                case TradeFailed { Reason.Length: > 0 }:
                case TradeExpired { Reason.Length: > 0 }:
                    explained.Add(trade);
                    break;
                default:
                    // On the way to one of these.
                    break;
            }
        }
        return new OverloadResult(signals, world.Refused.Count, world.Disk.Commits, entered.Count, later.Count, world.Loop.Seconds - seconds, [.. world.Accepted.Except(entered).Except(later).Except(explained)], world.Checker.Violations);
    }
}
