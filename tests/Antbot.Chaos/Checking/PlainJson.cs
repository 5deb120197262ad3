using System.Text;
using System.Text.Json;

namespace Antbot.Chaos.Checking;

/// <summary>The one spelling of a JSON value that the chain is made over, written after docs/event-store.md and not after the code that it checks.</summary>
internal static class PlainJson
{
    public static byte[] Of(byte[] json)
    {
        using var document = JsonDocument.Parse(json);
        var text = new StringBuilder(json.Length);
        Write(document.RootElement, text);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    private static void Write(JsonElement value, StringBuilder to)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                to.Append('{').AppendJoin(',', value.EnumerateObject().Select(m => (Key: Quoted(m.Name), m.Value)).OrderBy(m => m.Key[1..^1], ByBytes).Select(m => $"{m.Key}:{Text(m.Value)}")).Append('}');
                break;
            case JsonValueKind.Array:
                to.Append('[').AppendJoin(',', value.EnumerateArray().Select(Text)).Append(']');
                break;
            case JsonValueKind.String:
                to.Append(Quoted(value.GetString()!));
                break;
            case JsonValueKind.Number:
                to.Append(Number(value.GetRawText()));
                break;
            default:
                to.Append(value.GetRawText());
                break;
        }
    }

    private static string Text(JsonElement value)
    {
        var text = new StringBuilder();
        Write(value, text);
        return text.ToString();
    }

    private static string Number(string raw)
    {
        if (raw.AsSpan().IndexOfAny('e', 'E') >= 0)
            throw new FormatException($"The number {raw} is not written plainly.");
        return raw[0] == '-' && raw.AsSpan(1).IndexOfAnyExcept('0', '.') < 0 ? raw[1..] : raw;
    }

    private static string Quoted(string text)
    {
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            quoted.Append(c switch
            {
                '"' => "\\\"",
                '\\' => @"\\",
                '\b' => "\\b",
                '\t' => "\\t",
                '\n' => "\\n",
                '\f' => "\\f",
                '\r' => "\\r",
                < ' ' => $"\\u{(int)c:x4}",
                _ => c.ToString(),
            });
        }
        return quoted.Append('"').ToString();
    }

    private static readonly Comparer<string> ByBytes = Comparer<string>.Create((one, other) => Encoding.UTF8.GetBytes(one).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(other)));
}
