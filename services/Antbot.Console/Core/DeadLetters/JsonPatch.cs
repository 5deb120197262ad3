using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>A patch that is none, or that does not fit what it is applied to.</summary>
public sealed class JsonPatchException(string message) : Exception(message);

/// <summary>
/// Changes to a JSON document, one after the other, all or none (RFC 6902, with the pointers of RFC 6901). Patches come from outside, and
/// one that copies what it has copied grows without end: how many operations there are, how deep and how much they add is bounded.
/// </summary>
public static class JsonPatch
{
    public const int OperationsMax = 100;
    public const int DepthMax = 32;

    private const int PointerLengthMax = 500;
    private const int CopiedMax = 1024 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>Why a text is no patch, whatever it would be applied to; null where it is one.</summary>
    public static string? Fault(JsonElement patch)
    {
        if (patch.ValueKind != JsonValueKind.Array)
            return "A patch is a list of operations.";
        if (patch.GetArrayLength() is 0 or > OperationsMax)
            return $"A patch has 1 to {OperationsMax} operations; this one has {patch.GetArrayLength()}.";
        try
        {
            foreach (var (number, operation) in patch.EnumerateArray().Index())
                _ = Operation.Read(number + 1, operation);
            return null;
        }
        catch (JsonPatchException e)
        {
            return e.Message;
        }
    }

    /// <exception cref="JsonPatchException">It is no patch, or one of its operations does not fit.</exception>
    public static JsonElement Apply(JsonElement document, JsonElement patch)
    {
        if (Fault(patch) is { } fault)
            throw new JsonPatchException(fault);
        var root = Node(document);
        var copied = 0;
        foreach (var (number, operation) in patch.EnumerateArray().Index())
        {
            var step = Operation.Read(number + 1, operation);
            if (step.Op is "add" or "copy" or "replace")
                copied += step.Size(root);
            if (copied > CopiedMax)
                throw step.Failed($"with it more than {CopiedMax:N0} characters are added");
            root = step.Apply(root);
        }
        using var changed = JsonDocument.Parse(root?.ToJsonString() ?? "null", Strict);
        return changed.RootElement.Clone();
    }

    private static JsonNode? Node(JsonElement element)
    {
        try
        {
            return JsonNode.Parse(element.GetRawText(), documentOptions: Strict);
        }
        catch (JsonException e)
        {
            throw new JsonPatchException($"It is no JSON that could be changed: {e.Message}");
        }
    }

    /// <param name="Number">Its place in the patch, from 1.</param>
    private sealed record Operation(int Number, string Op, string Path, IReadOnlyList<string> To, IReadOnlyList<string> From, JsonNode? Value)
    {
        public static Operation Read(int number, JsonElement element)
        {
            if (element.ValueKind != JsonValueKind.Object)
                throw new JsonPatchException($"Operation {number} is no object.");
            var op = Text(number, element, "op");
            var path = Text(number, element, "path");
            var needsValue = op is "add" or "replace" or "test";
            var needsFrom = op is "move" or "copy";
            if (!needsValue && !needsFrom && op != "remove")
                throw new JsonPatchException($"Operation {number} is '{op}': add, remove, replace, move, copy and test are known.");
            if (needsValue && !element.TryGetProperty("value", out _))
                throw new JsonPatchException($"Operation {number} ({op}) lacks its 'value'.");
            var value = needsValue ? Node(element.GetProperty("value")) : null;
            return new Operation(number, op, path, Pointer(number, path), needsFrom ? Pointer(number, Text(number, element, "from")) : [], value);
        }

        public JsonNode? Apply(JsonNode? root)
        {
            switch (Op)
            {
                case "add":
                    return Put(root, Value, insert: true);
                case "remove":
                    return Remove(root, To);
                case "replace":
                    _ = Find(root, To);
                    return Put(root, Value, insert: false);
                case "move":
                    if (To.Count > From.Count && From.SequenceEqual(To.Take(From.Count), StringComparer.Ordinal))
                        throw Failed("nothing is moved into itself");
                    var moved = Find(root, From);
                    return Put(Remove(root, From), moved, insert: true);
                case "copy":
                    return Put(root, Find(root, From), insert: true);
                default:
                    return JsonNode.DeepEquals(Find(root, To), Value) ? root : throw Failed("it is something else");
            }
        }

        /// <summary>How much it adds.</summary>
        public int Size(JsonNode? root) => (Op == "copy" ? Find(root, From) : Value)?.ToJsonString().Length ?? 4;

        public JsonPatchException Failed(string why) => new($"Operation {Number} ({Op} {(Path.Length > 0 ? Path : "of the whole message")}): {why}.");

        /// <param name="insert">In a list between the others; else in the place of what is there.</param>
        private JsonNode? Put(JsonNode? root, JsonNode? value, bool insert)
        {
            if (To.Count + DepthOf(value) > DepthMax)
                throw Failed($"it would be deeper than {DepthMax}");
            var copy = value?.DeepClone();
            if (To.Count == 0)
                return copy;
            switch (Find(root, [.. To.SkipLast(1)]))
            {
                case JsonObject parent:
                    parent[To[^1]] = copy;
                    return root;
                case JsonArray list:
                    if (insert)
                        list.Insert(To[^1] == "-" ? list.Count : Place(To[^1], list.Count), copy);
                    else
                        list[Place(To[^1], list.Count - 1)] = copy;
                    return root;
                default:
                    throw Failed("there is nothing that it could be added to");
            }
        }

        private JsonNode? Remove(JsonNode? root, IReadOnlyList<string> at)
        {
            _ = Find(root, at);
            if (at.Count == 0)
                return null;
            if (Find(root, [.. at.SkipLast(1)]) is JsonArray list)
                list.RemoveAt(Place(at[^1], list.Count - 1));
            else
                ((JsonObject)Find(root, [.. at.SkipLast(1)])!).Remove(at[^1]);
            return root;
        }

        private JsonNode? Find(JsonNode? root, IReadOnlyList<string> at)
        {
            var node = root;
            foreach (var name in at)
            {
                node = node switch
                {
                    JsonObject o when o.TryGetPropertyValue(name, out var member) => member,
                    JsonArray list => list[Place(name, list.Count - 1)],
                    _ => throw Failed($"there is no '{name}'"),
                };
            }
            return node;
        }

        private int Place(string text, int last) =>
            int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var place) && place <= last && (text == "0" || text[0] != '0') ? place : throw Failed($"there is no place '{text}'");

        private static int DepthOf(JsonNode? node) => node switch
        {
            JsonObject o => 1 + o.Select(m => DepthOf(m.Value)).DefaultIfEmpty().Max(),
            JsonArray list => 1 + list.Select(DepthOf).DefaultIfEmpty().Max(),
            _ => 0,
        };

        private static string Text(int number, JsonElement operation, string name) => operation.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : throw new JsonPatchException($"Operation {number} lacks its '{name}', a text.");

        private static IReadOnlyList<string> Pointer(int number, string text)
        {
            if (text.Length == 0)
                return [];
            if (text[0] != '/' || text.Length > PointerLengthMax)
                throw new JsonPatchException($"Operation {number}: a path begins with '/' and has at most {PointerLengthMax} characters, such as /signal/notional.");
            var names = text[1..].Split('/');
            if (names.Length > DepthMax || names.Any(n => n.Replace("~0", "", StringComparison.Ordinal).Replace("~1", "", StringComparison.Ordinal).Contains('~', StringComparison.Ordinal)))
                throw new JsonPatchException($"Operation {number}: a path has at most {DepthMax} names, and in them '~' as ~0 and '/' as ~1.");
            return [.. names.Select(n => n.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal))];
        }
    }
}
