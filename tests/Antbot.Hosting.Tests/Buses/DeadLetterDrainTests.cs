using System.Collections.Concurrent;
using System.Security.Cryptography;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Microsoft.Extensions.Logging.Abstractions;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>What lies among the dead letters is handed over whole, and leaves its queue when it is kept and not before.</summary>
public sealed class DeadLetterDrainTests(RabbitFixture fixture) : OnABroker(fixture)
{
    private static readonly string Errors = Topology.ErrorQueueOf(Routes.Risk);

    private readonly Keeper _keeper = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_queue_of_dead_letters_is_taken_and_each_letter_says_where_it_lay_and_where_it_was_going()
    {
        await using var drain = await StartAsync();
        foreach (var endpoint in Routes.Endpoints)
        {
            await Raw.PublishAsync(Topology.ErrorQueueOf(endpoint), RandomNumberGenerator.GetBytes(20));
            await Raw.PublishAsync(Topology.SkippedQueueOf(endpoint), RandomNumberGenerator.GetBytes(20));
        }
        await Raw.PublishAsync(Topology.DeadLetters, RandomNumberGenerator.GetBytes(20));
        var kept = await _keeper.TakeAsync(2 * Routes.Endpoints.Count + 1);
        Assert.Equal(
            Routes.Endpoints.SelectMany(e => new[] { (Topology.ErrorQueueOf(e), e, DeadLetterKind.Fault), (Topology.SkippedQueueOf(e), e, DeadLetterKind.Skipped) }).Append((Topology.DeadLetters, "", DeadLetterKind.Broker)).Order(),
            kept.Select(k => (k.Queue, k.Endpoint, k.Kind)).Order());
        await EmptyAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5 * 1024 * 1024)]
    public async Task A_body_of_any_size_comes_byte_for_byte(int size)
    {
        var body = RandomNumberGenerator.GetBytes(size);
        await using var drain = await StartAsync();
        await Raw.PublishAsync(Errors, body);
        Assert.Equal(body, (await _keeper.TakeAsync(1))[0].Body.ToArray());
    }

    [Fact]
    public async Task Headers_keep_their_types_however_strange_they_are()
    {
        await using var drain = await StartAsync();
        var deep = new Dictionary<string, object?> { ["end"] = 1 };
        for (var i = 0; i < 200; i++)
            deep = new Dictionary<string, object?> { ["in"] = deep };
        var headers = new Dictionary<string, object?>
        {
            ["text"] = "a\\b\0€",
            ["raw"] = new byte[] { 0xff, 0xfe },
            ["bytes"] = new BinaryTableValue([1, 2, 3]),
            ["flag"] = true,
            ["int"] = 7,
            ["long"] = long.MaxValue,
            ["short"] = (short)-3,
            ["byte"] = (byte)250,
            ["double"] = 0.1,
            ["decimal"] = 1.25m,
            ["time"] = new AmqpTimestamp(1_700_000_000),
            ["nothing"] = null,
            ["list"] = new List<object?> { 1, "two", new Dictionary<string, object?> { ["three"] = 3L } },
            ["a\0name"] = "x",
            ["deep"] = deep,
        };
        var properties = new BasicProperties
        {
            MessageId = "no guid \0 at all", CorrelationId = "", ContentType = "x/y", Type = "t", ReplyTo = "r", AppId = "a", ContentEncoding = "e", Priority = 3, DeliveryMode = DeliveryModes.Persistent, Timestamp = new AmqpTimestamp(-5), Headers = headers,
        };
        await Raw.PublishAsync(Errors, [1], properties);
        var kept = (await _keeper.TakeAsync(1))[0].Properties;
        Assert.Equal(("no guid \\0 at all", "", "x/y", "t", "r", "a", "e", 3, 2, -5L), (kept.MessageId, kept.CorrelationId, kept.ContentType, kept.Type, kept.ReplyTo, kept.AppId, kept.ContentEncoding, kept.Priority, kept.DeliveryMode, kept.Timestamp));
        Assert.Equal((null, null, null), (kept.Expiration, kept.UserId, kept.ClusterId));
        // The client that published it counts in a header of its own.
        var lines = kept.Headers.Where(h => h.Name != "x-dotnet-pub-seq-no").ToList();
        Assert.Equal(
            [
                new(0, "text", HeaderKind.Text, "a\\\\b\\0€"), new(0, "raw", HeaderKind.RawText, "//4="), new(0, "bytes", HeaderKind.Bytes, "AQID"), new(0, "flag", HeaderKind.Boolean, "true"), new(0, "int", HeaderKind.Int32, "7"),
                new(0, "long", HeaderKind.Int64, "9223372036854775807"), new(0, "short", HeaderKind.Int16, "-3"), new(0, "byte", HeaderKind.UInt8, "250"), new(0, "double", HeaderKind.Double, "0.1"), new(0, "decimal", HeaderKind.Decimal, "1.25"),
                new(0, "time", HeaderKind.Timestamp, "1700000000"), new(0, "nothing", HeaderKind.Nothing, ""), new(0, "list", HeaderKind.List, ""), new(1, "", HeaderKind.Int32, "1"), new(1, "", HeaderKind.Text, "two"),
                new(1, "", HeaderKind.Table, ""), new(2, "three", HeaderKind.Int64, "3"), new(0, "a\\0name", HeaderKind.Text, "x"), new(0, "deep", HeaderKind.Table, ""),
            ],
            lines.Take(19));
        Assert.Equal(Enumerable.Range(1, 200).Select(d => new MessageHeader(d, "in", HeaderKind.Table, "")).Append(new(201, "end", HeaderKind.Int32, "1")), lines.Skip(19));
    }

    [Fact]
    public async Task While_it_cannot_be_kept_it_stays_in_its_queue_and_is_tried_again()
    {
        _keeper.Down = true;
        await using var drain = await StartAsync();
        for (var i = 0; i < 30; i++)
            await Raw.PublishAsync(Errors, BitConverter.GetBytes(i));
        await _keeper.UntilAsync(() => _keeper.Asked > 20, "it is tried again and again");
        Assert.Empty(_keeper.Kept);
        // Whoever looks now as its successor would finds all of them.
        await drain.DisposeAsync();
        await _keeper.UntilAsync(() => Raw.CountAsync(Errors).GetAwaiter().GetResult() == 30, "all are back");
        _keeper.Down = false;
        await using var successor = await StartAsync();
        Assert.Equal(Enumerable.Range(0, 30), (await _keeper.TakeAsync(30)).Select(k => BitConverter.ToInt32(k.Body.Span)).Order());
        await EmptyAsync();
    }

    /// <summary>However many the broker has sent ahead: so many bytes are worked on at once, and what is larger than that goes alone.</summary>
    [Fact]
    public async Task Large_bodies_are_kept_a_few_at_a_time()
    {
        const int Bodies = 8;
        _keeper.Gate = new TaskCompletionSource();
        await using var drain = await StartAsync();
        for (var i = 0; i < Bodies; i++)
            await Raw.PublishAsync(Errors, new byte[DeadLetterDrain.BytesMax / 4]);
        await _keeper.UntilAsync(() => _keeper.Asked == 4, "as many as there is room for are begun");
        await Task.Delay(500, Cancel);
        Assert.Equal(4, _keeper.Asked);
        _keeper.Gate.SetResult();
        await _keeper.TakeAsync(Bodies);
        await Raw.PublishAsync(Errors, new byte[DeadLetterDrain.BytesMax + 1]);
        await _keeper.TakeAsync(Bodies + 1);
    }

    /// <summary>Given back too often while nothing could be recorded, the broker moves it on; where it died first is told all the same.</summary>
    [Fact]
    public async Task A_letter_that_dies_among_the_dead_letters_is_still_that_letter()
    {
        await using (await StartAsync())
        {
            // The topology is there.
        }
        await Raw.PublishAsync(Errors, [1, 2, 3]);
        for (var i = 0; i <= Topology.DeliveryLimit; i++)
        {
            await using var connection = await RawBroker.ConnectAsync(Host.Uri);
            await connection.TakeAndBreakAsync(Errors);
        }
        await using var drain = await StartAsync();
        var kept = (await _keeper.TakeAsync(1))[0];
        Assert.Equal((Errors, Routes.Risk, DeadLetterKind.Fault), (kept.Queue, kept.Endpoint, kept.Kind));
        Assert.Contains(kept.Properties.Headers, h => h is { Depth: 2, Name: "reason", Value: "delivery_limit" });
    }

    [Fact]
    public async Task A_queue_that_is_deleted_under_it_ends_it_so_that_it_is_begun_anew()
    {
        await using var drain = await StartAsync();
        await Raw.DeleteAsync(Errors);
        await Assert.ThrowsAsync<BusUnavailableException>(() => drain.Run);
        await using var next = await StartAsync();
        await Raw.PublishAsync(Errors, [1]);
        await _keeper.TakeAsync(1);
    }

    private async Task<Draining> StartAsync()
    {
        var draining = new Draining(new DeadLetterDrain(new BusOptions { Address = Host.Uri.ToString() }, _keeper, NoCrashPoints.Instance, TimeProvider.System, NullLogger<DeadLetterDrain>.Instance));
        await _keeper.UntilAsync(() => draining.Run.IsCompleted || HasConsumers(), "it takes letters");
        return draining;
    }

    private bool HasConsumers()
    {
        try
        {
            return new[] { Errors, Topology.DeadLetters }.All(q => Raw.CountConsumersAsync(q).GetAwaiter().GetResult() > 0);
        }
        catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
        {
            return false;
        }
    }

    private async Task EmptyAsync()
    {
        foreach (var queue in Routes.Endpoints.SelectMany(e => new[] { Topology.ErrorQueueOf(e), Topology.SkippedQueueOf(e) }).Append(Topology.DeadLetters))
            await _keeper.UntilAsync(() => Raw.CountAsync(queue).GetAwaiter().GetResult() == 0, $"{queue} is empty");
    }

    private sealed class Draining : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();

        public Draining(DeadLetterDrain drain) => Run = Task.Run(() => drain.RunAsync(_stop.Token), CancellationToken.None);

        public Task Run { get; }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await Run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private sealed class Keeper : IDeadLetters
    {
        private int _asked;

        public bool Down { get; set; }

        public int Asked => Volatile.Read(ref _asked);

        public ConcurrentQueue<DeadMessage> Kept { get; } = new();

        public TaskCompletionSource? Gate { get; set; }

        public async Task KeepAsync(DeadMessage message, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _asked);
            await (Gate?.Task ?? Task.CompletedTask).WaitAsync(cancellationToken);
            if (Down)
                throw new InvalidOperationException("The store is down.");
            Kept.Enqueue(message);
        }

        public async Task<List<DeadMessage>> TakeAsync(int count)
        {
            await UntilAsync(() => Kept.Count >= count, $"{count} are kept");
            Assert.Equal(count, Kept.Count);
            return [.. Kept];
        }

        public async Task UntilAsync(Func<bool> holds, string what)
        {
            for (var i = 0; !holds(); i++)
            {
                Assert.True(i < 1_500, $"Not within 30 s: {what}");
                await Task.Delay(20, Cancel);
            }
        }
    }
}
