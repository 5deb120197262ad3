using System.Net;
using System.Net.Sockets;
using System.Text;
using Antbot.Chaos.Links;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>The faults are what they are called: a link that only pretends would prove nothing.</summary>
public sealed class LinkTests : IAsyncLifetime
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Silence = TimeSpan.FromMilliseconds(400);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly byte[] _buffer = new byte[1_024];
    private Link _link = null!;
    private Socket _client = null!;
    private Socket _server = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _listener.Start();
        _link = new Link("here", "there", ((IPEndPoint)_listener.LocalEndpoint).Port);
        _client = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await _client.ConnectAsync(IPAddress.Loopback, _link.Port, Cancel);
        _server = await _listener.AcceptSocketAsync(Cancel);
        Assert.Equal("hello", await PassAsync(_client, _server, "hello"));
        Assert.Equal("hello back", await PassAsync(_server, _client, "hello back"));
    }

    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _server.Dispose();
        await _link.DisposeAsync();
        _listener.Dispose();
    }

    [Fact]
    public async Task What_is_held_one_way_comes_when_it_heals_and_the_other_way_is_free()
    {
        _link.Set(new Flow(Held: true), Flow.Free);
        await SendAsync(_client, "held");
        Assert.Null(await ReceiveAsync(_server, Silence));
        Assert.Equal("free", await PassAsync(_server, _client, "free"));
        _link.Heal();
        Assert.Equal("held", await ReceiveAsync(_server, Soon));
        Assert.True(_link.Struck > 0);
    }

    /// <summary>Prevents a fault that is said to have met nothing because what it held was held already.</summary>
    [Fact]
    public async Task What_is_held_by_one_fault_after_the_other_has_met_each_of_them()
    {
        _link.Set(new Flow(Held: true), new Flow(Held: true));
        await SendAsync(_client, "held");
        await UntilStruckAsync(1);
        _link.Set(new Flow(Held: true), Flow.Free);
        await UntilStruckAsync(2);
        _link.Heal();
        Assert.Equal("held", await ReceiveAsync(_server, Soon));
        Assert.Equal(2, _link.Struck);

        async Task UntilStruckAsync(int times)
        {
            for (var waited = 0; _link.Struck < times && waited < 500; waited++)
                await Task.Delay(20, Cancel);
            Assert.Equal(times, _link.Struck);
        }
    }

    [Fact]
    public async Task What_is_lost_never_comes_and_the_connection_stays_dumb()
    {
        _link.Set(Flow.Free, new Flow(Lost: true));
        await SendAsync(_server, "lost");
        Assert.Null(await ReceiveAsync(_client, Silence));
        _link.Heal();
        await SendAsync(_server, "too late");
        Assert.Null(await ReceiveAsync(_client, Silence));
        Assert.Equal("still there", await PassAsync(_client, _server, "still there"));
    }

    [Fact]
    public async Task What_is_delayed_comes_later_and_in_order()
    {
        _link.Set(new Flow(Delay: TimeSpan.FromSeconds(2)), Flow.Free);
        await SendAsync(_client, "one");
        Assert.Null(await ReceiveAsync(_server, TimeSpan.FromMilliseconds(500)));
        await SendAsync(_client, "two");
        Assert.StartsWith("one", await ReceiveAsync(_server, Soon), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_trickles_comes_in_pieces()
    {
        _link.Set(new Flow(BytesPerSecond: 50), Flow.Free);
        await SendAsync(_client, "a sentence that is longer than one piece");
        Assert.Equal(5, (await ReceiveAsync(_server, Soon))!.Length);
    }

    [Fact]
    public async Task A_refused_connection_is_reset_the_old_one_and_the_new()
    {
        _link.Refuse();
        await Assert.ThrowsAsync<SocketException>(() => ReceiveAsync(_client, Soon));
        using var second = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await Assert.ThrowsAsync<SocketException>(async () =>
        {
            await second.ConnectAsync(IPAddress.Loopback, _link.Port, Cancel);
            await ReceiveAsync(second, Soon);
        });
        _link.Heal();
        using var third = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await third.ConnectAsync(IPAddress.Loopback, _link.Port, Cancel);
        using var accepted = await _listener.AcceptSocketAsync(Cancel);
        Assert.Equal("again", await PassAsync(third, accepted, "again"));
    }

    [Fact]
    public async Task A_half_closed_connection_ends_for_the_server_and_still_answers()
    {
        _link.HalfClose();
        Assert.Equal("", await ReceiveAsync(_server, Soon));
        Assert.Equal("an answer", await PassAsync(_server, _client, "an answer"));
    }

    private async Task<string?> PassAsync(Socket from, Socket to, string text)
    {
        await SendAsync(from, text);
        return await ReceiveAsync(to, Soon);
    }

    private static async Task SendAsync(Socket socket, string text) => await socket.SendAsync(Encoding.UTF8.GetBytes(text), Cancel);

    /// <summary>Null where nothing came; empty at the end.</summary>
    private async Task<string?> ReceiveAsync(Socket socket, TimeSpan within)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(within);
        try
        {
            return Encoding.UTF8.GetString(_buffer, 0, await socket.ReceiveAsync(_buffer, limit.Token));
        }
        catch (OperationCanceledException) when (!Cancel.IsCancellationRequested)
        {
            return null;
        }
    }
}
