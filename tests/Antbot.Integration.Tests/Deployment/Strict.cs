using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>A text of a certain form.</summary>
internal interface IFormat<TSelf>
    where TSelf : IFormat<TSelf>
{
    /// <summary>Null where the text is of this form.</summary>
    static abstract string? FaultOf(string text);

    static abstract TSelf Of(string text);
}

/// <summary>Reads into records: what they do not name, what they need and is not there, and what is of another type is a fault.</summary>
internal static class Strict
{
    private static readonly JsonSerializerOptions Kubernetes = With(JsonNamingPolicy.CamelCase);
    private static readonly JsonSerializerOptions Compose = With(JsonNamingPolicy.SnakeCaseLower);

    /// <exception cref="FormatException">With the place and what is wrong there.</exception>
    public static object Read(JsonNode node, Type type)
    {
        try
        {
            return node.Deserialize(type, type == typeof(ComposeFile) ? Compose : Kubernetes)!;
        }
        catch (JsonException e)
        {
            throw new FormatException($"{e.Path}: {e.InnerException?.Message ?? e.Message}", e);
        }
    }

    public static T Read<T>(JsonNode node) => (T)Read(node, typeof(T));

    private static JsonSerializerOptions With(JsonNamingPolicy names) => new()
    {
        PropertyNamingPolicy = names,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };
}

internal sealed class FormatConverter<T> : JsonConverter<T>
    where T : IFormat<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        var text = Text(ref reader);
        return T.FaultOf(text) is { } fault ? throw new JsonException($"'{text}' is {fault}.") : T.Of(text);
    }

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Read(ref reader, typeToConvert, options);

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => throw new NotSupportedException();

    private static string Text(ref Utf8JsonReader reader) => reader.TokenType is JsonTokenType.String or JsonTokenType.PropertyName
        ? reader.GetString()!
        : throw new JsonException($"a text is wanted, and here is a {reader.TokenType}.");
}
