using System.Net.Sockets;
using RabbitMQ.Client;
using RabbitMQ.Client.Exceptions;

namespace Antbot.LocalServers.Rabbit;

internal static class RabbitProbe
{
    private static readonly TimeSpan TryLimit = TimeSpan.FromSeconds(10);

    /// <summary>Null when the broker takes a connection and opens a channel, else why not.</summary>
    public static async Task<Exception?> TryAsync(Uri uri, CancellationToken cancellationToken)
    {
        try
        {
            // Cheap first: a whole connection attempt against a closed port costs several exceptions.
            using (var socket = new TcpClient())
                await socket.ConnectAsync(uri.Host, uri.Port < 0 ? 5672 : uri.Port, cancellationToken).AsTask().WaitAsync(TryLimit, cancellationToken);
            var factory = new ConnectionFactory { Uri = uri, AutomaticRecoveryEnabled = false, RequestedConnectionTimeout = TryLimit };
            await using var connection = await factory.CreateConnectionAsync(cancellationToken);
            await using var channel = await connection.CreateChannelAsync(cancellationToken: cancellationToken);
            await connection.CloseAsync(cancellationToken);
            return null;
        }
        catch (Exception noAnswer) when (noAnswer is SocketException or TimeoutException or RabbitMQClientException or IOException)
        {
            return noAnswer;
        }
    }

    /// <summary>Whether something listens on the port of 127.0.0.1.</summary>
    public static async Task<bool> ListensAsync(int port, CancellationToken cancellationToken)
    {
        try
        {
            using var socket = new TcpClient();
            await socket.ConnectAsync("127.0.0.1", port, cancellationToken).AsTask().WaitAsync(TryLimit, cancellationToken);
            return true;
        }
        catch (Exception noAnswer) when (noAnswer is SocketException or TimeoutException)
        {
            return false;
        }
    }
}
