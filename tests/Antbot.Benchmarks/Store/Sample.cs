using System.Text;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Store;

/// <summary>What an order's event looks like; the same for every contender.</summary>
internal static class Sample
{
    public const string Type = "order_placed";
    public const string ClrType = "Antbot.Execution.OrderPlaced, Antbot.Execution.Core";
    public const string Trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    public static readonly byte[] Body = Encoding.UTF8.GetBytes(
        """{"Attempt":1,"ClientOrderId":"ab-000123-1","OrderId":"ord-000123","Price":64250.10,"Quantity":0.12500000,"Reason":"ema cross above, rsi 41.3","Side":1,"Symbol":"BTCUSDT","VenueTime":"2026-11-21T09:00:00.123456Z"}""");

    public static readonly byte[] Headers = Encoding.UTF8.GetBytes($$"""{"trace_id":"{{Trace}}"}""");

    private static readonly NewEvent[] One = [new(Type, ClrType, Body)];
    private static readonly NewEvent[] Ten = [.. Enumerable.Repeat(One[0], 10)];

    public static AppendRequest Append(int events)
    {
        var id = Guid.NewGuid();
        var text = id.ToString("N");
        return new AppendRequest
        {
            Stream = new StreamId("order-" + text),
            Expected = ExpectedVersion.None,
            Decision = new Decision(id, "execution"),
            Events = events == 1 ? One : Ten,
            At = DateTimeOffset.UtcNow,
            Meta = new EventMeta(text, text, "execution", Trace),
        };
    }
}
