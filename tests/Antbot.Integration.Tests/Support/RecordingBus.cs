using System.Collections.Concurrent;
using Antbot.Runtime.Bus;

namespace Antbot.Integration.Tests.Support;

/// <summary>Keeps what is published, for tests that ask what was said.</summary>
internal sealed class RecordingBus : IMessageBus
{
    public ConcurrentQueue<OutboundMessage> Sent { get; } = new();

    public volatile bool Down;

    public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
    {
        if (Down)
            throw new BusUnavailableException("The broker is down.");
        foreach (var message in messages)
            Sent.Enqueue(message);
        return Task.CompletedTask;
    }
}
