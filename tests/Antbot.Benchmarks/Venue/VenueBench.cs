using System.Buffers;
using System.Diagnostics;
using Antbot.PaperVenue;
using Antbot.PaperVenue.Journal;

namespace Antbot.Benchmarks.Venue;

/// <summary>The paper venue: matching in memory, with its journal, and through HTTP beside a server that parses and answers and does nothing else.</summary>
public static class VenueBench
{
    private const int Rounds = 3;
    private const int Orders = 300_000;
    private const int Resting = 2_000;
    private const int Callers = 64;
    private const int OrdersPerSecondFloor = 200_000;
    private const int HttpFloor = 3_000;

    public static async Task RunAsync(BenchSection report, TimeSpan round, CancellationToken cancellationToken)
    {
        if (OperatingSystem.IsLinux() || OperatingSystem.IsWindows())
            Process.GetCurrentProcess().ProcessorAffinity = 3;
        Console.WriteLine("The venue, client and server on the same two cores; every HTTP order is on disk before it is answered.");
        Match();
        var (memory, processor, journal) = (new List<double>(), new List<double>(), new List<double>());
        for (var i = 0; i < Rounds; i++)
        {
            var before = Process.GetCurrentProcess().TotalProcessorTime;
            memory.Add(Match());
            processor.Add((Process.GetCurrentProcess().TotalProcessorTime - before).TotalMicroseconds / Orders);
            journal.Add(await MatchIntoJournalAsync());
        }
        var matched = LoadResult.Middle(memory);
        report.AtLeast("orders matched in process (peer: and on disk)", matched, "orders/s", OrdersPerSecondFloor, peer: LoadResult.Middle(journal), ratio: matched);
        report.Show("processor time for an order matched in process (limit: one core, nothing else)", LoadResult.Middle(processor), "us", limit: 1_000_000 / matched);
        report.Show("orders matched and on disk, in process (peer: without the disk)", LoadResult.Middle(journal), "orders/s", peer: matched);
        await HttpAsync(report, round, cancellationToken);
    }

    /// <summary>Half of the orders rest, half of them take; all of it as records too, as a journal would have them.</summary>
    private static double Match()
    {
        var (exchange, account) = NewExchange();
        var bytes = new ArrayBufferWriter<byte>(1 << 24);
        var started = Stopwatch.GetTimestamp();
        for (var i = 0; i < Orders; i++)
        {
            Place(exchange, account, i);
            foreach (var e in exchange.Outbox.Journal)
                JournalCodec.Write(bytes, e);
            exchange.Outbox.Clear();
            if (bytes.WrittenCount > 1 << 23)
                bytes.ResetWrittenCount();
        }
        return Orders / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    private static async Task<double> MatchIntoJournalAsync()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-bench-");
        try
        {
            var (exchange, account) = NewExchange();
            using var journal = new JournalWriter(folder.FullName, 64 << 20, 0, _ => { });
            var started = Stopwatch.GetTimestamp();
            for (var i = 0; i < Orders; i++)
            {
                Place(exchange, account, i);
                journal.Add(exchange.Outbox.Journal);
                exchange.Outbox.Clear();
                // As many wait for one sync as do behind a busy server.
                if (i % 1_000 == 999)
                    await journal.Durable;
            }
            await journal.Durable;
            return Orders / Stopwatch.GetElapsedTime(started).TotalSeconds;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task HttpAsync(BenchSection report, TimeSpan round, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-bench-");
        try
        {
            await using var venue = await PaperVenueServer.StartAsync(
                new PaperVenueOptions
                {
                    Data = folder.FullName,
                    WeightPerMinute = int.MaxValue,
                    OrdersPerTenSeconds = int.MaxValue,
                    Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "1000000000" },
                },
                TimeProvider.System,
                cancellationToken: cancellationToken);
            await using var bare = await BareServer.StartAsync(cancellationToken);
            using var client = new OrderClient(venue.Address, venue.Key, Callers);
            using var bareClient = new OrderClient(bare.Address, venue.Key, Callers);
            await Load.RunAsync(Callers, round, _ => client.OrderAsync());
            await Load.RunAsync(Callers, round, _ => bareClient.OrderAsync());
            var (orders, limits, one, syncs) = (new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>(), new List<LoadResult>());
            for (var i = 0; i < Rounds; i++)
            {
                orders.Add(await Load.RunAsync(Callers, round, _ => client.OrderAsync()));
                limits.Add(await Load.RunAsync(Callers, round, _ => bareClient.OrderAsync()));
                one.Add(await Load.RunAsync(1, round, _ => client.OrderAsync()));
                syncs.Add(await SyncAsync(Path.Combine(folder.FullName, "bare"), round));
            }
            var (o, l, s) = (LoadResult.Median(orders), LoadResult.Median(limits), LoadResult.Median(one));
            report.AtLeast("orders through HTTP, 64 callers (limit: parsed, signature checked, answered, nothing done)", o.PerSecond, "orders/s", HttpFloor, peer: one[0].PerSecond, limit: l.PerSecond, ratio: o.PerSecond);
            report.Show("order through HTTP, 64 callers, p99", o.P99Milliseconds, "ms", limit: l.P99Milliseconds);
            report.Show("order through HTTP, 1 caller, p50 (limit: a page synced)", s.P50Milliseconds, "ms", limit: LoadResult.Median(syncs).P50Milliseconds);
            RecorderBench.Run(report, TimeSpan.FromMilliseconds(s.P50Milliseconds));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static (Exchange Exchange, Account Account) NewExchange()
    {
        var exchange = new Exchange(VenueRules.Default);
        var account = exchange.OpenAccount("bench", 0);
        exchange.Deposit(account, 0, Fixed8.Parse("1000000000"), 0);
        exchange.Deposit(account, 1, Fixed8.Parse("1000000"), 0);
        var instrument = VenueRules.Default.Instruments[0];
        for (var i = 0; i < Resting; i++)
        {
            exchange.Place(account, Order(instrument, Side.Sell, 6_600_000 + (i * 7), 100, $"s{i}"), 0);
            exchange.Place(account, Order(instrument, Side.Buy, 6_400_000 - (i * 7), 100, $"b{i}"), 0);
        }
        exchange.Outbox.Clear();
        return (exchange, account);
    }

    private static void Place(Exchange exchange, Account account, int i)
    {
        // Fifty sales rest at fifty prices, then fifty purchases take them, in other pieces; and again.
        var (turn, sells) = (i % 50, i % 100 < 50);
        var order = sells
            ? Order(VenueRules.Default.Instruments[0], Side.Sell, 6_500_000 + (turn * 37 % 50), 10 + turn, $"o{i}")
            : Order(VenueRules.Default.Instruments[0], Side.Buy, 6_500_100, 59 - turn, $"o{i}");
        var placed = exchange.Place(account, order, i);
        if (placed.Rejection is { } rejection)
            throw new InvalidOperationException(rejection.Message);
    }

    private static NewOrder Order(Instrument instrument, Side side, long ticks, int lots, string id) => new()
    {
        Instrument = instrument,
        Side = side,
        Type = OrderType.Limit,
        Price = new Fixed8(ticks * instrument.Tick.Units),
        Quantity = new Fixed8(lots * instrument.Lot.Units),
        ClientId = id,
    };

    private static async Task<LoadResult> SyncAsync(string file, TimeSpan time)
    {
        // Its space reserved, as a journal's is.
        using var handle = File.OpenHandle(file, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.None, 64 << 20);
        var (page, at) = (new byte[4_096], 0L);
        return await Load.RunAsync(1, time, _ =>
        {
            RandomAccess.Write(handle, page, at);
            RandomAccess.FlushToDisk(handle);
            at += page.Length;
            return Task.CompletedTask;
        });
    }
}
