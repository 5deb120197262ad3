using Antbot.Runtime.Health;

namespace Antbot.Runtime.Bus;

/// <summary>Where messages go out. Returns when the broker has confirmed every one; sending one twice is harmless.</summary>
public interface IMessageBus
{
    /// <summary>Throws <see cref="BusUnavailableException"/> where one of them was not confirmed in time.</summary>
    Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default);
}

/// <param name="Id">A hash of the event it follows from, so that every repetition has the same.</param>
/// <param name="Endpoint">One of <see cref="Contracts.Messages.Routes.Endpoints"/>.</param>
public sealed record OutboundMessage(Guid Id, string Endpoint, object Body, string? CorrelationId, string? TraceId);

/// <summary>The broker cannot be reached, or has not confirmed. The message may be out or not; sending it again is harmless.</summary>
public sealed class BusUnavailableException(string message, Exception? inner = null) : DependencyDownException("bus", message, inner);
