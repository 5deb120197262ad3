using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Antbot.Chaos.Links;

/// <summary>What a link does to the bytes of one direction.</summary>
/// <param name="Delay">Everything comes so much later.</param>
/// <param name="BytesPerSecond">No more than this gets through.</param>
/// <param name="Held">Nothing gets through; what was sent comes when it heals, as over a network that was parted.</param>
/// <param name="Lost">Nothing gets through, and a connection that lost bytes stays dumb for ever.</param>
internal sealed record Flow(TimeSpan Delay = default, int BytesPerSecond = 0, bool Held = false, bool Lost = false)
{
    public static Flow Free { get; } = new();
}

/// <summary>Between one service and one server: every connection goes through here, and the two directions can be made to misbehave each for itself.</summary>
internal sealed class Link : IAsyncDisposable
{
    private const int BufferBytes = 16 * 1024;
    private const int WaitingMax = 256;

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _lock = new();
    private readonly HashSet<Pair> _pairs = [];
    private readonly int _target;
    private readonly Task _accepting;
    private Flow _there = Flow.Free;
    private Flow _back = Flow.Free;
    private bool _refuses;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _struck;
    private long _settings;

    /// <param name="from">The service.</param>
    /// <param name="to">The server: postgres, rabbitmq, venue.</param>
    public Link(string from, string to, int target)
    {
        (From, To, _target) = (from, to, target);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    private sealed record Pair(Socket Client, Socket Server);

    public string From { get; }

    public string To { get; }

    public int Port { get; }

    /// <summary>Whether anybody has spoken here at all.</summary>
    public bool IsUsed { get; private set; }

    /// <summary>How often bytes or connections met a fault here: a fault that met nothing has proved nothing.</summary>
    public long Struck => Interlocked.Read(ref _struck);

    public void Set(Flow there, Flow back)
    {
        lock (_lock)
        {
            (_there, _back) = (there, back);
            _settings++;
            Announce();
        }
    }

    /// <summary>Every connection is reset, and as long as it lasts each new one too.</summary>
    public void Refuse()
    {
        List<Pair> pairs;
        lock (_lock)
        {
            _refuses = true;
            pairs = [.. _pairs];
            _pairs.Clear();
            Announce();
        }
        foreach (var pair in pairs)
            Reset(pair);
    }

    /// <summary>The server is told of every connection that nothing more will come; its answers still get through.</summary>
    public void HalfClose()
    {
        lock (_lock)
        {
            foreach (var pair in _pairs)
            {
                Try(() => pair.Server.Shutdown(SocketShutdown.Send));
                Interlocked.Increment(ref _struck);
            }
        }
    }

    public void Heal()
    {
        lock (_lock)
        {
            (_there, _back, _refuses) = (Flow.Free, Flow.Free, false);
            Announce();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        Refuse();
        await _accepting;
        _stop.Dispose();
    }

    private static void Try(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // It had ended by itself.
        }
    }

    private void Announce()
    {
        _changed.TrySetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ConnectAsync(client);
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // The next one, or the end.
            }
        }
    }

    private async Task ConnectAsync(Socket client)
    {
        var server = new Socket(SocketType.Stream, ProtocolType.Tcp);
        var pair = new Pair(client, server);
        bool refused;
        lock (_lock)
        {
            refused = _refuses;
            if (!refused)
                _pairs.Add(pair);
        }
        if (refused)
        {
            Interlocked.Increment(ref _struck);
            Reset(pair);
            return;
        }
        try
        {
            await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
            client.NoDelay = server.NoDelay = true;
            IsUsed = true;
            await Task.WhenAll(PumpAsync(client, server, () => _there), PumpAsync(server, client, () => _back));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            // Nobody listens there: the client finds out.
        }
        lock (_lock)
            _pairs.Remove(pair);
        Reset(pair);
    }

    /// <summary>With a reset and not with an end, so that nobody takes it for an orderly one.</summary>
    private void Reset(Pair pair)
    {
        Interlocked.Increment(ref _struck);
        foreach (var socket in new[] { pair.Client, pair.Server })
        {
            Try(() => socket.LingerState = new LingerOption(enable: true, seconds: 0));
            socket.Dispose();
        }
    }

    /// <summary>One reads and one writes, so that a delay holds up no bytes but by itself.</summary>
    private async Task PumpAsync(Socket from, Socket to, Func<Flow> flow)
    {
        var waiting = Channel.CreateBounded<(long Due, byte[] Bytes)>(WaitingMax);
        var writing = WriteAsync(waiting.Reader, from, to, flow);
        var buffer = new byte[BufferBytes];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and var read)
                await waiting.Writer.WriteAsync((Environment.TickCount64 + (long)flow().Delay.TotalMilliseconds, buffer[..read]), _stop.Token);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException or ChannelClosedException)
        {
            // The end of this direction, one way or another.
        }
        waiting.Writer.TryComplete();
        await writing;
    }

    private async Task WriteAsync(ChannelReader<(long Due, byte[] Bytes)> waiting, Socket from, Socket to, Func<Flow> flow)
    {
        var dumb = false;
        try
        {
            await foreach (var (due, bytes) in waiting.ReadAllAsync(_stop.Token))
            {
                if (flow() is not { Delay.Ticks: 0, BytesPerSecond: 0, Lost: false })
                    Interlocked.Increment(ref _struck);
                // Healed, what was delayed need not wait any longer.
                while (Environment.TickCount64 < due && flow().Delay > TimeSpan.Zero)
                    await Task.Delay(Tick, _stop.Token);
                await WhileHeldAsync(flow);
                if (dumb |= flow().Lost)
                    continue;
                await SendAsync(to, bytes, flow);
            }
            Try(() => to.Shutdown(SocketShutdown.Send));
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException or OperationCanceledException)
        {
            from.Dispose();
            to.Dispose();
        }
    }

    /// <summary>What one fault holds and the next one holds still has met both, although it never moved in between.</summary>
    private async Task WhileHeldAsync(Func<Flow> flow)
    {
        var met = -1L;
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (!flow().Held)
                    return;
                if (met != _settings)
                    Interlocked.Increment(ref _struck);
                met = _settings;
                changed = _changed.Task;
            }
            await changed.WaitAsync(_stop.Token);
        }
    }

    private async Task SendAsync(Socket to, ReadOnlyMemory<byte> bytes, Func<Flow> flow)
    {
        while (bytes.Length > 0)
        {
            var limit = flow().BytesPerSecond;
            var part = limit == 0 ? bytes : bytes[..Math.Min(bytes.Length, Math.Max(1, limit / 10))];
            await to.SendAsync(part, _stop.Token);
            bytes = bytes[part.Length..];
            if (limit > 0)
                await Task.Delay(Tick, _stop.Token);
        }
    }
}
