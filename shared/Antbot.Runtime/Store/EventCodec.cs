using System.Collections.Concurrent;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Antbot.Contracts;

namespace Antbot.Runtime.Store;

/// <summary>Between event classes and stored bodies: PascalCase, enums as integers, decimals as numbers.</summary>
public class EventCodec(EventRegistry registry)
{
    /// <summary>
    /// A missing member is an error instead of a silent default, and so is a repeated one; a member that this build
    /// does not know yet is passed over, because the next build writes to the same streams.
    /// </summary>
    public static JsonSerializerOptions Json { get; } = MakeOptions();

    /// <summary>The same for people: enums by name.</summary>
    public static JsonSerializerOptions JsonForPeople { get; } = MakeForPeople();

    private static readonly ConcurrentDictionary<Type, string> ClrNames = new();

    private readonly RecentEvents _recent = new();

    public NewEvent Encode(object @event)
    {
        ArgumentNullException.ThrowIfNull(@event);
        var type = @event.GetType();
        var name = registry.NameOf(type);
        var clr = ClrNames.GetOrAdd(type, static t => $"{t.FullName}, {t.Assembly.GetName().Name}");
        return new NewEvent(name, clr, JsonSerializer.SerializeToUtf8Bytes(@event, type, Json));
    }

    /// <summary>What was encoded into this event, for those who read it soon.</summary>
    public virtual void Remember(StoredEvent stored, object @event)
    {
        ArgumentNullException.ThrowIfNull(stored);
        _recent.Add(stored, @event);
    }

    public virtual object Decode(StoredEvent stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        if (_recent.Find(stored) is { } recent)
            return recent;
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

    /// <summary>The event where it is of this kind; null for every other, those among them that only another service knows.</summary>
    public TEvent? Find<TEvent>(StoredEvent stored)
        where TEvent : class
    {
        ArgumentNullException.ThrowIfNull(stored);
        return registry.TryResolve(stored.Type, out var type, out _) && type == typeof(TEvent) ? (TEvent)Decode(stored) : null;
    }

    private static JsonObject Upcast(StoredEvent stored, List<Func<JsonObject, JsonObject>> changes)
    {
        var body = JsonNode.Parse(stored.Data.Span) as JsonObject ?? throw new JsonException("The body is not an object.");
        foreach (var change in changes)
            body = Change(body, change);
        return body;
    }

    /// <summary>An upcaster is written for the bodies it knows; whatever it throws means that this is none of them.</summary>
    private static JsonObject Change(JsonObject body, Func<JsonObject, JsonObject> change)
    {
        try
        {
            return change(body);
        }
        catch (Exception e)
        {
            throw new JsonException($"Its upcaster failed: {e.Message}", e);
        }
    }

    private static string Where(StoredEvent stored) => $"Event {stored.EventId} (sequence {stored.Sequence}, {stored.Stream} version {stored.Version})";

    private static JsonSerializerOptions MakeOptions()
    {
        var options = new JsonSerializerOptions
        {
            RespectNullableAnnotations = true,
            RespectRequiredConstructorParameters = true,
            AllowDuplicateProperties = false,
            Converters = { new DefinedEnumConverter() },
            TypeInfoResolver = new DefaultJsonTypeInfoResolver { Modifiers = { RequireMembers } },
        };
        options.MakeReadOnly();
        return options;
    }

    private static JsonSerializerOptions MakeForPeople()
    {
        var options = new JsonSerializerOptions(Json) { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        // Before the one that the events are stored with.
        options.Converters.Insert(0, new JsonStringEnumConverter());
        options.MakeReadOnly();
        return options;
    }

    /// <summary>The serializer requires constructor parameters only; a property with an initializer would pass in silence.</summary>
    private static void RequireMembers(JsonTypeInfo type)
    {
        if (type.Kind != JsonTypeInfoKind.Object)
            return;
        foreach (var property in type.Properties)
        {
            // A parameter with a default value is optional on purpose, and so is what is not always written.
            if (property is { Set: not null, AssociatedParameter: null, IsExtensionData: false, ShouldSerialize: null })
                property.IsRequired = true;
        }
    }
}
