using System.Net;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Antbot.Integration.Tests.Support;

/// <summary>
/// A link that can be made to misbehave: bytes to the server pass through <see cref="ToServer"/>, answers through
/// <see cref="FromServer"/>; each returns how many of the bytes to pass on, and -1 breaks the connection.
/// </summary>
public sealed class TcpProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _sockets = [];
    private readonly int _target;
    private readonly Task _accept;

    public TcpProxy(int target)
    {
        _target = target;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accept = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Refuses and breaks everything while it is true.</summary>
    public volatile bool Down;

    /// <summary>
    /// Swallows everything while it is true, without an end or a reset; new connections are made and get no answer. A connection that
    /// lost bytes so stays dumb for ever.
    /// </summary>
    public volatile bool BlackHole;

    public Func<ReadOnlyMemory<byte>, int> ToServer { get; set; } = bytes => bytes.Length;

    public Func<ReadOnlyMemory<byte>, int> FromServer { get; set; } = bytes => bytes.Length;

    public void BreakAll()
    {
        lock (_sockets)
        {
            foreach (var socket in _sockets)
                socket.Dispose();
            _sockets.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        BreakAll();
        await _accept;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                if (Down)
                {
                    client.Dispose();
                    continue;
                }
                var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                client.NoDelay = server.NoDelay = true;
                lock (_sockets)
                    _sockets.AddRange([client, server]);
                var dumb = new StrongBox<bool>();
                _ = PumpAsync(client, server, bytes => Swallows(dumb) ? 0 : ToServer(bytes));
                _ = PumpAsync(server, client, bytes => Swallows(dumb) ? 0 : FromServer(bytes));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The next connection, or the end.
            }
        }
    }

    private bool Swallows(StrongBox<bool> dumb) => dumb.Value |= BlackHole;

    private static async Task PumpAsync(Socket from, Socket to, Func<ReadOnlyMemory<byte>, int> filter)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                var pass = filter(buffer.AsMemory(0, read));
                if (pass < 0)
                    break;
                if (pass > 0)
                    await to.SendAsync(buffer.AsMemory(0, pass));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // A broken link is what this is for.
        }
        from.Dispose();
        to.Dispose();
    }
}
