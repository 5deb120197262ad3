using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Text;
using System.Text.Json;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>Messages that travel together are still each its own: none shares the fate of another.</summary>
public sealed class ParcelTests(RabbitFixture fixture) : OnABroker(fixture)
{
    private const int Count = 40;
    private const string Trace = "0af7651916cd43dd8448eb211c80319c";

    private readonly ConcurrentDictionary<Guid, int> _handled = new();
    private readonly ConcurrentDictionary<Guid, int> _attempts = new();

    [Fact]
    public async Task Many_to_one_endpoint_go_in_few_deliveries()
    {
        var (counted, deliveries) = (0L, 0L);
        using var listener = new MeterListener();
        listener.InstrumentPublished = (instrument, l) =>
        {
            if (instrument.Name is "antbot_messages_handled_total" or "antbot_deliveries_published_total")
                l.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, count, _, _) =>
        {
            if (instrument.Name == "antbot_messages_handled_total")
                Interlocked.Add(ref counted, count);
            else
                Interlocked.Add(ref deliveries, count);
        });
        listener.Start();
        await using var publisher = await TestBus.StartAsync(Parts());
        await PublishAsync(publisher, [.. Enumerable.Range(0, 200).Select(_ => Message("in time"))]);
        // 64 and 64 and 64 and 8. What other tests do meanwhile is counted too.
        Assert.Equal(4, await Raw.CountAsync(Topology.QueueOf(Routes.Execution)));
        Assert.True(Interlocked.Read(ref deliveries) >= 4);
        await using var bus = await TestBus.StartAsync(Taking());
        await bus.UntilAsync(() => _handled.Count == 200, "all are handled");
        await bus.UntilAsync(() => Interlocked.Read(ref counted) >= 200, "each is counted");
    }

    /// <summary>Their sender's trace is that of whichever came first.</summary>
    [Fact]
    public async Task Each_goes_on_in_its_own_trace()
    {
        var seen = new ConcurrentDictionary<Guid, string>();
        using var listener = new ActivityListener { ShouldListenTo = s => s.Name is "MassTransit" or "Antbot.Messaging", Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded };
        ActivitySource.AddActivityListener(listener);
        await using var bus = await TestBus.StartAsync(Parts().Handle<CloseTrade>(Routes.Execution, (_, input, _) =>
        {
            for (var activity = Activity.Current; activity is not null; activity = activity.Parent)
            {
                if (activity.Source.Name == "Antbot.Messaging")
                    seen[input.Id] = activity.TraceId.ToHexString();
            }
            return Task.CompletedTask;
        }));
        var messages = Enumerable.Range(0, Count).Select(_ => Message("in time") with { TraceId = ActivityTraceId.CreateRandom().ToHexString() }).ToList();
        await PublishAsync(bus, messages);
        await bus.UntilAsync(() => seen.Count == Count, "all are handled");
        Assert.All(messages, m => Assert.Equal(m.TraceId, seen[m.Id]));
    }

    [Fact]
    public async Task No_more_are_under_way_than_the_prefetch_however_they_came()
    {
        var parts = Parts();
        parts.Options.Prefetch = 10;
        parts.Handle<CloseTrade>(Routes.Execution, (_, input, _) =>
        {
            _attempts.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
            throw new BusUnavailableException("The broker is away.");
        });
        await using var bus = await TestBus.StartAsync(parts);
        await PublishAsync(bus, [.. Enumerable.Range(0, Count).Select(_ => Message("in time"))]);
        for (var i = 0; i < 9; i++)
            await PublishAsync(bus, [Message("in time")]);
        await bus.UntilAsync(() => _attempts.Values.Sum() >= 50, "they are tried again and again");
        Assert.Equal(10, _attempts.Count);
        Assert.Equal(10, bus.Runner.Status().Endpoints[0].Held);
    }

    /// <summary>The broker ends the channel of who keeps a delivery for too long; one after the other, its messages would.</summary>
    [Fact]
    public async Task One_that_is_given_back_takes_those_that_have_not_begun_with_it()
    {
        var parts = Parts();
        (parts.Options.Prefetch, parts.Options.HoldAtMost) = (1, TimeSpan.FromSeconds(1));
        parts.Handle<CloseTrade>(Routes.Execution, (_, _, _) => throw new BusUnavailableException("The broker is away."));
        await using (var publisher = await TestBus.StartAsync(Parts()))
            await PublishAsync(publisher, [.. Enumerable.Range(0, Parcel.MessagesMax).Select(_ => Message("in time"))]);
        await using var bus = await TestBus.StartAsync(parts);
        // Three deliveries of a second, and it is opened; if each of the 64 had its second, the first delivery would take a minute.
        await bus.UntilAsync(() => Raw.CountAsync(Topology.QueueOf(Routes.Execution)).GetAwaiter().GetResult() > Parcel.MessagesMax / 2, "the parcel came back and was opened");
    }

    [Fact]
    public async Task Large_ones_go_in_parcels_that_may_be_taken()
    {
        await using var publisher = await TestBus.StartAsync(Parts());
        await PublishAsync(publisher, [.. Enumerable.Range(0, 30).Select(i => Message(new string('x', 150_000 + i)))]);
        var parcels = await Raw.TakeAllAsync(Topology.QueueOf(Routes.Execution));
        Assert.Equal(30, parcels.Count);
        Assert.All(parcels, p => Assert.True(p.Body.Length < 300_000));
    }

    [Fact]
    public async Task One_that_fails_is_dead_lettered_alone_and_whole_and_can_be_put_back()
    {
        await using var bus = await TestBus.StartAsync(Taking());
        var poison = Message("always throws");
        await PublishAsync(bus, [.. Enumerable.Range(0, Count).Select(_ => Message("in time")), poison]);
        await bus.UntilAsync(() => _handled.Count == Count, "the others are handled");
        var dead = Assert.Single(await Raw.TakeAsync(Topology.ErrorQueueOf(Routes.Execution), 1));
        Assert.Equal("always throws", dead.Headers["MT-Fault-Message"]);
        Assert.Equal(poison.Id.ToString("D"), dead.MessageId);
        Assert.Equal(5, _attempts[poison.Id]);
        Assert.All(_handled, h => Assert.Equal(1, h.Value));

        // What was dead-lettered is a message like any other.
        var body = JsonDocument.Parse(dead.Body).RootElement;
        Assert.Equal(((CloseTrade)poison.Body).Trade.Value, body.GetProperty("message").GetProperty("trade").GetString());
        Assert.Equal(Trace, body.GetProperty("headers").GetProperty(MessageHeaders.TraceId).GetString());
        await Raw.PublishAsync(Topology.QueueOf(Routes.Execution), Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(dead.Body).Replace("always throws", "in time", StringComparison.Ordinal)));
        await bus.UntilAsync(() => _handled.ContainsKey(poison.Id), "it is handled after all");
        await EmptyAsync(bus);
    }

    [Fact]
    public async Task A_dependency_that_is_down_holds_each_and_dead_letters_none()
    {
        var down = true;
        await using var bus = await TestBus.StartAsync(Parts().Handle<CloseTrade>(Routes.Execution, (_, input, _) =>
        {
            if (Volatile.Read(ref down))
                throw new BusUnavailableException("The broker is away.");
            _handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
            return Task.CompletedTask;
        }));
        await PublishAsync(bus, [.. Enumerable.Range(0, Count).Select(_ => Message("in time"))]);
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].Held == Count, "each is held");
        Volatile.Write(ref down, false);
        await bus.UntilAsync(() => _handled.Count == Count, "all are handled");
        Assert.All(_handled, h => Assert.Equal(1, h.Value));
        await EmptyAsync(bus);
    }

    /// <summary>One that ends every process would take the 63 beside it with it when the broker gives up on the parcel.</summary>
    [Fact]
    public async Task What_goes_on_coming_back_is_opened_and_each_goes_on_alone()
    {
        var messages = Enumerable.Range(0, Count).Select(_ => Message("in time")).Append(Message("never ends")).ToList();
        await using (var publisher = await TestBus.StartAsync(Parts()))
            await PublishAsync(publisher, messages);
        Assert.Equal(1, await Raw.CountAsync(Topology.QueueOf(Routes.Execution)));
        for (var i = 0; i < 3; i++)
        {
            await using var connection = await RawBroker.ConnectAsync(Host.Uri);
            await connection.TakeAndBreakAsync(Topology.QueueOf(Routes.Execution));
        }

        await using (var bus = await TestBus.StartAsync(Taking()))
        {
            await bus.UntilAsync(() => _handled.Count == Count, "the others are handled");
            await bus.UntilAsync(() => _attempts.ContainsKey(messages[^1].Id), "the last one is under way");
        }
        // The process is gone; the broker has it again, and nothing else.
        var left = Assert.Single(await Raw.TakeAsync(Topology.QueueOf(Routes.Execution), 1));
        Assert.Equal(messages[^1].Id.ToString("D"), left.MessageId);
        Assert.Equal(0, await Raw.CountAsync(Topology.DeadLetters));
    }

    [Fact]
    public async Task What_is_wrong_with_a_parcel_is_told_and_what_is_right_in_it_is_handled()
    {
        await using var bus = await TestBus.StartAsync(Taking());
        var good = Guid.NewGuid();
        var fine = $$"""{"trade":"{{Guid.NewGuid():N}}","account":"main","reason":"in time"}""";
        foreach (var messages in new[] { "5", "null", "[null]", "[5]", "[{}]", $"[{Entry(Guid.NewGuid(), fine).Replace("\"type\"", "\"tipe\"", StringComparison.Ordinal)}]", $"[{Entry(Guid.NewGuid(), fine)},null]", $"[{string.Join(',', Enumerable.Repeat(Entry(Guid.NewGuid(), fine), Parcel.MessagesTaken + 1))}]" })
            await RawAsync(messages);
        var broken = (await Raw.TakeAsync(Topology.ErrorQueueOf(Routes.Execution), 8)).Select(m => m.Headers["MT-Fault-Message"]).ToList();
        Assert.All(broken, Assert.NotEmpty);
        Assert.Contains("Message 1 of the parcel is null.", broken);
        Assert.Contains("Message 2 of the parcel is null.", broken);
        Assert.Contains(broken, b => b.Contains("1,000 are the limit", StringComparison.Ordinal));
        Assert.Empty(_attempts);

        var nested = Entry(Guid.NewGuid(), """{"messages":[]}""", "urn:message:Antbot.Messaging:Parcel");
        var strange = Entry(Guid.NewGuid(), "{}", "no urn at all");
        await RawAsync("[]");
        await RawAsync($"[{Entry(Guid.NewGuid(), "null")},{Entry(Guid.NewGuid(), "5")},{Entry(Guid.NewGuid(), "{}")},{nested},{strange},{Entry(good, fine)}]");
        await bus.UntilAsync(() => _handled.ContainsKey(good), "what is right is handled");
        Assert.Equal(3, (await Raw.TakeAsync(Topology.ErrorQueueOf(Routes.Execution), 3)).Count);
        Assert.Equal(2, (await Raw.TakeAsync(Topology.SkippedQueueOf(Routes.Execution), 2)).Count);
        Assert.Equal([good], _attempts.Keys);
        await EmptyAsync(bus);
    }

    private static string Entry(Guid id, string body, string type = "urn:message:Antbot.Contracts.Messages:CloseTrade") =>
        $$"""{"id":"{{id}}","type":"{{type}}","correlationId":null,"traceId":null,"body":{{body}}}""";

    private Task RawAsync(string messages) => Raw.PublishAsync(
        Topology.QueueOf(Routes.Execution),
        Encoding.UTF8.GetBytes($$$"""{"messageId":"{{{Guid.NewGuid()}}}","messageType":["urn:message:Antbot.Messaging:Parcel"],"message":{"messages":{{{messages}}}}}"""),
        new BasicProperties { ContentType = "application/vnd.masstransit+json", Persistent = true });

    private static OutboundMessage Message(string reason)
    {
        var body = SomeMessage.Close(reason);
        return new OutboundMessage(Guid.NewGuid(), Routes.Execution, body, body.Trade.Value, Trace);
    }

    private static Task PublishAsync(TestBus bus, IReadOnlyList<OutboundMessage> messages) => bus.Bus.PublishAsync(messages, TestContext.Current.CancellationToken);

    /// <summary>The broker counts what it has delivered and was not acknowledged only once the connection is gone.</summary>
    private async Task EmptyAsync(TestBus bus)
    {
        await bus.UntilAsync(() => Raw.CountAsync(Topology.QueueOf(Routes.Execution)).GetAwaiter().GetResult() == 0, "all is taken");
        await bus.StopAsync();
        Assert.Equal(0, await Raw.CountAsync(Topology.QueueOf(Routes.Execution)));
        Assert.Equal(0, await Raw.CountAsync(Topology.ErrorQueueOf(Routes.Execution)));
        Assert.Equal(0, await Raw.CountAsync(Topology.SkippedQueueOf(Routes.Execution)));
        Assert.Equal(0, await Raw.CountAsync(Topology.DeadLetters));
    }

    private TestBusParts Taking() => Parts().Handle<CloseTrade>(Routes.Execution, (message, input, _) =>
    {
        _attempts.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        if (message.Reason == "always throws")
            throw new InvalidOperationException(message.Reason);
        if (message.Reason == "never ends")
            throw new BusUnavailableException("The broker is away.");
        _handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        return Task.CompletedTask;
    });

    private TestBusParts Parts() => new() { Options = { Address = Host.Uri.ToString() } };
}
