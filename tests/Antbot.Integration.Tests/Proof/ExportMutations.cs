using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.EventStore.Proof;
using Antbot.Kernel.Proof;

namespace Antbot.Integration.Tests.Proof;

/// <summary>What may happen to an export on its way, by accident or on purpose.</summary>
internal static class ExportMutations
{
    /// <param name="kind">Whatever number: all of them in turn.</param>
    public static (IReadOnlyList<string> Lines, string What) Mutate(IReadOnlyList<string> original, int kind, Random random)
    {
        var lines = original.ToList();
        var line = random.Next(lines.Count);
        switch (kind % 8)
        {
            case 0:
                lines.RemoveAt(line);
                return (lines, $"line {line + 1} removed");
            case 1:
                var other = (line + random.Next(1, lines.Count)) % lines.Count;
                (lines[line], lines[other]) = (lines[other], lines[line]);
                return (lines, $"lines {line + 1} and {other + 1} swapped");
            case 2:
                lines.Insert(line, lines[line]);
                return (lines, $"line {line + 1} doubled");
            case 3:
                lines.RemoveRange(Math.Max(1, line), lines.Count - Math.Max(1, line));
                return (lines, $"cut from line {line + 1} on");
            case 4:
                var text = lines[line];
                lines[line] = text[..random.Next(text.Length)];
                return (lines, $"line {line + 1} shortened");
            case 5:
                return (Rewrite(lines, random), "a suffix rewritten with recomputed hashes");
            default:
                return (lines, EditField(lines, line, random));
        }
    }

    private static string EditField(List<string> lines, int line, Random random)
    {
        var node = JsonNode.Parse(lines[line])!.AsObject();
        if (node["Checkpoint"] is JsonObject checkpoint)
            return EditField(checkpoint, node, lines, line, random);
        return EditField(node, node, lines, line, random);
    }

    private static string EditField(JsonObject target, JsonObject whole, List<string> lines, int line, Random random)
    {
        var name = target.ElementAt(random.Next(target.Count)).Key;
        var old = target[name];
        target[name] = old switch
        {
            null => "forged",
            JsonObject => new JsonObject { ["Forged"] = random.Next() },
            JsonValue v when v.TryGetValue<long>(out var number) => number + random.Next(1, 1000),
            JsonValue v when v.TryGetValue<bool>(out var flag) => !flag,
            JsonValue v when Guid.TryParse(v.ToString(), out _) => Guid.NewGuid().ToString(),
            _ => Change(old.ToString(), random),
        };
        lines[line] = whole.ToJsonString();
        return $"line {line + 1}: {name}";
    }

    private static string Change(string text, Random random)
    {
        if (text.Length == 0)
            return "00";
        // The last characters of base64 may hold bits that mean nothing.
        var at = random.Next(Math.Max(1, text.Length - 4));
        return text[..at] + (text[at] == 'A' ? 'B' : 'A') + text[(at + 1)..];
    }

    /// <summary>What somebody with a copy of this program could do: a change, and every hash behind it made anew.</summary>
    private static List<string> Rewrite(List<string> lines, Random random)
    {
        var events = Enumerable.Range(0, lines.Count).Where(l => lines[l].StartsWith("{\"Position\"", StringComparison.Ordinal)).ToArray();
        var at = random.GetItems(events, 1)[0];
        var previous = Convert.FromBase64String(JsonNode.Parse(lines[at])!["PreviousHash"]!.ToString());
        for (var i = at; i < lines.Count - 1; i++)
        {
            var node = JsonNode.Parse(lines[i])!.AsObject();
            if (node["Bare"] is not null)
            {
                var bare = ExportFormat.ReadBare(JsonDocument.Parse(lines[i]).RootElement);
                previous = ChainLink.Hash(previous, bare.Content, bare.Position, bare.Sequence, bare.Version, bare.Foreign);
                continue;
            }
            if (i == at)
                node["Data"] = new JsonObject { ["Forged"] = random.Next() };
            node["PreviousHash"] = Convert.ToBase64String(previous);
            var link = ExportFormat.ReadLink(JsonDocument.Parse(node.ToJsonString()).RootElement);
            previous = ChainLink.Hash(previous, link.Event!.ContentHash(), link.Position, link.Sequence, link.Event.Version, link.Foreign);
            node["Hash"] = Convert.ToBase64String(previous);
            lines[i] = node.ToJsonString();
        }
        var end = JsonNode.Parse(lines[^1])!.AsObject();
        end["Hash"] = Convert.ToBase64String(previous);
        lines[^1] = end.ToJsonString();
        return lines;
    }
}
