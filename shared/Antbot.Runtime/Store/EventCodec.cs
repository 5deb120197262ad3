using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Antbot.Runtime.Store;

/// <summary>Between event classes and stored bodies: PascalCase, enums as integers, decimals as numbers.</summary>
public sealed class EventCodec(EventRegistry registry)
{
    /// <summary>
    /// A missing member is an error instead of a silent default, and so is a repeated one; a member that this build
    /// does not know yet is passed over, because the next build writes to the same streams.
    /// </summary>
    public static JsonSerializerOptions Json { get; } = MakeOptions();

    private readonly ConcurrentDictionary<Type, string> _clrNames = new();

    public NewEvent Encode(object @event)
    {
        ArgumentNullException.ThrowIfNull(@event);
        var type = @event.GetType();
        var name = registry.NameOf(type);
        var clr = _clrNames.GetOrAdd(type, static t => $"{t.FullName}, {t.Assembly.GetName().Name}");
        return new NewEvent(name, clr, JsonSerializer.SerializeToUtf8Bytes(@event, type, Json));
    }

    public object Decode(StoredEvent stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (!registry.TryResolve(stored.Type, out var type, out var changes))
        {
            throw new EventStoreException(
                StoreFault.UnknownType,
                $"{Where(stored)} is stored as '{stored.Type}', which this build does not know. Run a build that does, or register an upcaster.");
        }
        try
        {
            var decoded = changes is null
                ? JsonSerializer.Deserialize(stored.Data.Span, type!, Json)
                : Upcast(stored, changes).Deserialize(type!, Json);
            return decoded ?? throw new JsonException("The body is null.");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or ArgumentException or FormatException or KeyNotFoundException)
        {
            throw new EventStoreException(StoreFault.Undecodable, $"{Where(stored)} does not fit '{stored.Type}': {e.Message}", e);
        }
    }

    private static JsonObject Upcast(StoredEvent stored, List<Func<JsonObject, JsonObject>> changes)
    {
        var body = JsonNode.Parse(stored.Data.Span) as JsonObject ?? throw new JsonException("The body is not an object.");
        foreach (var change in changes)
            body = change(body);
        return body;
    }

    private static string Where(StoredEvent stored) => $"Event {stored.EventId} (sequence {stored.Sequence}, {stored.Stream} version {stored.Version})";

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions
        {
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowDuplicateProperties = false,
        };
        options.MakeReadOnly(populateMissingResolver: true);
        return options;
    }
}
