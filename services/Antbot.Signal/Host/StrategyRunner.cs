using Antbot.Contracts;
using Antbot.Contracts.Market;
using Antbot.Contracts.Venue;
using Antbot.Hosting;
using Antbot.Runtime.Health;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Strategies;
using Microsoft.Extensions.Logging;

namespace Antbot.Signals;

/// <summary>Leads the strategies of each symbol through its candles, in one instance at a time; each symbol has a lease of its own.</summary>
public sealed class StrategyRunner(IMarketData market, SignalRecorder recorder, LeaseKeeper leases, SignalOptions options, TimeProvider clock, ILogger<StrategyRunner> log)
{
    /// <summary>What a venue gives in one answer.</summary>
    private const int HistoryMax = 999;

    /// <summary>What a candle says is worth acting on for this long.</summary>
    private static readonly TimeSpan FreshFor = TimeSpan.FromSeconds(5);

    public Task RunAsync(CancellationToken cancellationToken) => options.MakeWatch() is { } watch
        ? Task.WhenAll(options.Watched.Select(symbol => leases.RunAsync($"signal/strategies-{symbol}", token => WatchAsync(symbol, watch, token), cancellationToken)))
        : Task.Delay(Timeout.InfiniteTimeSpan, clock, cancellationToken);

    public async Task WatchAsync(Symbol symbol, Watch watch, CancellationToken cancellationToken)
    {
        watch = await FillAsync(symbol, watch, watch.WarmUp, DateTimeOffset.MaxValue, cancellationToken);
        log.LogInformation("Strategies watch {Symbol} from {LastClose:O} on", symbol, watch.LastClose);
        await foreach (var candle in market.FollowCandlesAsync([symbol], options.Interval, cancellationToken))
        {
            // Between the history and the first candle that was followed some may have closed.
            if (candle.OpenedAt > watch.LastClose)
                watch = await FillAsync(symbol, watch, Missing(watch, candle), candle.OpenedAt, cancellationToken);
            (watch, var thoughts) = watch.On(candle);
            if (clock.GetUtcNow() - candle.ClosedAt > FreshFor)
                continue;
            foreach (var thought in thoughts)
                await RaiseAsync(thought, cancellationToken);
        }
    }

    private int Missing(Watch watch, Candle candle) =>
        watch.LastClose == DateTimeOffset.MinValue ? watch.WarmUp : (int)Math.Min(HistoryMax, (candle.OpenedAt - watch.LastClose) / options.Interval + 1);

    /// <summary>Looks at history without acting on it; what is new in the feed is left to the feed.</summary>
    private async Task<Watch> FillAsync(Symbol symbol, Watch watch, int count, DateTimeOffset until, CancellationToken cancellationToken)
    {
        var answer = await market.ReadCandlesAsync(symbol, options.Interval, Math.Clamp(count, 1, HistoryMax), cancellationToken);
        return answer switch
        {
            VenueAnswer<IReadOnlyList<Candle>>.Said said => said.Value.Where(c => c.ClosedAt <= until).Aggregate(watch, (w, candle) => w.On(candle).Next),
            VenueAnswer<IReadOnlyList<Candle>>.Refused refused => throw new DependencyDownException("market", $"The venue refuses the candles of {symbol}: {refused.Text} ({refused.Code})."),
            VenueAnswer<IReadOnlyList<Candle>>.Unknown unknown => throw new DependencyDownException("market", $"The candles of {symbol} could not be read: {unknown.Text}"),
            VenueAnswer<IReadOnlyList<Candle>>.NotSent notSent => throw new DependencyDownException("market", $"The candles of {symbol} were not asked for: {notSent.Text}"),
            _ => throw new InvalidOperationException("An answer is one of four."),
        };
    }

    private async Task RaiseAsync(Thought thought, CancellationToken cancellationToken)
    {
        var recorded = SignalDecider.FromThought(thought, options.Terms, clock.GetUtcNow());
        var outcome = await recorder.RecordAsync(recorded, "service:signal", [], cancellationToken);
        // Another instance that thought the same at the same candle has told it, or its successor will.
        if (outcome is AppendOutcome.Appended appended)
            await recorder.TryPublishAsync(appended.Events, cancellationToken);
    }
}
