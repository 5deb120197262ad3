using Antbot.Contracts.Events;

namespace Antbot.Runtime.Bus;

/// <param name="Queue">Where it lay, or would have lain.</param>
/// <param name="Endpoint">Where it was going; empty where nobody can say.</param>
public sealed record DeadMessage(string Queue, string Endpoint, DeadLetterKind Kind, MessageProperties Properties, ReadOnlyMemory<byte> Body);

/// <summary>Keeps what no endpoint could work on.</summary>
public interface IDeadLetters
{
    /// <summary>Returns when it is recorded for good. The same message twice is recorded once.</summary>
    Task KeepAsync(DeadMessage message, CancellationToken cancellationToken = default);
}
