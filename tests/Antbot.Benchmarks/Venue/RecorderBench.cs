using System.Diagnostics;
using System.Text;
using Antbot.Venues.Recording;
using Microsoft.Extensions.Logging.Abstractions;

namespace Antbot.Benchmarks.Venue;

/// <summary>What the recording of an order's request and answer costs: the order's own path, and all that it takes beside it.</summary>
internal static class RecorderBench
{
    private const int Orders = 20_000;
    private const int Batch = 500;

    /// <summary>Of the order's own time, which is hundreds.</summary>
    private const double PathMicrosecondsMax = 50;

    private static readonly string Secret = new('s', 64);

    private static readonly byte[] Answer = Encoding.UTF8.GetBytes(
        $$"""{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"e0-0123456789abcdef0123456789abcdef","transactTime":1507725176595,"price":"0.00000000","origQty":"10.00000000","executedQty":"10.00000000","cummulativeQuoteQty":"10.00000000","status":"FILLED","timeInForce":"GTC","type":"MARKET","side":"SELL","fills":[{{string.Join(',', Enumerable.Repeat("""{"price":"4000.00000000","qty":"1.00000000","commission":"4.00000000","commissionAsset":"USDT","tradeId":56}""", 5))}}]}""");

    /// <param name="order">What an order takes by itself, through HTTP with one caller.</param>
    public static void Run(BenchSection report, TimeSpan order)
    {
        var folder = Directory.CreateTempSubdirectory("antbot-bench-");
        try
        {
            using var recorder = new TrafficRecorder(
                new RecordingOptions { Folder = folder.FullName, FreeMegabytes = 0 }, new RecordingFile(default, "bench", "bench", "00000000", 0), "bench", [Secret, $"k{Secret}"], TimeProvider.System, NullLogger.Instance);
            Measure(recorder);
            var (path, whole) = Measure(recorder);
            report.Within("an order's request and answer recorded: what its path pays (limit: the order itself)", path, "us", PathMicrosecondsMax, limit: order.TotalMicroseconds);
            report.Show("the same with packing and writing, which nobody waits for (limit: the order itself)", whole, "us", peer: path, limit: order.TotalMicroseconds);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>In microseconds for one.</summary>
    private static (double Path, double Whole) Measure(TrafficRecorder recorder)
    {
        var (path, began) = (TimeSpan.Zero, Stopwatch.GetTimestamp());
        for (var done = 0; done < Orders; done += Batch)
        {
            var from = Stopwatch.GetTimestamp();
            for (var i = 0; i < Batch; i++)
            {
                var exchange = recorder.Begin("entry", HttpMethod.Post, "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=MARKET&quantity=10&newClientOrderId=e0-0123456789abcdef0123456789abcdef&newOrderRespType=FULL&recvWindow=5000&timestamp=1507725176595", "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71")!;
                exchange.Answered(200, Answer);
                exchange.Ended("said");
            }
            path += Stopwatch.GetElapsedTime(from);
            if (!recorder.Flush())
                throw new InvalidOperationException(recorder.Trouble);
        }
        return (path.TotalMicroseconds / Orders, Stopwatch.GetElapsedTime(began).TotalMicroseconds / Orders);
    }
}
