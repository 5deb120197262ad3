using System.Collections.Concurrent;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Messaging;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>A message on its way to an endpoint.</summary>
internal sealed record Crossed(string Endpoint, Type Message, Guid Id, TradeId Trade);

/// <summary>
/// Stands at the broker between every exchange and its queue: whatever is sent comes here first, and the test says after
/// which times it is delivered, or that it is kept. The services know nothing of it.
/// </summary>
internal sealed class Crossing : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly HashSet<(string Endpoint, Guid Id)> _planned = [];
    private readonly PriorityQueue<Delivery, long> _waiting = new();
    private readonly List<Delivery> _kept = [];
    private readonly ConcurrentDictionary<Type, int> _seen = new();
    private readonly CancellationTokenSource _end = new();
    private readonly IConnection _connection;
    private readonly IChannel _in;
    private readonly IChannel _out;
    private readonly Func<Crossed, IReadOnlyList<TimeSpan>> _plan;
    private readonly Func<IReadOnlyList<Crossed>, bool> _opens;
    private Func<Crossed, bool> _keeps = _ => false;
    private Task _delivering = Task.CompletedTask;
    private long _delivered;
    private long _deliveredWhole;

    private Crossing(IConnection connection, IChannel @in, IChannel @out, Func<Crossed, IReadOnlyList<TimeSpan>> plan, Func<IReadOnlyList<Crossed>, bool> opens) =>
        (_connection, _in, _out, _plan, _opens) = (connection, @in, @out, plan, opens);

    /// <param name="Messages">One, but where they travel together.</param>
    private sealed record Delivery(string Lane, BasicProperties Properties, ReadOnlyMemory<byte> Body, IReadOnlyList<Crossed> Messages);

    /// <summary>How many different messages of each kind have come by.</summary>
    public IReadOnlyDictionary<Type, int> Seen => _seen;

    public long Delivered => Interlocked.Read(ref _delivered);

    /// <summary>How many times several messages were delivered as one.</summary>
    public long DeliveredWhole => Interlocked.Read(ref _deliveredWhole);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Once everything is declared and ready.</summary>
    /// <param name="plan">For a message that comes for the first time: when each of its copies is delivered. What is sent again later is one of them.</param>
    /// <param name="opens">Whether what travels together is taken apart, so that each message has its own copies and times. Else it is repeated as it came, by the plan for the first in it that is new.</param>
    public static async Task<Crossing> BuildAsync(Uri broker, Func<Crossed, IReadOnlyList<TimeSpan>> plan, Func<IReadOnlyList<Crossed>, bool> opens)
    {
        var connection = await new ConnectionFactory { Uri = broker, AutomaticRecoveryEnabled = false }.CreateConnectionAsync(Cancel);
        var crossing = new Crossing(connection, await connection.CreateChannelAsync(cancellationToken: Cancel), await connection.CreateChannelAsync(cancellationToken: Cancel), plan, opens);
        await crossing.OpenAsync();
        return crossing;
    }

    /// <summary>Each once and at once.</summary>
    public static Task<Crossing> BuildAsync(Uri broker) => BuildAsync(broker, _ => [TimeSpan.Zero], _ => true);

    public void Keep(Func<Crossed, bool> what)
    {
        lock (_lock)
            _keeps = what;
    }

    /// <summary>Nothing is kept any more; what was kept is delivered, the last first.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _keeps = _ => false;
            _kept.Reverse();
            for (var i = 0; i < _kept.Count; i++)
                Schedule(_kept[i], i);
            _kept.Clear();
        }
    }

    public int KeptOf(Type message)
    {
        lock (_lock)
            return _kept.Sum(k => k.Messages.Count(m => m.Message == message));
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _delivering;
        await _connection.DisposeAsync();
        _end.Dispose();
    }

    private async Task OpenAsync()
    {
        foreach (var lane in Topology.Lanes)
        {
            var (queue, crossing) = (Topology.QueueOf(lane), $"crossing-{lane}");
            await _in.QueueDeclareAsync(crossing, durable: false, exclusive: false, autoDelete: false, cancellationToken: Cancel);
            await _in.QueueBindAsync(crossing, queue, routingKey: "", cancellationToken: Cancel);
            await _in.QueueUnbindAsync(queue, queue, routingKey: "", cancellationToken: Cancel);
            var consumer = new AsyncEventingBasicConsumer(_in);
            consumer.ReceivedAsync += (_, e) =>
            {
                Take(lane, e.BasicProperties, e.Body.ToArray());
                return Task.CompletedTask;
            };
            await _in.BasicConsumeAsync(crossing, autoAck: true, consumer, Cancel);
        }
        _delivering = DeliverAsync(_end.Token);
    }

    private void Take(string lane, IReadOnlyBasicProperties properties, byte[] body)
    {
        var bodies = Open(body);
        var messages = bodies.Select(b => Read(Topology.EndpointOf(lane), b)).ToList();
        if (messages.Count > 1 && !_opens(messages))
        {
            TakeOne(new Delivery(lane, new BasicProperties(properties), body, messages));
            return;
        }
        foreach (var (one, message) in bodies.Zip(messages))
            TakeOne(new Delivery(lane, new BasicProperties(properties), one, [message]));
    }

    private void TakeOne(Delivery delivery)
    {
        lock (_lock)
        {
            // Of what is kept, its repetitions are kept too.
            if (delivery.Messages.Any(_keeps))
                _kept.Add(delivery);
            else
                Schedule(delivery, 0);
        }
    }

    private void Schedule(Delivery delivery, int behind)
    {
        var added = delivery.Messages.Where(m => _planned.Add((m.Endpoint, m.Id))).ToList();
        foreach (var message in added)
            _seen.AddOrUpdate(message.Message, 1, (_, n) => n + 1);
        if (added.Count == 0)
            return;
        foreach (var after in _plan(added[0]))
            _waiting.Enqueue(delivery, Environment.TickCount64 + (long)after.TotalMilliseconds + behind);
    }

    private async Task DeliverAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            Delivery? due = null;
            lock (_lock)
            {
                if (_waiting.TryPeek(out var next, out var at) && at <= Environment.TickCount64)
                {
                    due = next;
                    _waiting.Dequeue();
                }
            }
            if (due is null)
            {
                await Task.Delay(5, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }
            await _out.BasicPublishAsync("", Topology.QueueOf(due.Lane), mandatory: true, due.Properties, due.Body, CancellationToken.None);
            Interlocked.Increment(ref _delivered);
            if (due.Messages.Count > 1)
                Interlocked.Increment(ref _deliveredWhole);
        }
    }

    /// <summary>The messages of a parcel, each as if it had come alone.</summary>
    private static IReadOnlyList<byte[]> Open(byte[] body)
    {
        using var envelope = JsonDocument.Parse(body);
        if (!envelope.RootElement.GetProperty("messageType")[0].GetString()!.EndsWith(":Parcel", StringComparison.Ordinal))
            return [body];
        return [.. envelope.RootElement.GetProperty("message").GetProperty("messages").EnumerateArray().Select(m => JsonSerializer.SerializeToUtf8Bytes(new
        {
            messageId = m.GetProperty("id").GetGuid(),
            correlationId = m.GetProperty("correlationId").Deserialize<Guid?>(),
            messageType = new[] { m.GetProperty("type").GetString() },
            message = m.GetProperty("body"),
            headers = m.GetProperty("traceId").GetString() is { } trace ? new Dictionary<string, string> { [MessageHeaders.TraceId] = trace } : [],
        }))];
    }

    private static Crossed Read(string endpoint, byte[] body)
    {
        using var envelope = JsonDocument.Parse(body);
        var name = envelope.RootElement.GetProperty("messageType")[0].GetString()!.Split(':')[^1];
        var message = envelope.RootElement.GetProperty("message");
        var trade = (message.TryGetProperty("trade", out var direct) ? direct : message.GetProperty("signal").GetProperty("trade")).GetString()!;
        return new Crossed(endpoint, Routes.All.Keys.Single(t => t.Name == name), envelope.RootElement.GetProperty("messageId").GetGuid(), TradeId.From(trade));
    }
}
