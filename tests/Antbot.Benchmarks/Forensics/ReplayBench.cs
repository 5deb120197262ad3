using System.Diagnostics;
using Antbot.Benchmarks.Pipeline;
using Antbot.EventStore.Sqlite;
using Antbot.Forensics;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Forensics;

/// <summary>
/// Every decision of a history that the whole platform has really made, made again. Beside it the plain way of reading the same events and
/// folding them, one after the other, with nothing decided; the limit is reading them alone.
/// </summary>
public static class ReplayBench
{
    private const int Rounds = 5;
    private const int DecisionsMin = 100_000;
    private const double PerSecondMin = 50_000;

    public static async Task RunAsync(BenchSection report, int trades, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-replay-bench-").FullName;
        try
        {
            await MakeHistoryAsync(folder, trades, cancellationToken);
            await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(folder, "antbot.db"), Create = false }, cancellationToken);
            await MeasureAsync(report, store, cancellationToken);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task MakeHistoryAsync(string folder, int trades, CancellationToken cancellationToken)
    {
        await using var pipeline = await StandalonePipeline.StartAsync(folder, cancellationToken);
        var outcome = await LoadRun.RunAsync(pipeline, c => c.BurstAsync(trades, cancellationToken), cancellationToken);
        Console.WriteLine($"  {trades:N0} trades were made at {outcome.PerSecond:0} a second, {outcome.Lost.Count} came to nothing{(outcome.Lost.Count > 0 ? $": {outcome.Lost[0]}" : "")}");
    }

    private static async Task MeasureAsync(BenchSection report, SqliteEventStore store, CancellationToken cancellationToken)
    {
        var (again, folded, read) = (new List<double>(), new List<double>(), new List<double>());
        RedecisionReport? last = null;
        var held = 0L;
        for (var round = 0; round < Rounds; round++)
        {
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var at = Stopwatch.GetTimestamp();
            last = await Redecision.RunAsync(HistoryPages.Of(store, cancellationToken), RedecisionOptions.All, _ => held = Math.Max(held, GC.GetTotalMemory(forceFullCollection: false) - before), cancellationToken);
            again.Add(last.Decisions / Stopwatch.GetElapsedTime(at).TotalSeconds);
            folded.Add(last.Decisions / await SecondsAsync(store, fold: true, cancellationToken));
            read.Add(last.Decisions / await SecondsAsync(store, fold: false, cancellationToken));
        }
        foreach (var service in last!.Services)
            Console.WriteLine($"  {service.Service}: {service.Decisions:N0} decisions, {service.Different} different, {service.Impossible} that cannot be made again");
        foreach (var reason in last.Reasons)
            Console.WriteLine($"  {reason.Service}: {reason.Decisions:N0} cannot be made again: {reason.Reason}");
        if (last.Different > 0 || last.Decisions < DecisionsMin)
            throw new InvalidOperationException($"{last.Different} of {last.Decisions} decisions were made otherwise; none of at least {DecisionsMin:N0} may be. The first: {last.Differences.FirstOrDefault()}");
        var (mine, peer, limit) = (LoadResult.Middle(again), LoadResult.Middle(folded), LoadResult.Middle(read));
        report.AtLeast($"decisions made again, {last.Decisions:N0} in {last.Events:N0} events (peer: read and folded; limit: read; ratio: of {PerSecondMin:N0})", mine, "decisions/s", 1, peer, limit, mine / PerSecondMin, target: 100_000);
        report.Show("events read, folded and decided on (peer: read and folded)", mine * last.Events / last.Decisions, "events/s", peer * last.Events / last.Decisions, limit * last.Events / last.Decisions);
        report.Show("memory held at most (peer: the bytes of the events' bodies)", held / 1e6, "MB", await MegabytesAsync(store, cancellationToken));
    }

    private static async Task<double> SecondsAsync(SqliteEventStore store, bool fold, CancellationToken cancellationToken)
    {
        var codec = new EventCodec(StreamKinds.Registry);
        var streams = new Dictionary<string, FollowedStream>(StringComparer.Ordinal);
        var at = Stopwatch.GetTimestamp();
        await foreach (var page in HistoryPages.Of(store, cancellationToken))
        {
            foreach (var stored in fold ? page : [])
            {
                if (!streams.TryGetValue(stored.Stream, out var stream))
                {
                    if (StreamKinds.Find(stored.Stream) is not { } kind)
                        continue;
                    streams[stored.Stream] = stream = kind.Follow(stored.Stream);
                }
                stream.Add(stored, codec.Decode(stored));
            }
        }
        return Stopwatch.GetElapsedTime(at).TotalSeconds;
    }

    private static async Task<double> MegabytesAsync(SqliteEventStore store, CancellationToken cancellationToken)
    {
        var bytes = 0L;
        await foreach (var page in HistoryPages.Of(store, cancellationToken))
            bytes += page.Sum(e => (long)e.Data.Length);
        return bytes / 1e6;
    }
}
