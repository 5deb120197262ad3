using Antbot.Runtime.Pipeline;

namespace Antbot.Runtime.Bus;

/// <summary>
/// What a service does with one kind of message. It returns when all that follows is recorded and confirmed; the message is then
/// acknowledged. What it throws is the message's own fault, but for <see cref="Store.EventStoreException"/>,
/// <see cref="BusUnavailableException"/> and the like, which stand for a dependency that is down and never count against a message.
/// </summary>
public interface IMessageHandler<in TMessage>
    where TMessage : class
{
    Task HandleAsync(TMessage message, Input input, CancellationToken cancellationToken);
}
