using System.Collections.Concurrent;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>Within one process the same rules hold: five attempts, and no limit for what is not the message's fault.</summary>
public sealed class MemoryBusTests
{
    private readonly ConcurrentDictionary<Guid, int> _attempts = new();
    private readonly ConcurrentDictionary<Guid, int> _handled = new();
    private volatile Exception? _down;

    [Fact]
    public async Task A_messages_own_fault_has_five_attempts_and_its_neighbours_go_on()
    {
        await using var bus = await TestBus.StartAsync(Parts());
        var bad = Guid.NewGuid();
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close("bad"), bad);
        for (var i = 0; i < 50; i++)
            await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.UntilAsync(() => _handled.Count == 50 && _attempts.GetValueOrDefault(bad) == 5, "all are through");
        await Task.Delay(500, TestContext.Current.CancellationToken);
        Assert.Equal(5, _attempts[bad]);
        Assert.All(_handled, h => Assert.Equal(1, h.Value));
    }

    [Fact]
    public async Task While_a_dependency_is_down_messages_wait_and_none_is_lost()
    {
        var parts = Parts();
        parts.Options.Prefetch = 8;
        parts.Options.StopAfter = TimeSpan.FromMilliseconds(300);
        parts.Options.HoldAtMost = TimeSpan.FromMilliseconds(600);
        await using var bus = await TestBus.StartAsync(parts);
        _down = new EventStoreException(StoreFault.Unavailable, "The disk is gone.");
        for (var i = 0; i < 100; i++)
            await bus.PublishAsync(Routes.Execution, SomeMessage.Close());
        await bus.UntilAsync(() => _attempts.Values.DefaultIfEmpty().Max() > 8, "they are tried again and again");
        Assert.Equal(8, _attempts.Count);
        _down = null;
        await bus.UntilAsync(() => _handled.Count == 100, "all are handled");
    }

    /// <summary>Prevents messages that were published at a start from being dropped because their endpoint was not there yet.</summary>
    [Fact]
    public async Task What_is_published_before_its_endpoint_takes_messages_arrives()
    {
        var store = new TaskCompletionSource();
        await using var bus = await TestBus.BeginAsync(Parts().Probe(_ => store.Task.IsCompleted ? Task.CompletedTask : throw new InvalidOperationException("The store has not answered yet.")));
        await bus.UntilAsync(() => bus.Runner.Status() is { IsUp: true } status && status.Endpoints.Single().State == EndpointState.WaitingForDependency, "the bus is up and the endpoint waits");
        var publishes = Enumerable.Range(0, 20).Select(_ => bus.PublishAsync(Routes.Execution, SomeMessage.Close())).ToArray();
        await Task.Delay(200, TestContext.Current.CancellationToken);
        store.SetResult();
        await Task.WhenAll(publishes);
        await bus.UntilAsync(() => _handled.Count == publishes.Length, "all are handled");
    }

    [Fact]
    public async Task What_no_module_takes_is_dropped_and_an_endpoint_that_is_none_is_an_error()
    {
        await using var bus = await TestBus.StartAsync(Parts());
        await bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk));
        await Assert.ThrowsAsync<ArgumentException>(() => bus.PublishAsync("nowhere", SomeMessage.Close()));
    }

    private TestBusParts Parts() => new TestBusParts().Handle<CloseTrade>(Routes.Execution, (message, input, _) =>
    {
        _attempts.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        if (_down is { } down)
            throw down;
        if (message.Reason == "bad")
            throw new InvalidOperationException("bad");
        _handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        return Task.CompletedTask;
    });
}
