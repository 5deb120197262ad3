using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>
/// A connection of our own beside MassTransit's: it declares the topology, tells at once when the broker goes away, and can be
/// asked whether the broker takes messages. It never recovers by itself; whoever holds it opens another.
/// </summary>
internal sealed class BrokerLink : IAsyncDisposable
{
    /// <summary>No broker takes a larger one.</summary>
    public const uint BrokersLargestMessage = 512 * 1024 * 1024;

    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);
    private static readonly CreateChannelOptions Confirming = new(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true);

    private readonly CancellationTokenSource _lost = new();
    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly IConnection _connection;
    private IChannel? _shared;

    private BrokerLink(IConnection connection)
    {
        _connection = connection;
        Lost = _lost.Token;
        connection.ConnectionShutdownAsync += (_, _) => _lost.CancelAsync();
        if (!connection.IsOpen)
            _lost.Cancel();
    }

    public CancellationToken Lost { get; }

    public string Reason => _connection.CloseReason?.ReplyText ?? "the connection is gone";

    /// <param name="purpose">Shown beside the process's name in the broker.</param>
    public static async Task<BrokerLink> OpenAsync(BrokerAddress address, string name, string purpose, CancellationToken cancellationToken)
    {
        var factory = new ConnectionFactory
        {
            HostName = address.Host,
            Port = address.Port,
            VirtualHost = address.VirtualHost,
            UserName = address.User,
            Password = address.Password,
            Ssl = new SslOption(address.Host, enabled: address.IsTls),
            ClientProvidedName = $"{name} ({purpose})",
            // The client's own limit would end the connection on every message with it.
            MaxInboundMessageBodySize = BrokersLargestMessage,
            AutomaticRecoveryEnabled = false,
            RequestedHeartbeat = TimeSpan.FromSeconds(10),
            RequestedConnectionTimeout = TimeSpan.FromSeconds(5),
            ContinuationTimeout = AnswerWithin,
        };
        var link = new BrokerLink(await factory.CreateConnectionAsync(cancellationToken));
        try
        {
            await link.DeclareAsync(cancellationToken);
            return link;
        }
        catch
        {
            await link.DisposeAsync();
            throw;
        }
    }

    public Task DeclareAsync(CancellationToken cancellationToken) => OnChannelAsync(
        async (channel, token) =>
        {
            await Topology.DeclareAsync(channel, Topology.Lanes, token);
            return 0;
        },
        cancellationToken);

    /// <summary>For a consumer that has so many messages under way at once. It ends with the connection.</summary>
    public async Task<IChannel> OpenChannelAsync(ushort underWay, CancellationToken cancellationToken)
    {
        var channel = await _connection.CreateChannelAsync(new CreateChannelOptions(publisherConfirmationsEnabled: false, publisherConfirmationTrackingEnabled: false, consumerDispatchConcurrency: underWay), cancellationToken);
        await channel.BasicQosAsync(0, underWay, global: false, cancellationToken);
        return channel;
    }

    /// <summary>A broker that is short of memory or disk takes connections and holds back every publish.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => OnChannelAsync(
        async (channel, token) =>
        {
            await channel.BasicPublishAsync(exchange: "", routingKey: "antbot-nobody", mandatory: false, ReadOnlyMemory<byte>.Empty, token);
            return 0;
        },
        cancellationToken);

    /// <summary>
    /// Returns when the broker has it in its queue; where there is none it throws. Many at once share a channel: one that the broker ends it for
    /// ends all that are under way on it, and whoever is to blame is found by sending each of them again <paramref name="alone"/>.
    /// </summary>
    public Task PublishAsync(string queue, BasicProperties properties, ReadOnlyMemory<byte> body, bool alone, CancellationToken cancellationToken) => alone
        ? OnChannelAsync(
            async (channel, token) =>
            {
                await PublishAsync(channel, queue, properties, body, token);
                return 0;
            },
            cancellationToken)
        : WithinAsync(
            async token =>
            {
                await PublishAsync(await SharedChannelAsync(token), queue, properties, body, token);
                return 0;
            },
            cancellationToken);

    /// <summary>Messages that wait in each queue.</summary>
    public Task<IReadOnlyDictionary<string, long>> CountAsync(IEnumerable<string> queues, CancellationToken cancellationToken) => OnChannelAsync<IReadOnlyDictionary<string, long>>(
        async (channel, token) =>
        {
            var counts = new Dictionary<string, long>(StringComparer.Ordinal);
            foreach (var queue in queues)
                counts[queue] = await channel.MessageCountAsync(queue, token);
            return counts;
        },
        cancellationToken);

    public async ValueTask DisposeAsync()
    {
        try
        {
            await _connection.CloseAsync(TimeSpan.FromSeconds(2));
        }
        catch (Exception)
        {
            // It is being given up either way.
        }
        await _connection.DisposeAsync();
    }

    private static ValueTask PublishAsync(IChannel channel, string queue, BasicProperties properties, ReadOnlyMemory<byte> body, CancellationToken cancellationToken) =>
        channel.BasicPublishAsync(exchange: "", routingKey: queue, mandatory: true, properties, body, cancellationToken);

    private async Task<IChannel> SharedChannelAsync(CancellationToken cancellationToken)
    {
        if (_shared is { IsOpen: true } open)
            return open;
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (_shared is { IsOpen: false } ended)
            {
                _shared = null;
                await ended.DisposeAsync();
            }
            return _shared ??= await _connection.CreateChannelAsync(Confirming, cancellationToken);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private Task<TResult> OnChannelAsync<TResult>(Func<IChannel, CancellationToken, Task<TResult>> work, CancellationToken cancellationToken) => WithinAsync(
        async token =>
        {
            await _oneAtATime.WaitAsync(token);
            try
            {
                await using var channel = await _connection.CreateChannelAsync(Confirming, token);
                return await work(channel, token);
            }
            finally
            {
                _oneAtATime.Release();
            }
        },
        cancellationToken);

    private static async Task<TResult> WithinAsync<TResult>(Func<CancellationToken, Task<TResult>> work, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(AnswerWithin);
        try
        {
            return await work(limit.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"The broker has not answered within {AnswerWithin.TotalSeconds:0} s.", e);
        }
    }
}
