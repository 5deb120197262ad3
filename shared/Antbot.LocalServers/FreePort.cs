using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Antbot.LocalServers;

/// <summary>Ports on 127.0.0.1 for what is started here. No two calls of one process give the same.</summary>
public static class FreePort
{
    // Below what Linux and macOS hand out to outgoing connections: a client that keeps trying to reach a
    // killed server could otherwise be given the server's own port, and hold it.
    private const int First = 20_000;
    private const int AfterLast = 32_000;
    private const int TriesMax = 200;
    private static readonly Lock Gate = new();
    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        lock (Gate)
        {
            for (var tries = 0; tries < TriesMax; tries++)
            {
                var port = RandomNumberGenerator.GetInt32(First, AfterLast);
                if (CanListen(port) && Given.Add(port))
                    return port;
            }
        }

        throw new ServerException($"No free port between {First} and {AfterLast} on 127.0.0.1 after {TriesMax} tries.");
    }

    private static bool CanListen(int port)
    {
        using var listener = new TcpListener(IPAddress.Loopback, port);
        try
        {
            listener.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
