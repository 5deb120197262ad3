using System.Globalization;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Pipeline;

/// <summary>Makes the messages of stored events: the same ones, with the same ids, however often it is asked.</summary>
public static class Outgoing
{
    public static IReadOnlyList<OutboundMessage> From(IEnumerable<StoredEvent> events, EventCodec codec, Func<object, IReadOnlyList<object>> react)
    {
        var messages = new List<OutboundMessage>();
        foreach (var stored in events)
            Add(messages, stored, react(codec.Decode(stored)));
        return messages;
    }

    /// <param name="ordinal">Of the event's messages.</param>
    public static Guid IdOf(StoredEvent stored, int ordinal, string endpoint) =>
        DeterministicId.From("message", stored.EventId.ToString("N"), ordinal.ToString(CultureInfo.InvariantCulture), endpoint);

    private static void Add(List<OutboundMessage> messages, StoredEvent stored, IReadOnlyList<object> bodies)
    {
        for (var i = 0; i < bodies.Count; i++)
        {
            foreach (var endpoint in Routes.Of(bodies[i].GetType()))
                messages.Add(new OutboundMessage(IdOf(stored, i, endpoint), endpoint, bodies[i], ChainOf(bodies[i], stored), stored.TraceId));
        }
    }

    /// <summary>What is about a trade belongs to the trade's chain, wherever it was decided: at an account much is decided about trades.</summary>
    private static string? ChainOf(object body, StoredEvent stored) => body is ITradeMessage about ? about.Trade.Value : stored.CorrelationId;
}
