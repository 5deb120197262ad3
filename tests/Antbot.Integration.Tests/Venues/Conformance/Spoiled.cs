using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>One field of an answer and what was done to it.</summary>
internal sealed record Spoiled(IReadOnlyList<object> Path, string How, Func<JsonNode?, JsonNode?>? Put)
{
    private static readonly string Endless = new('9', 300);

    /// <summary>Everything that can be wrong with each field of an answer, each by itself.</summary>
    public static IEnumerable<Spoiled> All(JsonNode answer) => Fields(answer, []).SelectMany(field => Ways(field.Value).Select(way => new Spoiled(field.Path, way.How, way.Put)))
        // Without names, what is left out moves the others up: that is another answer.
        .Where(spoiled => spoiled.Path[^1] is string || spoiled.Put is not null);

    public void Do(JsonNode answer)
    {
        var at = answer;
        foreach (var step in Path.SkipLast(1))
            at = step is int i ? at[i]! : at[(string)step]!;
        switch (Path[^1], Put)
        {
            case (string name, null):
                at.AsObject().Remove(name);
                break;
            case (string name, { } put):
                at[name] = put(at[name]);
                break;
            case (int i, { } put):
                at[i] = put(at[i]);
                break;
        }
    }

    public (string Path, FrontReply Reply) In(FrontReply reply)
    {
        var json = JsonNode.Parse(reply.Body)!;
        Do(json);
        return (ToString(), reply with { Body = Encoding.UTF8.GetBytes(json.ToJsonString()) });
    }

    public override string ToString() => $"'{string.Join('.', Path)}' {How}";

    private static IEnumerable<(IReadOnlyList<object> Path, JsonNode? Value)> Fields(JsonNode? node, IReadOnlyList<object> path)
    {
        var inner = node switch
        {
            JsonObject o => o.Select(p => ((object)p.Key, p.Value)),
            // Of a list the first few: the others are alike. A list of bare values, a candle, has its fields by place.
            JsonArray a => a.Take(6).Select((v, i) => ((object)i, v)),
            _ => [],
        };
        foreach (var (key, value) in inner)
        {
            IReadOnlyList<object> at = [.. path, key];
            if (key is string || value is JsonValue)
                yield return (at, value);
            foreach (var deeper in Fields(value, at))
                yield return deeper;
        }
    }

    private static IEnumerable<(string How, Func<JsonNode?, JsonNode?>? Put)> Ways(JsonNode? value)
    {
        yield return ("missing", null);
        yield return ("null", _ => null);
        yield return ("an object", _ => new JsonObject());
        yield return ("a list", _ => new JsonArray(1));
        switch (value)
        {
            case JsonValue v when v.GetValueKind() == JsonValueKind.Number:
                yield return ("a text", old => old!.ToString() + "x");
                yield return ("negative", old => -(long)Math.Max(1, old!.GetValue<decimal>()));
                yield return ("absurd", _ => JsonNode.Parse("1e300"));
                yield return ("broken", _ => JsonNode.Parse("0.5"));
                break;
            case JsonValue v when v.GetValueKind() == JsonValueKind.String:
                yield return ("a number", _ => 12);
                yield return ("endless", _ => Endless);
                yield return ("empty", _ => "");
                if (decimal.TryParse((string?)v, NumberStyles.Number, CultureInfo.InvariantCulture, out _))
                {
                    yield return ("negative", _ => "-1.00000000");
                    yield return ("absurd", _ => "79228162514264337593543950335");
                    yield return ("no number", _ => "NaN");
                    yield return ("exponential", _ => "1e2");
                }
                break;
            case JsonValue:
                yield return ("a text", _ => "true");
                yield return ("a number", _ => 1);
                break;
            default:
                yield return ("a text", _ => "[]");
                break;
        }
    }
}
