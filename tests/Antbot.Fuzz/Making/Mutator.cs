using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Antbot.Fuzz.Making;

/// <summary>Makes of a good JSON text a bad one, a strange one, or now and then leaves it as it is.</summary>
public static class Mutator
{
    private static readonly string[] Strange =
    [
        "null", "true", "false", "0", "-0", "-1", "1", "0.5", "1e5", "1e400", "-1e400", "1e-400", "1E+2", "0.1234567890123456789012345678901234567890", "79228162514264337593543950335",
        "79228162514264337593543950336", "99999999999999999999999999999999999999", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "2147483648", "1767225600000", "-1767225600000",
        "\"\"", "\" \"", "\"0\"", "\"-1\"", "\"1e5\"", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"", "\"1,000\"", "\"0x10\"", "\"٣\"", "\"\\u0000\"", "\"\\ud800\"", "\"\\u202eabc\"", "\"BTC USDT\"", "\"BTCUSDT'; drop table\"",
        "\"../../etc/passwd\"", "\"0001-01-01T00:00:00Z\"", "\"9999-12-31T23:59:59.9999999Z\"", "\"2026-02-30T00:00:00Z\"", "\"2026-01-01T00:00:00+14:00\"", "\"00000000-0000-0000-0000-000000000000\"",
        "[]", "{}", "[null]", "[[]]", "{\"\":null}", "{\"$type\":\"System.Object\"}", "{\"Value\":1}",
    ];

    /// <summary>Not JSON at all, though many readers take it.</summary>
    private static readonly string[] NotJson = ["NaN", "Infinity", "-Infinity", "undefined", "01", "+1", ".5", "1.", "'a'", "/* */1", "nul", "\u0000", "\ufeff"];

    private static readonly byte[] Bytes = [0x00, 0x22, 0x5c, 0x7b, 0x7d, 0x5b, 0x5d, 0x2c, 0x3a, 0x80, 0xc0, 0xff, 0xef, 0x2d, 0x65, 0x30, 0x39, 0x0a];

    public static byte[] Spoil(string good, Random random)
    {
        var spoiled = good;
        switch (random.Next(20))
        {
            case 0:
                break;
            case < 13:
                spoiled = SpoilTree(spoiled, random);
                for (var n = random.Next(3); n > 0; n--)
                    spoiled = TrySpoilTree(spoiled, random);
                break;
            default:
                return SpoilBytes(Encoding.UTF8.GetBytes(spoiled), random);
        }
        return Encoding.UTF8.GetBytes(spoiled);
    }

    /// <summary>What was spoiled before may be no tree any more.</summary>
    private static string TrySpoilTree(string text, Random random)
    {
        try
        {
            return SpoilTree(text, random);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return text;
        }
    }

    private static string SpoilTree(string text, Random random)
    {
        var root = JsonNode.Parse(text, documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false });
        var places = new List<(JsonNode Parent, object Key)>();
        Collect(root, places);
        if (places.Count == 0)
            return Strange[random.Next(Strange.Length)];
        var (parent, key) = places[random.Next(places.Count)];
        switch (random.Next(12))
        {
            case 0 when parent is JsonObject members:
                members.Remove((string)key);
                break;
            case 0 when parent is JsonArray list:
                list.RemoveAt((int)key);
                break;
            case 1 when parent is JsonObject members:
                Rename(members, (string)key, random);
                break;
            case 2:
                return Insert(root!, parent, key, NotJson[random.Next(NotJson.Length)]);
            case 3:
                return Insert(root!, parent, key, Deep(random));
            case 4:
                return Insert(root!, parent, key, $"\"{new string((char)('a' + random.Next(26)), random.Next(1, 20_000))}\"");
            case 5 when parent is JsonObject members:
                return Twice(root!, members, (string)key, random);
            case 6 when parent is JsonArray list && list[(int)key] is { } there:
                for (var n = random.Next(1, 50); n > 0; n--)
                    list.Add(there.DeepClone());
                break;
            default:
                return Insert(root!, parent, key, Strange[random.Next(Strange.Length)]);
        }
        return root!.ToJsonString();
    }

    private static void Collect(JsonNode? node, List<(JsonNode Parent, object Key)> places)
    {
        switch (node)
        {
            case JsonObject members:
                foreach (var (name, value) in members)
                {
                    places.Add((members, name));
                    Collect(value, places);
                }
                break;
            case JsonArray list:
                for (var i = 0; i < list.Count; i++)
                {
                    places.Add((list, i));
                    Collect(list[i], places);
                }
                break;
            default:
                break;
        }
    }

    private static void Rename(JsonObject members, string name, Random random)
    {
        var value = members[name];
        members.Remove(name);
        members[random.Next(3) switch { 0 => name.ToLowerInvariant(), 1 => name.ToUpperInvariant(), _ => $"{name}_" }] = value;
    }

    /// <summary>Puts a text in place of a value that no tree could hold.</summary>
    private static string Insert(JsonNode root, JsonNode parent, object key, string text)
    {
        const string mark = "\u0001here\u0001";
        if (parent is JsonObject members)
            members[(string)key] = mark;
        else
            ((JsonArray)parent)[(int)key] = mark;
        return root.ToJsonString().Replace(JsonSerializer.Serialize(mark), text, StringComparison.Ordinal);
    }

    private static string Twice(JsonNode root, JsonObject members, string name, Random random)
    {
        const string mark = "\u0001twice\u0001";
        members[mark] = JsonValue.Create(random.Next());
        return root.ToJsonString().Replace(JsonSerializer.Serialize(mark), JsonSerializer.Serialize(name), StringComparison.Ordinal);
    }

    private static string Deep(Random random)
    {
        var depth = random.Next(10, 3_000);
        return random.Next(2) == 0 ? $"{new string('[', depth)}{new string(']', depth)}" : $"{string.Concat(Enumerable.Repeat("{\"a\":", depth))}1{new string('}', depth)}";
    }

    private static byte[] SpoilBytes(byte[] bytes, Random random)
    {
        var spoiled = new List<byte>(bytes);
        for (var n = random.Next(1, 6); n > 0 && spoiled.Count > 0; n--)
        {
            var at = random.Next(spoiled.Count);
            switch (random.Next(6))
            {
                case 0:
                    spoiled.RemoveRange(at, spoiled.Count - at);
                    break;
                case 1:
                    spoiled.RemoveRange(at, Math.Min(random.Next(1, 20), spoiled.Count - at));
                    break;
                case 2:
                    spoiled.Insert(at, Bytes[random.Next(Bytes.Length)]);
                    break;
                case 3:
                    spoiled[at] = (byte)random.Next(256);
                    break;
                case 4:
                    spoiled.InsertRange(at, spoiled.GetRange(at, Math.Min(random.Next(1, 40), spoiled.Count - at)));
                    break;
                default:
                    spoiled[at] = Bytes[random.Next(Bytes.Length)];
                    break;
            }
        }
        return [.. spoiled];
    }
}
