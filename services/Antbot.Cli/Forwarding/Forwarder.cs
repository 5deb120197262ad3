using System.Net;
using System.Net.Sockets;
using Antbot.Runtime.Telemetry;

namespace Antbot.Cli.Forwarding;

/// <summary>Carries each connection that comes in to one of the addresses that names stand for at that moment, the next one each time, or another where that one does not answer.</summary>
/// <param name="log">Told once when nobody answers, and once when somebody does again.</param>
internal sealed class Forwarder(Mapping mapping, ProcessLog log)
{
    private const int ConnectionsMax = 1_000;

    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(2);

    /// <summary>Once the instance has said everything, whoever asked it has so long to do the same.</summary>
    private static readonly TimeSpan EndsWithin = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan AcceptAgain = TimeSpan.FromMilliseconds(100);

    private readonly TcpListener _listener = new(mapping.Listen);
    private int _turn;
    private bool _isTroubled;

    /// <summary>From then on it can be connected to.</summary>
    public IPEndPoint Listen()
    {
        _listener.Start();
        return (IPEndPoint)_listener.LocalEndpoint;
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var room = new SemaphoreSlim(ConnectionsMax);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var carried = new HashSet<Task>();
        try
        {
            while (true)
            {
                // Whoever finds no room waits at the listener.
                await room.WaitAsync(cancellationToken);
                carried.RemoveWhere(c => c.IsCompleted);
                carried.Add(CarryAsync(await AcceptAsync(cancellationToken), room, stop.Token));
            }
        }
        finally
        {
            _listener.Dispose();
            await stop.CancelAsync();
            await Task.WhenAll(carried);
        }
    }

    /// <summary>Who has gone again before it was its turn, or finds no file handle left, ends nobody else's way.</summary>
    private async Task<Socket> AcceptAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                return await _listener.AcceptSocketAsync(cancellationToken);
            }
            catch (SocketException)
            {
                await Task.Delay(AcceptAgain, cancellationToken);
            }
        }
    }

    private async Task CarryAsync(Socket from, SemaphoreSlim room, CancellationToken cancellationToken)
    {
        using var taken = from;
        try
        {
            from.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            using var to = await ConnectAsync(cancellationToken);
            if (to is null)
                return;
            // One that fails ends both; one that has said everything still hears the answer.
            using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            await Task.WhenAll(CopyAsync(from, to, end, endsAfter: Timeout.InfiniteTimeSpan), CopyAsync(to, from, end, EndsWithin));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException or ObjectDisposedException)
        {
            // Either side may go at any time; the other one learns it by the end of its connection.
        }
        finally
        {
            room.Release();
        }
    }

    private static async Task CopyAsync(Socket from, Socket to, CancellationTokenSource end, TimeSpan endsAfter)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int read;
            while ((read = await from.ReceiveAsync(buffer, end.Token)) > 0)
            {
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), end.Token);
            }
            to.Shutdown(SocketShutdown.Send);
            end.CancelAfter(endsAfter);
        }
        catch
        {
            await end.CancelAsync();
            throw;
        }
    }

    private async Task<Socket?> ConnectAsync(CancellationToken cancellationToken)
    {
        var (turn, why) = (Interlocked.Increment(ref _turn), "no address is known");
        var addresses = await AddressesAsync(cancellationToken);
        for (var i = 0; i < addresses.Count; i++)
        {
            var address = addresses[(int)((uint)(turn + i) % (uint)addresses.Count)];
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(ConnectWithin);
            Socket? socket = null;
            try
            {
                socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
                await socket.ConnectAsync(address, limit.Token);
                Tell(isTroubled: false, $"{mapping} answers again");
                return socket;
            }
            catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellationToken.IsCancellationRequested))
            {
                socket?.Dispose();
                why = e is SocketException ? e.Message : $"no answer within {ConnectWithin.TotalSeconds:0} s";
            }
        }
        Tell(isTroubled: true, $"{mapping} does not answer: {why}");
        return null;
    }

    private async Task<List<IPEndPoint>> AddressesAsync(CancellationToken cancellationToken)
    {
        var found = new List<IPEndPoint>();
        foreach (var (host, port) in mapping.Targets)
        {
            try
            {
                found.AddRange((await Dns.GetHostAddressesAsync(host, cancellationToken)).Select(a => new IPEndPoint(a, port)));
            }
            catch (SocketException)
            {
                // A name that stands for nobody at the moment is one that does not answer.
            }
        }
        return found;
    }

    private void Tell(bool isTroubled, string what)
    {
        if (Interlocked.Exchange(ref _isTroubled, isTroubled) == isTroubled)
            return;
        if (isTroubled)
            log.Warn(what);
        else
            log.Say(what);
    }
}
