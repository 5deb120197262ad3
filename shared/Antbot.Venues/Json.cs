using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;

namespace Antbot.Venues;

/// <summary>An answer that is not what the venue's documentation says. Of an order it leaves unknown what happened.</summary>
internal sealed class BadAnswerException(string message) : Exception(message);

/// <summary>Reads field by field: what is missing, of another type or out of bounds is named, and never a silent default.</summary>
internal static class Json
{
    private const int TextLengthMax = 200;

    /// <summary>What reading an answer may throw. A text with half of a surrogate pair is found only when it is asked for, and not as bad JSON.</summary>
    public static bool MakesNoSense(Exception e) => e is JsonException or BadAnswerException or InvalidOperationException;

    public static JsonElement Need(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : throw new BadAnswerException($"'{name}' is missing");

    public static JsonElement? Find(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    public static string Text(this JsonElement json, string name) =>
        json.Need(name) is { ValueKind: JsonValueKind.String } value && value.GetString() is { Length: > 0 and <= TextLengthMax } text ? text : throw new BadAnswerException($"'{name}' is no text");

    /// <summary>A whole number; ids are numbers at this venue and texts here.</summary>
    public static long Whole(this JsonElement json, string name) =>
        json.Need(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt64(out var number) ? number : throw new BadAnswerException($"'{name}' is no whole number");

    public static string Id(this JsonElement json, string name) => json.Whole(name) is >= 0 and var id ? id.ToString(CultureInfo.InvariantCulture) : throw new BadAnswerException($"'{name}' is below zero");

    public static bool Flag(this JsonElement json, string name) => json.Need(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : throw new BadAnswerException($"'{name}' is neither true nor false");

    /// <summary>Amounts are texts at this venue.</summary>
    public static decimal Number(this JsonElement json, string name) => NumberOf(json.Need(name), name);

    public static decimal NumberOf(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.String && value.GetString() is { Length: <= 40 } text
        && decimal.TryParse(text, NumberStyles.AllowDecimalPoint | NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new BadAnswerException($"'{name}' is no decimal number");

    public static Price Price(this JsonElement json, string name) => Value<Price>(json.Number(name), name);

    public static Price PriceOf(JsonElement value, string name) => Value<Price>(NumberOf(value, name), name);

    public static Quantity Quantity(this JsonElement json, string name) => Value<Quantity>(json.Number(name), name);

    public static Quantity QuantityOf(JsonElement value, string name) => Value<Quantity>(NumberOf(value, name), name);

    /// <summary>A sum that somebody has paid.</summary>
    public static Money Amount(this JsonElement json, string name) =>
        json.Number(name) is >= 0 and var number ? Value<Money>(number, name) : throw new BadAnswerException($"'{name}' is below zero");

    public static DateTimeOffset Time(this JsonElement json, string name) => Time(json.Whole(name), name);

    public static DateTimeOffset Time(long milliseconds, string name) =>
        milliseconds is > 0 and < 4_102_444_800_000 ? DateTimeOffset.FromUnixTimeMilliseconds(milliseconds) : throw new BadAnswerException($"'{name}' is no time of this century");

    public static Symbol Symbol(this JsonElement json, string name) => Contracts.Symbol.Fault(json.Text(name)) is { } fault ? throw new BadAnswerException(fault) : new Symbol(json.Text(name));

    public static IEnumerable<JsonElement> List(JsonElement json, string name) => json.ValueKind == JsonValueKind.Array ? json.EnumerateArray() : throw NoList(name);

    public static BadAnswerException NoList(string name) => new($"{name} is no list");

    private static T Value<T>(decimal number, string name)
        where T : struct, INumberValue<T> => T.Fault(number) is { } fault ? throw new BadAnswerException($"'{name}': {fault}") : T.From(number);
}
