using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using MassTransit;
using RabbitMQ.Client;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>What nobody can work on must end beside its queue, with its reason, and harm none of its neighbours.</summary>
public sealed class PoisonTests(RabbitFixture fixture) : IAsyncLifetime
{
    private const string Thrower = "always throws";
    private const string FailsOnce = "fails once";
    private const int Neighbours = 20;

    private readonly ConcurrentDictionary<Guid, int> _attempts = new();
    private readonly ConcurrentDictionary<Guid, int> _handled = new();
    private RabbitVirtualHost _host = null!;
    private RawBroker _raw = null!;
    private TestBus _bus = null!;
    private Guid? _thrower;
    private Func<ConsumeContext, Task> _turn = _ => Task.CompletedTask;

    public static TheoryData<string> Lanes => [.. Topology.Lanes];

    public async ValueTask InitializeAsync()
    {
        _host = await fixture.CreateVirtualHostAsync();
        var parts = new TestBusParts { Options = { Address = _host.Uri.ToString() } };
        parts.Handle<TradeClosing>(Routes.Coordinator, (m, i, _) => HandleAsync(m.Reason, i))
            .Handle<ValidateSignal>(Routes.Validation, (m, i, _) => HandleAsync(m.Signal.Source, i))
            .Handle<EntryFailed>(Routes.Risk, (m, i, _) => HandleAsync(m.Reason, i))
            .Handle<CloseTrade>(Routes.Execution, (m, i, _) => HandleAsync(m.Reason, i))
            .Handle<SignalRaised>(Routes.Coordinator, (m, i, _) => HandleAsync(m.Signal.Source, i))
            .Handle<VerifyTrade>(Routes.Reconciliation, (m, i, _) => HandleAsync(i.CorrelationId == _thrower?.ToString("N") ? Thrower : "", i));
        parts.Catalog.Await(Topology.Intake, (_, context, _) => _turn(context));
        _bus = await TestBus.StartAsync(parts);
        _raw = await RawBroker.ConnectAsync(_host.Uri);
    }

    public async ValueTask DisposeAsync()
    {
        await _bus.DisposeAsync();
        await _raw.DisposeAsync();
        await fixture.DropAsync(_host);
    }

    [Theory]
    [MemberData(nameof(Lanes))]
    public async Task It_is_dead_lettered_with_its_reason_and_its_neighbours_are_unharmed(string lane)
    {
        var (queue, endpoint) = (Topology.QueueOf(lane), Topology.EndpointOf(lane));
        await PublishNeighboursAsync(lane);

        await _raw.PublishAsync(queue, RandomNumberGenerator.GetBytes(4_000));
        await _raw.PublishAsync(queue, Encoding.UTF8.GetBytes("[1, 2, 3]"));
        await _raw.PublishAsync(queue, Encoding.UTF8.GetBytes("{}"));
        await _raw.PublishAsync(queue, RandomNumberGenerator.GetBytes(200), new BasicProperties { ContentType = "no content type at all", MessageId = "no id either" });
        await _raw.PublishAsync(queue, Envelope(lane, """{"trade": 5}"""));
        await _raw.PublishAsync(queue, Envelope(lane, "{}"));
        await _raw.PublishAsync(queue, Envelope(lane, "null"));
        await _raw.PublishAsync(queue, Envelope(lane, $$"""{"padding": "{{new string('x', 5 * 1024 * 1024)}}"}"""));
        await _raw.PublishAsync(queue, RandomNumberGenerator.GetBytes(5 * 1024 * 1024));
        await _raw.PublishAsync(queue, Envelope(lane, Valid(lane), messageId: null));
        var thrower = Guid.NewGuid();
        var throwing = SomeMessage.For(lane, Thrower);
        _thrower = ((ITradeMessage)throwing).Trade.Guid;
        await _bus.PublishAsync(endpoint, throwing, thrower);
        await PublishNeighboursAsync(lane);

        await _bus.UntilAsync(() => _handled.Count == 2 * Neighbours, "all neighbours are handled");
        var dead = await _raw.TakeAsync(Topology.ErrorQueueOf(endpoint), 11);
        Assert.All(dead, m =>
        {
            Assert.Equal("fault", m.Headers["MT-Reason"]);
            Assert.NotEmpty(m.Headers["MT-Fault-Message"]);
            Assert.NotEmpty(m.Headers["MT-Fault-ExceptionType"]);
            // What never was a message is none at a second look.
            var isNone = m.Headers["MT-Fault-Message"].Contains("deserializing the message envelope", StringComparison.Ordinal) || m.Headers["MT-Fault-ExceptionType"].EndsWith(nameof(UnprocessableMessageException), StringComparison.Ordinal);
            Assert.Equal(isNone ? "1" : "5", m.Headers[DeadLetterHeaders.Attempts]);
        });
        var reasons = dead.Select(m => m.Headers["MT-Fault-Message"]).ToList();
        Assert.Contains(reasons, r => r.Contains("4,194,304 are the limit", StringComparison.Ordinal));
        Assert.Contains(reasons, r => r.Contains("no message id", StringComparison.Ordinal));
        Assert.Equal(thrower.ToString("D"), Assert.Single(dead, m => m.Headers["MT-Fault-Message"] == Thrower).MessageId);
        Assert.Equal(5, _attempts[thrower]);
        // The thrower, and the two of a message's type whose content is another's.
        Assert.Equal(3, dead.Count(m => m.Headers[DeadLetterHeaders.Attempts] == "5"));

        // Well-formed, but of a type that nobody here takes.
        await _raw.PublishAsync(queue, Encoding.UTF8.GetBytes("""{"messageId": "5f3fd1b0-0000-0000-0000-000000000001", "messageType": ["urn:message:Somebody:Else"], "message": {}}"""));
        Assert.Equal("dead-letter", Assert.Single(await _raw.TakeAsync(Topology.SkippedQueueOf(endpoint), 1)).Headers["MT-Reason"]);

        Assert.All(_handled, h => Assert.Equal(1, h.Value));
        Assert.Equal(0, await _raw.CountAsync(queue));
        Assert.Equal(0, await _raw.CountAsync(Topology.DeadLetters));
        Assert.True(_bus.Runner.Status().IsUp);
    }

    /// <summary>What is waited for may fail as a handler may: it was one attempt, and not five.</summary>
    [Fact]
    public async Task A_turn_that_always_fails_is_tried_as_often_as_a_handler_and_keeps_nobody_from_his_own()
    {
        var (thrower, turns) = (Guid.NewGuid(), 0);
        _turn = context =>
        {
            if (context.MessageId != thrower)
                return Task.CompletedTask;
            Interlocked.Increment(ref turns);
            throw new InvalidOperationException(Thrower);
        };
        await _bus.PublishAsync(Routes.Coordinator, SomeMessage.Raised(), thrower);
        await PublishNeighboursAsync(Topology.Intake);

        await _bus.UntilAsync(() => _handled.Count == Neighbours, "all neighbours are handled");
        var dead = Assert.Single(await _raw.TakeAsync(Topology.ErrorQueueOf(Routes.Coordinator), 1));
        Assert.Equal((thrower.ToString("D"), Thrower), (dead.MessageId, dead.Headers["MT-Fault-Message"]));
        Assert.Equal(5, turns);
        Assert.DoesNotContain(thrower, _attempts.Keys);
    }

    /// <summary>Prevents signals that are dead-lettered because the store was away while they waited.</summary>
    [Fact]
    public async Task A_turn_that_the_store_keeps_from_coming_is_waited_for_and_had_once()
    {
        var turns = new ConcurrentDictionary<Guid, int>();
        _turn = context => turns.AddOrUpdate(context.MessageId!.Value, 1, (_, n) => n + 1) <= 6
            ? throw new EventStoreException(StoreFault.Unavailable, "It cannot be read at the moment.")
            : Task.CompletedTask;
        var failsOnce = Guid.NewGuid();
        await _bus.PublishAsync(Routes.Coordinator, SomeMessage.Raised(FailsOnce), failsOnce);
        await PublishNeighboursAsync(Topology.Intake);

        await _bus.UntilAsync(() => _handled.Count == Neighbours + 1, "all are handled");
        Assert.All(turns, t => Assert.Equal(7, t.Value));
        Assert.Equal(2, _attempts[failsOnce]);
        Assert.Equal(0, await _raw.CountAsync(Topology.ErrorQueueOf(Routes.Coordinator)));
    }

    [Fact]
    public async Task Headers_too_long_for_a_frame_and_texts_without_end_do_not_break_the_move()
    {
        var queue = Topology.QueueOf(Routes.Execution);
        var headers = Enumerable.Range(0, 100).ToDictionary(i => $"filler-{i}", i => (object?)new string('h', 1_200));
        await _raw.PublishAsync(queue, RandomNumberGenerator.GetBytes(10), new BasicProperties { Headers = headers });
        await _bus.PublishAsync(Routes.Execution, SomeMessage.Close(new string('r', 300_000)), Guid.NewGuid());
        await PublishNeighboursAsync(Routes.Execution);

        await _bus.UntilAsync(() => _handled.Count == Neighbours, "all neighbours are handled");
        var dead = await _raw.TakeAsync(Topology.ErrorQueueOf(Routes.Execution), 2);
        Assert.Contains(dead, m => m.Headers.ContainsKey("antbot-headers-left-out"));
        Assert.Contains(dead, m => m.Headers["MT-Fault-Message"].EndsWith("(300,000 characters)", StringComparison.Ordinal));
        Assert.All(_handled, h => Assert.Equal(1, h.Value));
        Assert.Equal(0, await _raw.CountAsync(Topology.DeadLetters));
    }

    [Theory]
    [InlineData("gives up")]
    [InlineData("gives up within")]
    public async Task A_handler_that_gives_up_waiting_has_failed_and_does_not_come_back_for_ever(string reason)
    {
        var id = Guid.NewGuid();
        await _bus.PublishAsync(Routes.Execution, SomeMessage.Close(reason), id);
        var dead = Assert.Single(await _raw.TakeAsync(Topology.ErrorQueueOf(Routes.Execution), 1));
        Assert.Equal(id.ToString("D"), dead.MessageId);
        Assert.Equal(5, _attempts[id]);
    }

    private Task HandleAsync(string reason, Input input)
    {
        var attempt = _attempts.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        if (reason == FailsOnce && attempt == 1)
            throw new InvalidOperationException(reason);
        if (reason == "gives up")
            throw new TaskCanceledException("The answer took too long.");
        if (reason == "gives up within")
            throw new InvalidOperationException("There was no answer.", new TaskCanceledException());
        if (reason == Thrower || reason.Length > 1_000)
            throw new InvalidOperationException(reason);
        _handled.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        return Task.CompletedTask;
    }

    private async Task PublishNeighboursAsync(string lane)
    {
        for (var i = 0; i < Neighbours; i++)
            await _bus.PublishAsync(Topology.EndpointOf(lane), SomeMessage.For(lane));
    }

    private static string Valid(string lane) => System.Text.Json.JsonSerializer.Serialize(SomeMessage.For(lane), System.Text.Json.JsonSerializerOptions.Web);

    private static byte[] Envelope(string lane, string message, string? messageId = "5f3fd1b0-0000-0000-0000-000000000002") => Encoding.UTF8.GetBytes(
        $$"""{"messageId": {{(messageId is null ? "null" : $"\"{messageId}\"")}}, "messageType": ["urn:message:Antbot.Contracts.Messages:{{SomeMessage.For(lane).GetType().Name}}"], "message": {{message}}}""");
}
