using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Antbot.Contracts;

/// <summary>An enum as its number, and only such as have a name, or of flags several of them: a side of 50 would be found by whoever first asks which way it goes.</summary>
public sealed class DefinedEnumConverter : JsonConverterFactory
{
    public override bool CanConvert(Type typeToConvert)
    {
        ArgumentNullException.ThrowIfNull(typeToConvert);
        return typeToConvert.IsEnum && Enum.GetUnderlyingType(typeToConvert) == typeof(int);
    }

    public override JsonConverter CreateConverter(Type typeToConvert, JsonSerializerOptions options) =>
        (JsonConverter)Activator.CreateInstance(typeof(Converter<>).MakeGenericType(typeToConvert))!;

    private sealed class Converter<T> : JsonConverter<T>
        where T : struct, Enum
    {
        /// <summary>Of flags all that have a name; null where one is meant.</summary>
        private static readonly int? Flags = typeof(T).IsDefined(typeof(FlagsAttribute), inherit: false) ? Enum.GetValues<T>().Aggregate(0, (all, one) => all | Unsafe.BitCast<T, int>(one)) : null;

        public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            if (reader.TokenType != JsonTokenType.Number || !reader.TryGetInt32(out var number))
                throw new JsonException($"A {typeof(T).Name} is a whole number.");
            var value = Unsafe.BitCast<int, T>(number);
            return (Flags is { } flags ? (number & ~flags) == 0 : Enum.IsDefined(value)) ? value : throw new JsonException($"There is no {typeof(T).Name} {number}.");
        }

        public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WriteNumberValue(Unsafe.BitCast<T, int>(value));

        public override T ReadAsPropertyName(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            Enum.TryParse<T>(reader.GetString(), out var value) && Enum.IsDefined(value) ? value : throw new JsonException($"There is no such {typeof(T).Name}.");

        public override void WriteAsPropertyName(Utf8JsonWriter writer, T value, JsonSerializerOptions options) => writer.WritePropertyName(value.ToString());
    }
}
