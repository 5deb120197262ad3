using System.Text.Json;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>A value that is one text in JSON, with an alphabet of its own.</summary>
public interface ITextValue<TSelf>
    where TSelf : struct, ITextValue<TSelf>
{
    string Value { get; }

    /// <summary>Why the text is none of these; null where it is one.</summary>
    static abstract string? Fault(string text);

    static abstract TSelf From(string text);
}

/// <summary>A value that is one number in JSON, with bounds of its own.</summary>
public interface INumberValue<TSelf>
    where TSelf : struct, INumberValue<TSelf>
{
    decimal Value { get; }

    /// <summary>Why the number is none of these; null where it is one.</summary>
    static abstract string? Fault(decimal number);

    static abstract TSelf From(decimal number);
}

public sealed class TextValueConverter<T> : JsonConverter<T>
    where T : struct, ITextValue<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        Parse(reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException($"A {typeof(T).Name} is a text."));

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteStringValue(value.Value);

    public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => Parse(reader.GetString()!);

    public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WritePropertyName(value.Value);

    private static T Parse(string text) => T.Fault(text) is { } fault ? throw new JsonException(fault) : T.From(text);
}

public sealed class NumberValueConverter<T> : JsonConverter<T>
    where T : struct, INumberValue<T>
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.Number || !reader.TryGetDecimal(out var number))
            throw new JsonException($"A {typeof(T).Name} is a decimal number.");
        return T.Fault(number) is { } fault ? throw new JsonException(fault) : T.From(number);
    }

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(value.Value);
}
