using System.Text.Json.Nodes;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>One small thing that is made wrong, to see that it is found.</summary>
internal static class Corruption
{
    /// <summary>Puts a value, given as JSON, where the path leads; null takes away what is there. '-' adds to a list; '~1' is a '/' in a name.</summary>
    public static void Apply(JsonNode root, string path, string? json)
    {
        var steps = path.Split('/').Select(s => s.Replace("~1", "/", StringComparison.Ordinal)).ToList();
        var parent = steps.SkipLast(1).Aggregate(root, Step);
        var last = steps[^1];
        var value = json is null ? null : JsonNode.Parse(json);
        switch (parent)
        {
            case JsonObject o when json is null:
                if (!o.Remove(last))
                    throw new ArgumentException($"There is no '{last}' at {path}: nothing would be corrupted.", nameof(path));
                break;
            case JsonObject o:
                o[last] = value;
                break;
            case JsonArray list when last == "-":
                list.Add(value);
                break;
            case JsonArray list when json is null:
                list.RemoveAt(list.IndexOf(Step(list, last)));
                break;
            case JsonArray list:
                list[list.IndexOf(Step(list, last))] = value;
                break;
            default:
                throw new ArgumentException($"There is no {path}.", nameof(path));
        }
    }

    /// <summary>In a list an element is meant by its place or by its name.</summary>
    private static JsonNode Step(JsonNode node, string step) => node switch
    {
        JsonObject o => o[step],
        JsonArray list when int.TryParse(step, out var place) => list[place],
        JsonArray list => list.FirstOrDefault(e => e is JsonObject o && o["name"]?.GetValue<string>() == step),
        _ => null,
    } ?? throw new ArgumentException($"There is no '{step}'.", nameof(step));
}
