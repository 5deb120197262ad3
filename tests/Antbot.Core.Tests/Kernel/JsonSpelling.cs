using System.Globalization;
using System.Text;

namespace Antbot.Core.Tests.Kernel;

/// <summary>The many ways to write one JSON value down.</summary>
internal static class JsonSpelling
{
    private static readonly string[] Spaces = ["", "", " ", "\n", "\t", "\r\n  "];

    /// <summary>Keys shuffled, white space anywhere, any character escaped in any way, numbers with and without exponent.</summary>
    public static byte[] Random(JsonModel model, int seed)
    {
        var random = new Random(seed);
        var text = new StringBuilder();
        Write(model, text, random);
        return Encoding.UTF8.GetBytes($"{Space(random)}{text}{Space(random)}");
    }

    /// <summary>As PostgreSQL's jsonb prints it: keys by length and then by bytes, a space after each colon and comma, no exponents.</summary>
    public static byte[] Jsonb(JsonModel model) => Encoding.UTF8.GetBytes(JsonbText(model));

    private static string JsonbText(JsonModel model) => model switch
    {
        JsonModel.List list => $"[{string.Join(", ", list.Items.Select(JsonbText))}]",
        JsonModel.Map map => $"{{{string.Join(", ", map.Members
            .OrderBy(m => Encoding.UTF8.GetByteCount(m.Key))
            .ThenBy(m => Convert.ToHexString(Encoding.UTF8.GetBytes(m.Key)), StringComparer.Ordinal)
            .Select(m => $"{JsonModel.Text.Quote(m.Key)}: {JsonbText(m.Value)}"))}}}",
        _ => model.Canonical(),
    };

    private static void Write(JsonModel model, StringBuilder text, Random random)
    {
        switch (model)
        {
            case JsonModel.Literal literal: text.Append(literal.Word); break;
            case JsonModel.Number number: text.Append(Number(number, random)); break;
            case JsonModel.Text value: Write(value.Value, text, random); break;
            case JsonModel.List list:
                Join(text, '[', ']', list.Items, random, item => Write(item, text, random));
                break;
            case JsonModel.Map map:
                var members = map.Members.ToArray();
                random.Shuffle(members);
                Join(text, '{', '}', members, random, member =>
                {
                    Write(member.Key, text, random);
                    text.Append(Space(random)).Append(':').Append(Space(random));
                    Write(member.Value, text, random);
                });
                break;
            default: throw new ArgumentOutOfRangeException(nameof(model), model, "no such model");
        }
    }

    private static void Join<T>(StringBuilder text, char open, char close, IReadOnlyList<T> items, Random random, Action<T> write)
    {
        text.Append(open).Append(Space(random));
        for (var i = 0; i < items.Count; i++)
        {
            if (i > 0)
                text.Append(Space(random)).Append(',').Append(Space(random));
            write(items[i]);
        }
        text.Append(Space(random)).Append(close);
    }

    private static void Write(string value, StringBuilder text, Random random)
    {
        text.Append('"');
        for (var i = 0; i < value.Length; i++)
        {
            var c = value[i];
            if (random.Next(4) == 0)
            {
                text.Append(Hex(c, random));
                // Half of a pair can be escaped only together with the other half.
                if (char.IsHighSurrogate(c))
                    text.Append(Hex(value[++i], random));
            }
            else if (char.IsHighSurrogate(c))
            {
                text.Append(c).Append(value[++i]);
            }
            else
            {
                text.Append(c == '/' && random.Next(2) == 0 ? @"\/" : JsonModel.Text.Escape(c.ToString()));
            }
        }
        text.Append('"');
    }

    private static string Hex(char c, Random random) => "\\u" + ((int)c).ToString(random.Next(2) == 0 ? "x4" : "X4", CultureInfo.InvariantCulture);

    /// <summary>The same value with the same scale: the point goes anywhere and the exponent makes up for it.</summary>
    private static string Number(JsonModel.Number number, Random random)
    {
        var sign = number.Negative ? "-" : "";
        var digits = number.Digits.ToString(CultureInfo.InvariantCulture);
        if (random.Next(3) == 0)
            return sign + JsonModel.Number.Plain(digits, number.Scale);
        var scale = number.Scale;
        // A whole number may drop its trailing zeros into the exponent; behind the point they are part of the scale.
        while (scale <= 0 && digits.Length > 1 && digits[^1] == '0' && random.Next(2) == 0)
            (digits, scale) = (digits[..^1], scale - 1);
        var fraction = random.Next(digits.Length + 3);
        var exponent = fraction - scale;
        var written = exponent < 0 ? $"-{-exponent:D2}" : exponent.ToString(random.Next(2) == 0 ? "D1" : "D3", CultureInfo.InvariantCulture);
        var plus = exponent >= 0 && random.Next(2) == 0 ? "+" : "";
        return $"{sign}{JsonModel.Number.Plain(digits, fraction)}{(random.Next(2) == 0 ? 'e' : 'E')}{plus}{written}";
    }

    private static string Space(Random random) => Spaces[random.Next(Spaces.Length)];
}
