using System.Text;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Contract;

/// <summary>Test data that says only what a test cares about.</summary>
public static class Some
{
    public static readonly DateTimeOffset Time = new(2026, 11, 21, 9, 30, 15, 123, 456, TimeSpan.Zero);

    public static StreamId Stream(string prefix = "order") => new($"{prefix}-{Guid.NewGuid():N}");

    public static Decision Decision(string consumer = "test") => new(Guid.NewGuid(), consumer);

    public static NewEvent Event(string body = """{"Price":1.5}""", string type = "order_placed") =>
        new(type, "Antbot.Tests.OrderPlaced, Antbot.Tests", Encoding.UTF8.GetBytes(body));

    public static NewEvent[] Events(int count) => [.. Enumerable.Range(1, count).Select(i => Event($$"""{"N":{{i}}}"""))];

    /// <summary>Bodies just below a million bytes, each another one; four of them fit into an append.</summary>
    public static NewEvent[] LargeEvents(int count) => [.. Enumerable.Range(1, count).Select(i => Event($$"""{"N":{{i}},"Text":"{{new string((char)('a' + i % 26), 999_900)}}"}"""))];

    public static AppendRequest Append(StreamId stream, params NewEvent[] events) => new()
    {
        Stream = stream,
        Expected = ExpectedVersion.Any,
        Decision = Decision(),
        Events = events.Length == 0 ? [Event()] : events,
        At = Time,
    };
}
