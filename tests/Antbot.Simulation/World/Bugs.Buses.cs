using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Bus;

namespace Antbot.Simulation.World;

public static partial class Bugs
{
    private sealed class DeafBus(IMessageBus inner) : IMessageBus
    {
        public async Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
        {
            try
            {
                await inner.PublishAsync(messages, cancellationToken);
            }
            catch (BusUnavailableException)
            {
                // Nobody listens.
            }
        }
    }

    private sealed class DroppingBus(IMessageBus inner, Func<OutboundMessage, bool> drops) : IMessageBus
    {
        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) =>
            inner.PublishAsync([.. messages.Where(m => !drops(m))], cancellationToken);
    }

    private sealed class HoardingBus(IMessageBus inner) : IMessageBus
    {
        private readonly List<OutboundMessage> _hoard = [];

        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
        {
            _hoard.AddRange(messages);
            return inner.PublishAsync([.. _hoard], cancellationToken);
        }
    }

    private sealed class ChangingBus(IMessageBus inner) : IMessageBus
    {
        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) =>
            inner.PublishAsync([.. messages.Select(m => m.Body is TradeOpened e ? m with { Body = e with { Cost = new Money(e.Cost.Value / 2) } } : m)], cancellationToken);
    }
}
