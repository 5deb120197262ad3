using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Contracts.Events;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Microsoft.Extensions.DependencyInjection;
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

    /// <summary>There is no queue that it could lie in: it is recorded where it dies, however long that takes.</summary>
    [Fact]
    public async Task A_dead_letter_is_kept_and_held_until_it_can_be()
    {
        var letters = new Letters { Down = true };
        var parts = Parts();
        parts.Options.Build = "7";
        parts.Services.AddSingleton<IDeadLetters>(letters);
        await using var bus = await TestBus.StartAsync(parts);
        var bad = Guid.NewGuid();
        await bus.PublishAsync(Routes.Execution, SomeMessage.Close("bad"), bad);
        await bus.UntilAsync(() => letters.Asked >= 3, "it is handed over again and again");
        Assert.Empty(letters.Kept);
        letters.Down = false;
        await bus.UntilAsync(() => !letters.Kept.IsEmpty, "it is kept");
        await Task.Delay(200, TestContext.Current.CancellationToken);
        var kept = Assert.Single(letters.Kept);
        Assert.Equal((Topology.ErrorQueueOf(Routes.Execution), Routes.Execution, DeadLetterKind.Fault, bad.ToString("D")), (kept.Queue, kept.Endpoint, kept.Kind, kept.Properties.MessageId));
        Assert.Contains("\"bad\"", System.Text.Encoding.UTF8.GetString(kept.Body.Span), StringComparison.Ordinal);
        var headers = kept.Properties.Headers.ToDictionary(h => h.Name, h => h.Value);
        Assert.Equal(("bad", "5", "7"), (headers[DeadLetterHeaders.FaultMessage], headers[DeadLetterHeaders.Attempts], headers[DeadLetterHeaders.Build]));
        Assert.Contains(nameof(MemoryBusTests) + "." + nameof(Die), headers[DeadLetterHeaders.FaultStack], StringComparison.Ordinal);
    }

    internal sealed class Letters : IDeadLetters
    {
        private int _asked;

        public volatile bool Down;

        public int Asked => Volatile.Read(ref _asked);

        public ConcurrentQueue<DeadMessage> Kept { get; } = new();

        public Task KeepAsync(DeadMessage message, CancellationToken cancellationToken = default)
        {
            Interlocked.Increment(ref _asked);
            if (Down)
                throw new EventStoreException(StoreFault.Unavailable, "The disk is gone.");
            Kept.Enqueue(message);
            return Task.CompletedTask;
        }
    }

    private TestBusParts Parts() => new TestBusParts().Handle<CloseTrade>(Routes.Execution, (message, input, _) =>
    {
        _attempts.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        if (_down is { } down)
            throw down;
        if (message.Reason == "bad")
            Die();
        _handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        return Task.CompletedTask;
    });

    /// <summary>Seen in the stack: what throws within a lambda may be made part of whoever calls it, and is in none then.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Die() => throw new InvalidOperationException("bad");
}
