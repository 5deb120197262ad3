using System.Text.Json;
using System.Text.Json.Serialization;

namespace Antbot.EventStore.Marten;

/// <summary>
/// A body that is JSON already. Marten serializes objects; this one serializes to exactly what was handed in, so that no number
/// loses digits and no member is lost for want of a class.
/// </summary>
[JsonConverter(typeof(RawBodyConverter))]
internal sealed class RawBody(byte[] json)
{
    public ReadOnlyMemory<byte> Json { get; } = json;
}

internal sealed class RawBodyConverter : JsonConverter<RawBody>
{
    // Reads go through the rows, never through Marten's classes.
    public override RawBody Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return new RawBody(JsonSerializer.SerializeToUtf8Bytes(document.RootElement));
    }

    // PreparedAppend has made the body canonical: checking it once more would only cost.
    public override void Write(Utf8JsonWriter writer, RawBody value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value.Json.Span, skipInputValidation: true);
}
