using Antbot.Contracts;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService;

/// <summary>Tells the services what operators have ordered, from the record: a process that ends in between loses nothing, and a repetition has the same id.</summary>
internal sealed class OperatorCommandPublisher(IEventStore store, EventCodec codec, IMessageBus bus, TimeProvider clock)
{
    public Task RunAsync(CancellationToken cancellationToken) => new DurableSubscription(store, "console-commands", PublishAsync, clock).RunAsync(cancellationToken);

    private async Task PublishAsync(IReadOnlyList<StoredEvent> page, CancellationToken cancellationToken)
    {
        var messages = Outgoing.From(page.Where(e => e.Stream.StartsWith(Streams.AuditPrefix, StringComparison.Ordinal)), codec, OperatorCommands.React);
        if (messages.Count > 0)
            await bus.PublishAsync(messages, cancellationToken);
    }
}
