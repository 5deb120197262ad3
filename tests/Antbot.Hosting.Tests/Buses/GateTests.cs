using System.Collections.Concurrent;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Health;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>A dependency that is down never counts against a message, however long it is down.</summary>
public sealed class GateTests(RabbitFixture fixture) : OnABroker(fixture)
{
    private readonly ConcurrentDictionary<Guid, int> _handled = new();
    private readonly ConcurrentDictionary<Guid, int> _attempts = new();
    private volatile Exception? _down;

    public static TheoryData<string> Faults => ["unavailable", "busy", "read-only", "full", "unknown", "of a newer build", "damaged", "closed", "timed out", "other"];

    [Fact]
    public async Task Down_for_longer_than_the_gate_the_endpoint_stops_and_starts_again_and_nothing_is_dead_lettered()
    {
        _down = Fault("unavailable");
        const int Count = 100;
        var parts = Parts(prefetch: 10);
        parts.Options.StopAfter = TimeSpan.FromSeconds(2);
        // The probe passes at first: otherwise nothing would be taken in the first place.
        var up = true;
        parts.Probe(_ => up ? Task.CompletedTask : Task.FromException(_down ?? new InvalidOperationException("not yet")));
        await using var bus = await TestBus.StartAsync(parts);
        for (var i = 0; i < Count; i++)
            await bus.PublishAsync(Routes.Execution, SomeMessage.Close());

        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].Held == 10, "as many as the prefetch are held");
        up = false;
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].State == EndpointState.Stopped, "the endpoint stops");
        Assert.Contains("cannot be reached", bus.Runner.Status().Endpoints[0].Trouble, StringComparison.Ordinal);
        Assert.Equal(Count - 10, await Raw.CountAsync(Topology.QueueOf(Routes.Execution)));
        Assert.Equal(10, _attempts.Count);

        (_down, up) = (null, true);
        await bus.UntilAsync(() => _handled.Count == Count, "every message is handled");
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].State == EndpointState.Taking, "the endpoint takes messages again");
        Assert.All(_handled, h => Assert.Equal(1, h.Value));
        await NothingIsDeadAsync();
    }

    /// <summary>One adoption of a symbol that is not known kept every close from being taken, for a quarter of an hour at a time.</summary>
    [Fact]
    public async Task A_message_whose_own_trouble_looks_like_a_dependencys_keeps_no_other_from_being_handled()
    {
        var stuck = false;
        var parts = new TestBusParts { Options = { Address = Host.Uri.ToString(), Prefetch = 10, StopAfter = TimeSpan.FromSeconds(1) } };
        parts.Probe(_ => Task.CompletedTask);
        parts.Handle<CloseTrade>(Routes.Execution, (message, input, _) =>
        {
            stuck |= message.Reason == "stuck";
            _handled.TryAdd(input.Id, message.Reason == "stuck" ? throw Fault("other") : 1);
            return Task.CompletedTask;
        });
        await using var bus = await TestBus.StartAsync(parts);
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close("stuck"));
        await bus.UntilAsync(() => stuck, "it is tried");
        await Task.Delay(TimeSpan.FromSeconds(4), TestContext.Current.CancellationToken);
        Assert.Equal((EndpointState.Taking, 1), (bus.Runner.Status().Endpoints[0].State, bus.Runner.Status().Endpoints[0].Held));
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.UntilAsync(() => _handled.Count == 1, "its neighbour is handled");
        await NothingIsDeadAsync();
    }

    /// <summary>The outage is over for all but one: it goes back to the broker, and the endpoint takes messages again at once.</summary>
    [Fact]
    public async Task After_an_outage_one_that_is_still_in_trouble_does_not_keep_the_endpoint_stopped()
    {
        var up = true;
        var parts = new TestBusParts { Options = { Address = Host.Uri.ToString(), Prefetch = 10, StopAfter = TimeSpan.FromSeconds(1) } };
        parts.Probe(_ => up ? Task.CompletedTask : Task.FromException(Fault("unavailable")));
        parts.Handle<CloseTrade>(Routes.Execution, (message, input, _) =>
        {
            _handled.TryAdd(input.Id, message.Reason == "stuck" || !up ? throw Fault("other") : 1);
            return Task.CompletedTask;
        });
        await using var bus = await TestBus.StartAsync(parts);
        up = false;
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close("stuck"));
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].State == EndpointState.Stopped, "the endpoint stops");
        up = true;
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.UntilAsync(() => _handled.Count == 1, "its neighbour is handled");
        await NothingIsDeadAsync();
    }

    [Theory]
    [MemberData(nameof(Faults))]
    public async Task Each_kind_of_missing_dependency_is_waited_for(string kind)
    {
        _down = Fault(kind);
        await using var bus = await TestBus.StartAsync(Parts(prefetch: 4));
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.UntilAsync(() => _attempts.Values.Sum() > 6, "it is tried more often than a message's own fault would be");
        _down = null;
        await bus.UntilAsync(() => _handled.Count == 1, "it is handled");
        await NothingIsDeadAsync();
    }

    [Fact]
    public async Task Endpoints_take_nothing_until_the_probe_passes_and_say_why()
    {
        var parts = Parts(prefetch: 4);
        _down = Fault("unavailable");
        parts.Probe(_ => _down is { } down ? Task.FromException(down) : Task.CompletedTask);
        await using var bus = await TestBus.BeginAsync(parts);
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].State == EndpointState.WaitingForDependency, "it waits");
        Assert.Contains("'store' is down: PostgreSQL cannot be reached", bus.Runner.Status().Endpoints[0].Trouble, StringComparison.Ordinal);
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        Assert.Empty(_attempts);
        _down = null;
        await bus.UntilAsync(() => _handled.Count == 1, "it is handled");
    }

    [Fact]
    public async Task Held_for_too_long_a_message_goes_back_and_is_delivered_again()
    {
        _down = Fault("other");
        var parts = Parts(prefetch: 1);
        parts.Options.HoldAtMost = TimeSpan.FromSeconds(1);
        await using var bus = await TestBus.StartAsync(parts);
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.UntilAsync(() => _attempts.Values.Sum() > 12, "it is delivered again");
        _down = null;
        await bus.UntilAsync(() => _handled.Count == 1, "it is handled");
        await NothingIsDeadAsync();
    }

    [Fact]
    public async Task Stopped_in_order_the_held_go_back_and_what_is_under_way_is_finished()
    {
        _down = Fault("unavailable");
        var underWay = new TaskCompletionSource();
        var finish = new TaskCompletionSource();
        var parts = new TestBusParts { Options = { Address = Host.Uri.ToString(), Prefetch = 10 } };
        parts.Handle<CloseTrade>(Routes.Execution, async (message, input, _) =>
        {
            if (message.Reason == "slow")
            {
                underWay.TrySetResult();
                await finish.Task;
                _handled.TryAdd(input.Id, 1);
                return;
            }
            throw _down!;
        });
        await using var bus = await TestBus.StartAsync(parts);
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close("slow"));
        await underWay.Task;
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].Held == 1, "one is held");
        var stop = bus.Runner.StopTakingAsync(TestContext.Current.CancellationToken);
        await bus.UntilAsync(() => bus.Runner.Status().Endpoints[0].Held == 0, "the held one goes back");
        Assert.False(stop.IsCompleted);
        // What is under way may still publish.
        await bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk));
        finish.SetResult();
        await stop;
        Assert.Single(_handled);
        await bus.StopAsync();
        await Raw.UntilCountAsync(1, Topology.QueueOf(Routes.Execution));
    }

    private static Exception Fault(string kind) => kind switch
    {
        "unavailable" => new EventStoreException(StoreFault.Unavailable, "PostgreSQL cannot be reached."),
        "busy" => new EventStoreException(StoreFault.Busy, "The queue is full."),
        "read-only" => new EventStoreException(StoreFault.ReadOnly, "A standby."),
        "full" => new InvalidOperationException("wrapped", new EventStoreException(StoreFault.Full, "No room.")),
        "unknown" => new AggregateException(new EventStoreException(StoreFault.OutcomeUnknown, "The answer was lost.")),
        // While two builds run side by side the older one would dead-letter what the newer can do.
        "of a newer build" => new EventStoreException(StoreFault.UnknownType, "It is stored as 'order_input', which this build does not know."),
        // A page that the disk gave back wrong befalls whoever needs it: a dead letter would say that it was the message's doing.
        "damaged" => new EventStoreException(StoreFault.Damaged, "The server found damaged data."),
        // MassTransit makes of it a cancelled consumer without a cause, and five of those would be a dead letter.
        "timed out" => new BusUnavailableException("Not confirmed.", new TaskCanceledException()),
        "closed" => new EventStoreException(StoreFault.Closed, "Closed."),
        _ => new DependencyDownException("venue", "The venue is closed."),
    };

    private TestBusParts Parts(int prefetch)
    {
        var parts = new TestBusParts { Options = { Address = Host.Uri.ToString(), Prefetch = prefetch } };
        return parts.Handle<CloseTrade>(Routes.Execution, (_, input, _) =>
        {
            _attempts.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
            if (_down is { } down)
                throw down;
            _handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
            return Task.CompletedTask;
        });
    }

    private async Task NothingIsDeadAsync()
    {
        Assert.Equal(0, await Raw.CountAsync(Topology.ErrorQueueOf(Routes.Execution)));
        Assert.Equal(0, await Raw.CountAsync(Topology.SkippedQueueOf(Routes.Execution)));
        Assert.Equal(0, await Raw.CountAsync(Topology.DeadLetters));
    }
}
