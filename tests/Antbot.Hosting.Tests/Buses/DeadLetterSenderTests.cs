using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
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

        await sender.SendAsync(Routes.Execution, first.Properties, first.Body, "letter/1", Cancel);
        var second = await TakeAsync();
        Assert.Equal((first.Properties.MessageId, "letter/1"), (second.Properties.MessageId, Header(second, DeadLetterHeaders.Replay)));
        Assert.Equal(first.Body.ToArray(), second.Body.ToArray());
        Assert.Equal(Living(first), Living(second));

        _mended = true;
        await sender.SendAsync(Routes.Execution, second.Properties, second.Body, "letter/2", Cancel);
        await bus.UntilAsync(() => _handled.Contains(id), "it is handled");
    }

    [Fact]
    public async Task Where_there_is_no_queue_for_it_it_is_not_said_to_be_sent()
    {
        var parts = Parts();
        parts.Options.Address = Host.Uri.ToString();
        await using var bus = await TestBus.StartAsync(parts);
        await using var sender = new DeadLetterSender(parts.Options, bus.Runner);
        var properties = new MessageProperties(null, null, null, null, null, null, null, null, null, null, null, null, null, []);
        await sender.SendAsync(Routes.Risk, properties, new byte[] { 1 }, "letter/1", Cancel);
        await Raw.DeleteAsync(Topology.QueueOf(Routes.Risk));
        await Assert.ThrowsAsync<BusUnavailableException>(() => sender.SendAsync(Routes.Risk, properties, new byte[] { 1 }, "letter/1", Cancel));
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
        await sender.SendAsync(Routes.Execution, letters.Kept.First().Properties, letters.Kept.First().Body, "letter/1", Cancel);
        await bus.UntilAsync(() => letters.Kept.Count == 2, "it is dead again");
        Assert.Equal((id.ToString("D"), "letter/1"), (letters.Kept.Last().Properties.MessageId, Header(letters.Kept.Last(), DeadLetterHeaders.Replay)));
        _mended = true;
        await sender.SendAsync(Routes.Execution, letters.Kept.Last().Properties, letters.Kept.Last().Body, "letter/2", Cancel);
        await bus.UntilAsync(() => _handled.Contains(id), "it is handled");
        await Assert.ThrowsAnyAsync<JsonException>(() => sender.SendAsync(Routes.Execution, letters.Kept.First().Properties, "no JSON"u8.ToArray(), "letter/3", Cancel));
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
