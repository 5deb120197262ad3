using System.Collections.Concurrent;
using System.Text;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Microsoft.Extensions.DependencyInjection;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>What is sent once more is what it was, under the id that it had; and should it die again, it says which letter it is.</summary>
public sealed class DeadLetterSenderTests(RabbitFixture fixture) : OnABroker(fixture)
{
    private readonly ConcurrentQueue<Guid> _handled = new();
    private volatile bool _mended;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_dies_and_is_sent_and_dies_again_and_is_sent_and_handled_under_its_own_id()
    {
        var parts = Parts();
        parts.Options.Address = Host.Uri.ToString();
        await using var bus = await TestBus.StartAsync(parts);
        await using var sender = new DeadLetterSender(parts.Options, bus.Runner);
        var id = Guid.NewGuid();
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close(), id, trace: "0123456789abcdef0123456789abcdef");
        var first = await TakeAsync();
        Assert.Equal(id.ToString("D"), first.Properties.MessageId);

        await sender.SendAsync(Routes.Execution, first.Properties, first.Body, "letter/1", alone: false, Cancel);
        var second = await TakeAsync();
        Assert.Equal((first.Properties.MessageId, "letter/1"), (second.Properties.MessageId, Header(second, DeadLetterHeaders.Replay)));
        Assert.Equal(first.Body.ToArray(), second.Body.ToArray());
        Assert.Equal(Living(first), Living(second));

        // What is too long to be moved along is left out, and which letter it is is not.
        var lengthy = first.Properties with { Headers = [.. first.Properties.Headers, new(0, "long", HeaderKind.Text, new string('x', 20_000))] };
        await sender.SendAsync(Routes.Execution, lengthy, first.Body, "letter/1", alone: false, Cancel);
        var third = await TakeAsync();
        Assert.Equal(("letter/1", null), (Header(third, DeadLetterHeaders.Replay), Header(third, "long")));

        _mended = true;
        await sender.SendAsync(Routes.Execution, second.Properties, second.Body, "letter/2", alone: false, Cancel);
        await bus.UntilAsync(() => _handled.Contains(id), "it is handled");
    }

    [Fact]
    public async Task Where_there_is_no_queue_for_it_it_is_not_said_to_be_sent()
    {
        var parts = Parts();
        parts.Options.Address = Host.Uri.ToString();
        await using var bus = await TestBus.StartAsync(parts);
        await using var sender = new DeadLetterSender(parts.Options, bus.Runner);
        var properties = Nothing;
        await sender.SendAsync(Routes.Risk, properties, new byte[] { 1 }, "letter/1", alone: false, Cancel);
        await Raw.DeleteAsync(Topology.QueueOf(Routes.Risk));
        await Assert.ThrowsAsync<BusUnavailableException>(() => sender.SendAsync(Routes.Risk, properties, new byte[] { 1 }, "letter/1", alone: false, Cancel));
        // The broker takes messages all the same; and the queue is declared anew.
        Assert.True(await sender.TakesOthersAsync(Cancel));
        await sender.SendAsync(Routes.Risk, properties, new byte[] { 1 }, "letter/1", alone: false, Cancel);

        // One that no frame holds ends the connection, and the next one goes.
        var wide = properties with { Headers = [new(0, "wide", HeaderKind.Text, new string('x', 200_000))] };
        await Assert.ThrowsAsync<BusUnavailableException>(() => sender.SendAsync(Routes.Risk, wide, new byte[] { 1 }, "letter/1", alone: false, Cancel));
        Assert.True(await sender.TakesOthersAsync(Cancel));
        await sender.SendAsync(Routes.Risk, properties, new byte[] { 1 }, "letter/1", alone: false, Cancel);
    }

    [Fact]
    public async Task Without_a_broker_none_is_to_blame()
    {
        var parts = Parts();
        parts.Options.Address = Host.Uri.ToString();
        await using var bus = await TestBus.StartAsync(parts);
        await using var sender = new DeadLetterSender(new BusOptions { Address = "amqp://127.0.0.1:1/", PublishWithin = TimeSpan.FromSeconds(2) }, bus.Runner);
        await Assert.ThrowsAsync<BusUnavailableException>(() => sender.SendAsync(Routes.Risk, Nothing, new byte[] { 1 }, "letter/1", alone: false, Cancel));
        Assert.False(await sender.TakesOthersAsync(Cancel));
    }

    /// <summary>It goes as it came: what was not there is not there.</summary>
    [Fact]
    public void Properties_are_those_that_it_had_and_no_others()
    {
        var none = DeadLetterSender.PropertiesOf(Nothing, []);
        Assert.False(none.IsMessageIdPresent() || none.IsCorrelationIdPresent() || none.IsContentTypePresent() || none.IsContentEncodingPresent() || none.IsTypePresent() || none.IsReplyToPresent() || none.IsAppIdPresent()
            || none.IsPriorityPresent() || none.IsTimestampPresent() || none.IsExpirationPresent() || none.IsUserIdPresent() || none.IsClusterIdPresent());
        var all = DeadLetterSender.PropertiesOf(Nothing with { MessageId = "m\\0", CorrelationId = "", ContentType = "c", ContentEncoding = "e", Type = "t", ReplyTo = "r", AppId = "a", Priority = 3, Timestamp = -5 }, []);
        Assert.True(all.IsCorrelationIdPresent());
        Assert.Equal(("m\0", "", "c", "e", "t", "r", "a", 3, -5L, true), (all.MessageId, all.CorrelationId, all.ContentType, all.ContentEncoding, all.Type, all.ReplyTo, all.AppId, all.Priority, all.Timestamp.UnixTime, all.Persistent));
    }

    [Fact]
    public async Task Within_one_process_it_goes_as_the_message_that_it_is()
    {
        var letters = new MemoryBusTests.Letters();
        var parts = Parts();
        parts.Services.AddSingleton<IDeadLetters>(letters);
        await using var bus = await TestBus.StartAsync(parts);
        await using var sender = new DeadLetterSender(parts.Options, bus.Runner);
        var id = Guid.NewGuid();
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close(), id);
        await bus.UntilAsync(() => letters.Kept.Count == 1, "it is dead");
        await sender.SendAsync(Routes.Execution, letters.Kept.First().Properties, letters.Kept.First().Body, "letter/1", alone: false, Cancel);
        await bus.UntilAsync(() => letters.Kept.Count == 2, "it is dead again");
        Assert.Equal((id.ToString("D"), "letter/1"), (letters.Kept.Last().Properties.MessageId, Header(letters.Kept.Last(), DeadLetterHeaders.Replay)));
        _mended = true;
        await sender.SendAsync(Routes.Execution, letters.Kept.Last().Properties, letters.Kept.Last().Body, "letter/2", alone: false, Cancel);
        await bus.UntilAsync(() => _handled.Contains(id), "it is handled");
        await Assert.ThrowsAsync<UnsendableLetterException>(() => sender.SendAsync(Routes.Execution, letters.Kept.First().Properties, "no JSON"u8.ToArray(), "letter/3", alone: false, Cancel));
    }

    [Fact]
    public void Headers_that_were_written_down_are_what_they_were()
    {
        var headers = new Dictionary<string, object?>
        {
            ["text"] = Encoding.UTF8.GetBytes("a\\b\0€"), ["raw"] = new byte[] { 0xff }, ["flag"] = false, ["s"] = (short)-3, ["i"] = 7, ["l"] = long.MinValue, ["d"] = 0.1, ["f"] = 0.1f, ["m"] = 1.25m, ["t"] = new AmqpTimestamp(5), ["n"] = null,
            ["b"] = (byte)9, ["sb"] = (sbyte)-9, ["us"] = (ushort)9, ["ui"] = 9u, ["a\0"] = new List<object?> { 1, new List<object?> { 2 }, new Dictionary<string, object?> { ["x"] = new Dictionary<string, object?>() }, 3 }, ["after"] = true,
        };
        var lines = HeaderLines.From(headers);
        var again = HeaderLines.To(lines);
        Assert.Equal(lines, HeaderLines.From(again));
        Assert.Equal(headers.Where(h => h.Value is not System.Collections.ICollection).Select(h => h.Value), again.Where(h => h.Value is not System.Collections.ICollection).Select(h => h.Value));
        Assert.Equal(headers.Keys, again.Keys);
    }

    private static MessageProperties Nothing { get; } = new(null, null, null, null, null, null, null, null, null, null, null, null, null, []);

    private static string? Header(DeadMessage message, string name) => message.Properties.Headers.SingleOrDefault(h => h.Depth == 0 && h.Name == name)?.Value;

    private static List<MessageHeader> Living(DeadMessage message) => [.. HeaderLines.OfTheLiving(message.Properties.Headers).Where(h => h.Name != "x-dotnet-pub-seq-no").OrderBy(h => h.Name, StringComparer.Ordinal)];

    private async Task<DeadMessage> TakeAsync()
    {
        await using var connection = await new ConnectionFactory { Uri = Host.Uri }.CreateConnectionAsync(Cancel);
        await using var channel = await connection.CreateChannelAsync(cancellationToken: Cancel);
        var queue = Topology.ErrorQueueOf(Routes.Execution);
        while (true)
        {
            if (await channel.BasicGetAsync(queue, autoAck: true, Cancel) is { } message)
                return DeadLetterDrain.MessageOf(queue, message.BasicProperties, message.Body);
            await Task.Delay(50, Cancel);
        }
    }

    private TestBusParts Parts() => new TestBusParts { Options = { RetryAfter = [] } }.Handle<CloseTrade>(Routes.Execution, (_, input, _) =>
    {
        if (!_mended)
            throw new InvalidOperationException("Not mended yet.");
        _handled.Enqueue(input.Id);
        return Task.CompletedTask;
    });
}
