using System.Text;
using System.Text.Json;
using Antbot.Contracts.Messages;
using Antbot.Fuzz.Making;
using Antbot.Messaging;
using MassTransit;
using MassTransit.Serialization;

namespace Antbot.Fuzz.Targets;

/// <summary>A message as it comes from the broker, envelope and all, read by what the endpoints read with.</summary>
public sealed class MessageTarget(Type message) : IFuzzTarget
{
    private static readonly SystemTextJsonMessageSerializer Serializer = Prepare();

    private static readonly JsonDocumentOptions AsTheEndpointsRead = new() { CommentHandling = MessageJson.Options.ReadCommentHandling, AllowTrailingCommas = MessageJson.Options.AllowTrailingCommas };

    private readonly ReadBody _read = typeof(MessageTarget).GetMethod(nameof(Read), System.Reflection.BindingFlags.NonPublic | System.Reflection.BindingFlags.Static)!.MakeGenericMethod(message).CreateDelegate<ReadBody>();

    private delegate object? ReadBody(SerializerContext context);

    public static IEnumerable<IFuzzTarget> All => Routes.All.Keys.OrderBy(t => t.Name, StringComparer.Ordinal).Select(t => new MessageTarget(t));

    public string Name => $"message:{message.Name}";

    public string What => $"{message.Name}, as it comes from the broker";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random)
    {
        var body = Mutator.Spoil(Envelope(new Maker(random).Make(message)!), random);
        object? taken;
        try
        {
            taken = _read(Serializer.Deserialize(new BytesMessageBody(body), new DictionarySendHeaders(new Dictionary<string, object?>(StringComparer.OrdinalIgnoreCase)!), destinationAddress: null));
        }
        // What the endpoints dead-letter at once, with this as the reason.
        catch (Exception e) when (e is System.Runtime.Serialization.SerializationException or JsonException)
        {
            return e.Message.Length > 0 ? FuzzOutcome.Refused : throw new FuzzException("It was refused without a reason.");
        }
        // Of another kind than this endpoint takes: it goes among the skipped ones. What still says that it is of this kind must not.
        if (taken is null)
            return IsOfThisKind(body) ? throw new FuzzException($"It was passed over, though it says what it is: {Encoding.UTF8.GetString(body)}") : FuzzOutcome.Refused;
        Defined.Check(taken);
        // What was taken means one thing: written and read again it is the same.
        var written = JsonSerializer.Serialize(taken, message, SystemTextJsonMessageSerializer.Options);
        var again = JsonSerializer.Serialize(JsonSerializer.Deserialize(written, message, SystemTextJsonMessageSerializer.Options), message, SystemTextJsonMessageSerializer.Options);
        return written == again ? FuzzOutcome.Taken : throw new FuzzException($"It was taken for {written}, which is read as {again}.");
    }

    private static object? Read<T>(SerializerContext context)
        where T : class => context.TryGetMessage<T>(out var message) ? message : null;

    private string Urn => $"urn:message:{message.Namespace}:{message.Name}";

    private bool IsOfThisKind(byte[] body)
    {
        using var document = JsonDocument.Parse(body, AsTheEndpointsRead);
        return document.RootElement is { ValueKind: JsonValueKind.Object } envelope
            && envelope.TryGetProperty("message", out var inside) && inside.ValueKind == JsonValueKind.Object
            && envelope.TryGetProperty("messageType", out var types) && types.ValueKind == JsonValueKind.Array && types.EnumerateArray().Any(t => t.ValueKind == JsonValueKind.String && t.ValueEquals(Urn));
    }

    private string Envelope(object body) =>
        $$"""{"messageId":"018f0000-0000-7000-8000-000000000001","correlationId":"018f0000-0000-7000-8000-000000000002","messageType":["{{Urn}}"],"message":{{JsonSerializer.Serialize(body, message, SystemTextJsonMessageSerializer.Options)}},"headers":{"trace":"0af7651916cd43dd8448eb211c80319c"},"sentTime":"2026-01-01T00:00:00Z"}""";

    private static SystemTextJsonMessageSerializer Prepare()
    {
        SystemTextJsonMessageSerializer.Options = MessageJson.Options;
        return new SystemTextJsonMessageSerializer();
    }
}
