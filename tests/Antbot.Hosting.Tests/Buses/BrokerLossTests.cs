using System.Collections.Concurrent;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Xunit;

namespace Antbot.Hosting.Tests.Buses;

/// <summary>The broker goes and comes back. A server of its own, because it is restarted.</summary>
public sealed class BrokerLossTests : IAsyncLifetime
{
    private static readonly TimeSpan QueueOnDisk = TimeSpan.FromSeconds(3);

    private readonly ConcurrentDictionary<Guid, int> _first = new();
    private readonly ConcurrentDictionary<Guid, int> _second = new();
    private RabbitServer _server = null!;
    private RabbitVirtualHost _host = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RabbitServer.StartAsync(new RabbitServerOptions { MustBeOwned = true }, Cancel);
        _host = await _server.CreateVirtualHostAsync(cancellationToken: Cancel);
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Restarted_in_mid_flow_every_message_arrives_and_publishers_resume(bool killed)
    {
        await using var bus = await TestBus.StartAsync(Parts(_host.Uri, relay: true));
        // RabbitMQ 3.10, killed within half a second of a quorum queue's declaration, finds no leader for it afterwards.
        await Task.Delay(QueueOnDisk, Cancel);
        const int Count = 1_000;
        var sent = new ConcurrentBag<Guid>();
        var publishing = Task.Run(
            async () =>
            {
                for (var i = 0; i < Count; i++)
                {
                    var id = Guid.NewGuid();
                    await UntilConfirmedAsync(bus, Routes.Execution, SomeMessage.Close(), id);
                    sent.Add(id);
                }
            },
            Cancel);
        await bus.UntilAsync(() => _second.Count > 50, "messages flow");
        if (killed)
            await _server.KillAsync(Cancel);
        else
            await _server.StopAsync(Cancel);
        await bus.UntilAsync(() => !bus.Runner.Status().IsUp, "the bus says that the broker is gone");
        var before = sent.Count;
        Assert.True(before < Count);
        await _server.StartAgainAsync(Cancel);

        await publishing.WaitAsync(TimeSpan.FromMinutes(2), Cancel);
        await bus.UntilAsync(() => _second.Count == Count, "every message has come to the end of its way");
        Assert.Equal(sent.Order(), _first.Keys.Order());
        Assert.Equal(sent.Order(), _second.Keys.Order());
        await using var raw = await RawBroker.ConnectAsync(_host.Uri);
        Assert.Equal(0, await raw.CountAsync(Topology.DeadLetters));
        Assert.Equal(0, await raw.CountAsync(Topology.ErrorQueueOf(Routes.Execution)));
        Assert.False(bus.Runner.Hopeless.IsCompleted);
    }

    [Fact]
    public async Task Connections_that_break_while_the_broker_lives_are_made_anew()
    {
        await using var proxy = new TcpProxy(_host.Uri.Port);
        await using var bus = await TestBus.StartAsync(Parts(Through(proxy), relay: true));
        for (var round = 0; round < 3; round++)
        {
            proxy.BreakAll();
            var id = Guid.NewGuid();
            await UntilConfirmedAsync(bus, Routes.Execution, SomeMessage.Close(), id);
            await bus.UntilAsync(() => _second.ContainsKey(id), "the message arrives");
        }
    }

    /// <summary>Prevents an endpoint that stands still for as long as a publish may take, because one waits for a confirmation on a bus that was given up.</summary>
    [Fact]
    public async Task A_publish_that_is_never_confirmed_ends_with_its_bus_and_the_next_goes_out_on_the_new_one()
    {
        await using var proxy = new TcpProxy(_host.Uri.Port);
        var parts = Parts(Through(proxy), relay: false);
        parts.Options.PublishWithin = TimeSpan.FromMinutes(10);
        await using var bus = await TestBus.StartAsync(parts);
        await bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk));
        // No confirmation comes back (basic.ack), and the watch on the broker gets no channel (channel.open): both connections stay.
        proxy.FromServer = bytes => Contains(bytes.Span, [0, 60, 0, 80]) ? 0 : bytes.Length;
        proxy.ToServer = bytes => Contains(bytes.Span, [0, 20, 0, 10]) ? 0 : bytes.Length;
        var hung = bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk));
        var fault = await Assert.ThrowsAsync<BusUnavailableException>(() => hung.WaitAsync(TimeSpan.FromMinutes(2), Cancel));
        Assert.Contains("went away under it", fault.Message, StringComparison.Ordinal);
        (proxy.FromServer, proxy.ToServer) = (bytes => bytes.Length, bytes => bytes.Length);
        await bus.PublishAsync(Routes.Risk, SomeMessage.For(Routes.Risk)).WaitAsync(TimeSpan.FromMinutes(1), Cancel);
    }

    [Fact]
    public async Task A_bus_that_does_not_come_up_on_a_broker_that_answers_ends_the_process()
    {
        await using var proxy = new TcpProxy(_host.Uri.Port);
        var parts = Parts(Through(proxy), relay: false);
        parts.Options.BackWithin = TimeSpan.FromSeconds(2);
        // The watch connects and declares; MassTransit's connection, which says its name, gets no further.
        proxy.ToServer = bytes => Contains(bytes.Span, "antbot"u8) && !Contains(bytes.Span, "(watch)"u8) && Contains(bytes.Span, "connection_name"u8) ? 0 : bytes.Length;
        await using var bus = await TestBus.BeginAsync(parts);
        var reason = await bus.Runner.Hopeless.WaitAsync(TimeSpan.FromSeconds(60), Cancel);
        Assert.Contains("although the broker answers", reason, StringComparison.Ordinal);
        Assert.False(bus.Runner.Status().IsUp);
    }

    [Fact]
    public async Task A_broker_that_comes_back_empty_is_given_its_queues_again()
    {
        await using var bus = await TestBus.StartAsync(Parts(_host.Uri, relay: true));
        await _server.DropVirtualHostAsync(_host.Name, Cancel);
        await bus.UntilAsync(() => !bus.Runner.Status().IsUp, "the bus is gone");
        await _server.CreateVirtualHostAsync(_host.Name, Cancel);
        var id = Guid.NewGuid();
        await UntilConfirmedAsync(bus, Routes.Execution, SomeMessage.Close(), id);
        await bus.UntilAsync(() => _second.ContainsKey(id), "the message arrives");
    }

    private static bool Contains(ReadOnlySpan<byte> bytes, ReadOnlySpan<byte> what) => bytes.IndexOf(what) >= 0;

    private static Uri Through(TcpProxy proxy, Uri uri) => new UriBuilder(uri) { Port = proxy.Port }.Uri;

    private Uri Through(TcpProxy proxy) => Through(proxy, _host.Uri);

    private static async Task UntilConfirmedAsync(TestBus bus, string endpoint, object message, Guid id)
    {
        while (true)
        {
            try
            {
                await bus.PublishAsync(endpoint, message, id);
                return;
            }
            catch (BusUnavailableException)
            {
                await Task.Delay(100, Cancel);
            }
        }
    }

    /// <summary>Two hops: what Execution takes it hands on to Risk, under the same id.</summary>
    private TestBusParts Parts(Uri uri, bool relay)
    {
        var parts = new TestBusParts { Options = { Address = uri.ToString(), PublishWithin = TimeSpan.FromSeconds(3) } };
        if (!relay)
            return parts;
        parts.Handle<CloseTrade>(Routes.Execution, async (message, input, token) =>
        {
            var bus = parts.Bus ?? throw new InvalidOperationException("The bus is not there yet.");
            await bus.PublishAsync([new OutboundMessage(input.Id, Routes.Risk, new EntryFailed(message.Trade, message.Account, message.Reason), input.CorrelationId, null)], token);
            _first.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
        });
        return parts.Handle<EntryFailed>(Routes.Risk, (_, input, _) =>
        {
            _second.AddOrUpdate(input.Id, 1, (_, n) => n + 1);
            return Task.CompletedTask;
        });
    }
}
