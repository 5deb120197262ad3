using System.Text.Json;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;
using MassTransit;
using RabbitMQ.Client;

namespace Antbot.Simulation.Ports;

/// <summary>What others publish into our queues by mistake.</summary>
internal static class Trash
{
    private const int Few = 200;

    /// <summary>More than lies in an event itself.</summary>
    private const int Many = 70 * 1024;

    public static OutboundMessage Of(SomebodyPublishes what, OutboundMessage beside, int number, Chance chance)
    {
        var id = DeterministicId.From("rubbish", $"{chance.Seed}", $"{number}");
        return what.What switch
        {
            Rubbishes.Bytes => Message(id, new BasicProperties(), Bytes(Few)),
            Rubbishes.ManyBytes => Message(id, new BasicProperties(), Bytes(Many)),
            Rubbishes.Unreadable => Message(id, Bearing(id), Wire.Envelope(id, MessageUrn.ForTypeString(beside.Body.GetType()), Empty)),
            Rubbishes.Unknown => Message(id, Bearing(id), Wire.Envelope(id, "urn:message:Somebody.Else:Message", Empty)),
            _ => throw new ArgumentOutOfRangeException(nameof(what), what, "That is nothing that anybody publishes."),
        };

        OutboundMessage Message(Guid messageId, BasicProperties properties, byte[] body) => new(messageId, beside.Endpoint, new Rubbish(properties, body, what.What == Rubbishes.Unknown), null, null);

        byte[] Bytes(int length)
        {
            var bytes = new byte[length];
            for (var i = 0; i < length; i++)
                bytes[i] = (byte)chance.Below(256, "rubbish", (number * 100_000L) + i);
            return bytes;
        }
    }

    private static JsonElement Empty => JsonElement.Parse("{}");

    private static BasicProperties Bearing(Guid id) => new() { MessageId = $"{id:D}", ContentType = "application/vnd.masstransit+json" };
}
