using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>A message with the id that it bore.</summary>
internal sealed record Said(Guid Id, string Endpoint, object Body);

/// <summary>An event as it is stored and as what it is, with the messages that it says.</summary>
/// <param name="Event">Null where this build does not know it.</param>
internal sealed record Traced(StoredEvent Stored, object? Event, IReadOnlyList<Said> Says)
{
    /// <summary>The trade that the event is about, as far as it says so.</summary>
    public TradeId? Trade => TradeIn(Stored);

    /// <summary>The trade whose own stream it stands in.</summary>
    public TradeId? Owner => OwnerOf(Stored.Stream);

    /// <summary>A letter is kept on the message that died: nothing was decided on that.</summary>
    public bool IsLetter => Stored.Stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal);

    private static TradeId? OwnerOf(string stream)
    {
        foreach (var prefix in new[] { Streams.SignalPrefix, Streams.TradePrefix, Streams.OrderPrefix })
        {
            if (stream.StartsWith(prefix, StringComparison.Ordinal) && TradeId.TryParse(stream[prefix.Length..], out var trade))
                return trade;
        }
        return null;
    }

    private static TradeId? TradeIn(StoredEvent stored)
    {
        if (OwnerOf(stored.Stream) is { } owner)
            return owner;
        using var document = JsonDocument.Parse(stored.Data);
        var body = document.RootElement;
        return TradeOf(body) ?? Member(body, "Signal") ?? Member(body, "Verify");

        static TradeId? Member(JsonElement body, string name) => body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var inner) ? TradeOf(inner) : null;
    }

    private static TradeId? TradeOf(JsonElement body) => body.ValueKind == JsonValueKind.Object && body.TryGetProperty("Trade", out var value) && value.ValueKind == JsonValueKind.String
        && TradeId.TryParse(value.GetString(), out var trade) ? trade : null;
}

/// <summary>Reads events with whatever this build knows of them.</summary>
internal sealed class TraceReader
{
    private static readonly Func<object, IReadOnlyList<object>> Nothing = static _ => [];

    private readonly EventCodec _codec = new(StreamKinds.Registry);

    public Traced Read(StoredEvent stored)
    {
        object @event;
        try
        {
            @event = _codec.Decode(stored);
        }
        catch (EventStoreException)
        {
            // What this build does not know is told as it is: the story has no holes.
            return new Traced(stored, null, []);
        }
        var bodies = ReactOf(stored.Stream)(@event);
        var says = new List<Said>();
        for (var i = 0; i < bodies.Count; i++)
        {
            foreach (var endpoint in Contracts.Messages.Routes.Of(bodies[i].GetType()))
                says.Add(new Said(Outgoing.IdOf(stored, i, endpoint), endpoint, bodies[i]));
        }
        return new Traced(stored, @event, says);
    }

    /// <summary>For people; without the bytes of what died, which its own story has.</summary>
    public static JsonElement Told(Traced traced) => traced.Event switch
    {
        DeadLetterKept letter => StateAt.Told(letter with { Properties = null, Body = null }),
        { } known => StateAt.Told(known),
        null => JsonElement.Parse(traced.Stored.Data.Span),
    };

    private static Func<object, IReadOnlyList<object>> ReactOf(string stream) =>
        StreamKinds.Find(stream)?.React ?? (stream.StartsWith(Streams.AuditPrefix, StringComparison.Ordinal) ? OperatorCommands.React : Nothing);
}
