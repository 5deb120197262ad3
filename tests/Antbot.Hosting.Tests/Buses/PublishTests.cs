using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

public sealed class PublishTests(RabbitFixture fixture) : OnABroker(fixture)
{

    [Fact]
    public async Task Every_process_declares_the_whole_topology_so_that_nothing_is_lost_before_a_service_first_runs()
    {
        await using var bus = await TestBus.StartAsync(Parts());
        foreach (var endpoint in Routes.Endpoints)
        {
            await bus.PublishAsync(endpoint, SomeMessage.For(endpoint));
            Assert.Equal(1, await Raw.CountAsync(Topology.QueueOf(endpoint)));
            Assert.Equal(0, await Raw.CountAsync(Topology.ErrorQueueOf(endpoint)));
            Assert.Equal(0, await Raw.CountAsync(Topology.SkippedQueueOf(endpoint)));
        }
        await bus.PublishAsync(Routes.Coordinator, SomeMessage.Raised());
        Assert.Equal((1, 1), (await Raw.CountAsync(Topology.QueueOf(Topology.Intake)), await Raw.CountAsync(Topology.QueueOf(Routes.Coordinator))));
    }

    /// <summary>What may wait does not stand in the way of what may not.</summary>
    [Fact]
    public async Task New_signals_that_wait_keep_nothing_else_from_its_endpoint()
    {
        var (closing, go) = (new ConcurrentBag<TradeId>(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        var raised = new ConcurrentBag<Guid>();
        await using var bus = await TestBus.StartAsync(Parts()
            .Handle<SignalRaised>(Routes.Coordinator, async (_, input, cancel) =>
            {
                await go.Task.WaitAsync(cancel);
                raised.Add(input.Id);
            })
            .Handle<TradeClosing>(Routes.Coordinator, (message, _, _) =>
            {
                closing.Add(message.Trade);
                return Task.CompletedTask;
            }));
        var signals = Enumerable.Range(0, 200).Select(_ => new OutboundMessage(Guid.NewGuid(), Routes.Coordinator, SomeMessage.Raised(), null, null)).ToList();
        await bus.Bus.PublishAsync(signals, TestContext.Current.CancellationToken);
        for (var i = 0; i < 10; i++)
            await bus.PublishAsync(Routes.Coordinator, SomeMessage.For(Routes.Coordinator));
        await bus.UntilAsync(() => closing.Count == 10, "what is under way goes on");
        Assert.Empty(raised);
        go.SetResult();
        await bus.UntilAsync(() => raised.Count == signals.Count, "the signals are taken");
        Assert.Equal(signals.Select(s => s.Id).Order(), raised.Order());
    }

    [Fact]
    public async Task What_waits_for_its_turn_goes_back_to_the_broker_when_its_endpoint_stops()
    {
        var parts = Parts().Handle<SignalRaised>(Routes.Coordinator, (_, _, _) => Task.CompletedTask);
        var waiting = 0;
        parts.Catalog.Await(Topology.Intake, async (_, _, cancel) =>
        {
            Interlocked.Increment(ref waiting);
            await Task.Delay(Timeout.InfiniteTimeSpan, cancel);
        });
        await using (var bus = await TestBus.StartAsync(parts))
        {
            await bus.PublishAsync(Routes.Coordinator, SomeMessage.Raised());
            await bus.Bus.PublishAsync([.. Enumerable.Range(0, 5).Select(_ => new OutboundMessage(Guid.NewGuid(), Routes.Coordinator, SomeMessage.Raised(), null, null))], TestContext.Current.CancellationToken);
            await bus.UntilAsync(() => Volatile.Read(ref waiting) == 6, "they wait");
            await bus.StopAsync().WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
        }
        await Raw.UntilCountAsync(2, Topology.QueueOf(Topology.Intake));
        Assert.Equal(0, await Raw.CountAsync(Topology.ErrorQueueOf(Routes.Coordinator)));
    }

    [Fact]
    public async Task A_publish_to_a_queue_that_nobody_declared_is_an_error_and_the_queue_is_declared_again()
    {
        await using var bus = await TestBus.StartAsync(Parts());
        await Raw.DeleteAsync(Topology.QueueOf(Routes.Risk));
        var fault = await Assert.ThrowsAsync<BusUnavailableException>(() => bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk)));
        Assert.Contains("no queue for 'risk'", fault.Message, StringComparison.Ordinal);
        await bus.UntilAsync(() => TryPublish(bus, Routes.Risk), "the queue is there again");
        Assert.Equal(1, await Raw.CountAsync(Topology.QueueOf(Routes.Risk)));
        await Assert.ThrowsAsync<ArgumentException>(() => bus.PublishAsync("nowhere", SomeMessage.Close()));
    }

    [Fact]
    public async Task What_comes_twice_and_out_of_order_comes_whole_and_with_its_ids()
    {
        var seen = new ConcurrentDictionary<Guid, (int Times, CloseTrade Message, string Correlation, string? Trace)>();
        await using var bus = await TestBus.StartAsync(Parts().Handle<CloseTrade>(Routes.Execution, (message, input, _) =>
        {
            seen.AddOrUpdate(input.Id, (1, message, input.CorrelationId, input.TraceId), (_, s) => s with { Times = s.Times + 1 });
            return Task.CompletedTask;
        }));
        const int Count = 200;
        const string Trace = "0af7651916cd43dd8448eb211c80319c";
        var sent = Enumerable.Range(0, Count).Select(i => (Id: Guid.NewGuid(), Message: SomeMessage.Close($"reason {i}"))).ToList();
        var random = new Random(5);
        var all = sent.SelectMany(s => Enumerable.Repeat(s, random.Next(2, 6))).OrderBy(_ => random.Next()).ToList();
        await bus.Bus.PublishAsync([.. all.Select(s => new OutboundMessage(s.Id, Routes.Execution, s.Message, s.Message.Trade.Value, Trace))], TestContext.Current.CancellationToken);

        await bus.UntilAsync(() => seen.Values.Sum(s => s.Times) == all.Count, "all have come");
        foreach (var (id, message) in sent)
            Assert.Equal((all.Count(a => a.Id == id), message, message.Trade.Value, Trace), seen[id]);
    }

    [Fact]
    public async Task A_broker_that_is_not_there_at_start_is_waited_for_and_named()
    {
        // Nobody listens on the discard port.
        await using var bus = await TestBus.BeginAsync(new TestBusParts { Options = { Address = "amqp://me:secret@127.0.0.1:9/", PublishWithin = TimeSpan.FromMilliseconds(300) } });
        await bus.UntilAsync(() => bus.Runner.Status().Trouble?.Contains("127.0.0.1:9", StringComparison.Ordinal) == true, "the trouble names the broker");
        Assert.DoesNotContain("secret", bus.Runner.Status().Trouble, StringComparison.Ordinal);
        var fault = await Assert.ThrowsAsync<BusUnavailableException>(() => bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk)));
        Assert.Contains("127.0.0.1:9", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Queues_that_stand_there_with_other_arguments_are_named()
    {
        await Raw.DeclareAsync(Topology.QueueOf(Routes.Risk), new Dictionary<string, object?> { ["x-queue-type"] = "classic" });
        await using var bus = await TestBus.BeginAsync(Parts());
        await bus.UntilAsync(() => bus.Runner.Status().Trouble?.Contains("antbot-risk", StringComparison.Ordinal) == true, "the trouble names the queue");
    }

    private static bool TryPublish(TestBus bus, string endpoint)
    {
        try
        {
            bus.PublishAsync(endpoint, SomeMessage.For(endpoint)).GetAwaiter().GetResult();
            return true;
        }
        catch (BusUnavailableException)
        {
            return false;
        }
    }

    private TestBusParts Parts() => new() { Options = { Address = Host.Uri.ToString() } };
}
