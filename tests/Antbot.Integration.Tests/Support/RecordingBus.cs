using System.Collections.Concurrent;
using Antbot.Runtime.Bus;

namespace Antbot.Integration.Tests.Support;

/// <summary>Keeps what is published, or fails as told.</summary>
internal sealed class RecordingBus : IMessageBus
{
    public ConcurrentQueue<OutboundMessage> Sent { get; } = new();

    public volatile bool Down;

    /// <summary>Called before anything goes out; what it throws is the bus's fault.</summary>
    public Func<CancellationToken, Task> Before { get; set; } = _ => Task.CompletedTask;

    public async Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
    {
        if (Down)
            throw new BusUnavailableException("The broker is down.");
        await Before(cancellationToken);
        foreach (var message in messages)
            Sent.Enqueue(message);
    }
}
