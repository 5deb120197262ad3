using System.Globalization;
using System.Numerics;
using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace Antbot.Core.Tests.Kernel;

/// <summary>JSON values as the tests think of them, and one spelling for each, written without the code under test.</summary>
internal abstract record JsonModel
{
    internal sealed record Literal(string Word) : JsonModel
    {
        public override string Canonical() => Word;
    }

    /// <param name="Digits">The digits without a point; <paramref name="Scale"/> of them stand behind it.</param>
    internal sealed record Number(bool Negative, BigInteger Digits, int Scale) : JsonModel
    {
        public override string Canonical() => (Negative && !Digits.IsZero ? "-" : "") + Plain(Digits.ToString(CultureInfo.InvariantCulture), Scale);

        internal static string Plain(string digits, int scale)
        {
            digits = digits.PadLeft(scale + 1, '0');
            return scale == 0 ? digits : $"{digits[..^scale]}.{digits[^scale..]}";
        }
    }

    internal sealed record Text(string Value) : JsonModel
    {
        public override string Canonical() => Quote(Value);

        internal static string Quote(string value) => $"\"{Escape(value)}\"";

        internal static string Escape(string value)
        {
            var text = new StringBuilder();
            foreach (var c in value)
            {
                text.Append(c switch
                {
                    '"' => "\\\"",
                    '\\' => @"\\",
                    '\b' => @"\b",
                    '\t' => @"\t",
                    '\n' => @"\n",
                    '\f' => @"\f",
                    '\r' => @"\r",
                    < ' ' => $"\\u{(int)c:x4}",
                    _ => c.ToString(),
                });
            }
            return text.ToString();
        }
    }

    internal sealed record List(IReadOnlyList<JsonModel> Items) : JsonModel
    {
        public override string Canonical() => $"[{string.Join(',', Items.Select(i => i.Canonical()))}]";
    }

    internal sealed record Map(IReadOnlyList<KeyValuePair<string, JsonModel>> Members) : JsonModel
    {
        public override string Canonical() =>
            $"{{{string.Join(',', Members.OrderBy(m => Bytes(m.Key), ByteOrder).Select(m => $"{Text.Quote(m.Key)}:{m.Value.Canonical()}"))}}}";

        private static byte[] Bytes(string key) => Encoding.UTF8.GetBytes(Text.Escape(key));

        private static Comparer<byte[]> ByteOrder { get; } = Comparer<byte[]>.Create((a, b) =>
        {
            for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
            {
                if (a[i] != b[i])
                    return a[i] - b[i];
            }
            return a.Length - b.Length;
        });
    }

    public abstract string Canonical();

    public override string ToString() => Canonical();

    /// <summary>Arbitrary values: mostly objects, with keys that try the order and strings that try the escapes.</summary>
    public static Arbitrary<JsonModel> Arbitrary { get; } = Arb.From(Gen.Sized(size => AnyValue(Math.Min(4, 1 + size / 10))), Smaller);

    /// <summary>One level less, so that a failing value is shown small.</summary>
    private static IEnumerable<JsonModel> Smaller(JsonModel model) => model switch
    {
        List list => list.Items.Concat(list.Items.Select((_, i) => new List([.. list.Items.Where((_, j) => j != i)]))),
        Map map => map.Members.Select(m => m.Value).Concat(map.Members.Select((_, i) => new Map([.. map.Members.Where((_, j) => j != i)]))),
        Text text => text.Value.Length == 0 ? [] : [new Text("")],
        Number number => number.Digits.IsZero ? [] : [new Number(Negative: false, 0, number.Scale)],
        _ => [],
    };

    private static Gen<JsonModel> AnyValue(int depth) => depth == 0
        ? Scalar
        : Gen.Frequency((2, Scalar), (2, Children(AnyValue(depth - 1)).Select(JsonModel (items) => new List(items))), (4, MapOf(AnyValue(depth - 1))));

    private static Gen<JsonModel> Scalar { get; } = Gen.Frequency(
        (3, NumberGen()),
        (3, TextGen().Select(JsonModel (text) => new Text(text))),
        (1, Gen.Elements("true", "false", "null").Select(JsonModel (word) => new Literal(word))));

    private static Gen<JsonModel> NumberGen() =>
        from negative in Gen.Elements(true, false)
        from digits in Gen.Frequency(
            (1, Gen.Constant(BigInteger.Zero)),
            (4, Gen.Choose(0, 999_999).Select(i => new BigInteger(i))),
            (2, Gen.Choose(1, int.MaxValue).Select(i => BigInteger.Pow(i, 4))),
            (1, Gen.Choose(0, 40).Select(i => BigInteger.Pow(10, i))))
        from scale in Gen.Frequency((3, Gen.Constant(0)), (4, Gen.Choose(1, 8)), (1, Gen.Choose(9, 40)))
        select (JsonModel)new Number(negative, digits, scale);

    private static Gen<string> TextGen() => Gen.Frequency(
            (6, Gen.Elements("a", "b", "A", " ", "!", "#", "0", "~", "\u007f")),
            (2, Gen.Elements("\"", "\\", "/", "\b", "\t", "\n", "\f", "\r", "\u0001", "\u001f")),
            (2, Gen.Elements("é", "ż", "\u2028", "\ue000", "\uffff", "😀", "🐜")))
        .ListOf().Select(parts => string.Concat(parts.Take(8)));

    private static Gen<IReadOnlyList<JsonModel>> Children(Gen<JsonModel> value) =>
        from count in Gen.Choose(0, 5)
        from items in value.ListOf(count)
        select (IReadOnlyList<JsonModel>)items;

    /// <summary>Sometimes more keys than the small sort takes.</summary>
    private static Gen<JsonModel> MapOf(Gen<JsonModel> value) =>
        from count in Gen.Frequency((12, Gen.Choose(0, 6)), (1, Gen.Choose(30, 80)))
        from keys in TextGen().ListOf(count)
        from numbered in Gen.Choose(0, 1)
        let names = keys.Select((key, i) => count > 6 || numbered == 1 ? $"{key}{i}" : key).Distinct(StringComparer.Ordinal).ToList()
        from values in (count > 6 ? Scalar : value).ListOf(names.Count)
        select (JsonModel)new Map([.. names.Zip(values, KeyValuePair.Create)]);
}
