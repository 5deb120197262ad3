using Antbot.Contracts.Events;
using Antbot.Runtime.Bus;

namespace Antbot.Messaging;

/// <summary>Sends a dead letter once more to where it was going, as it was.</summary>
public interface IDeadLetterSender
{
    /// <summary>Returns when the broker has confirmed it. Sending it twice is harmless.</summary>
    /// <param name="replay">What the header says.</param>
    /// <param name="alone">Not beside others, of which one may have been to blame.</param>
    /// <exception cref="UnsendableLetterException">It is to blame itself.</exception>
    /// <exception cref="BusUnavailableException">It was not confirmed; whether the bus takes anything at all, <see cref="TakesOthersAsync"/> says.</exception>
    Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken);

    /// <summary>Whether the broker takes messages: then one that it does not take is to blame itself, or its queue is.</summary>
    Task<bool> TakesOthersAsync(CancellationToken cancellationToken);
}
