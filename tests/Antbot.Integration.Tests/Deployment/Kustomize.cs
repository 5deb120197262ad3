using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>
/// As much of kustomize as the manifests use. Whatever else stands in a kustomization is refused, so that a test never holds
/// something for true that kustomize would make otherwise.
/// </summary>
internal static class Kustomize
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "apiVersion", "kind", "namespace", "labels", "resources", "patches", "generatorOptions", "configMapGenerator",
    };

    /// <summary>By which member the elements of a list are told apart when a patch is merged in. Lists that are not here are replaced or refused.</summary>
    private static readonly Dictionary<string, string> MergeKeys = new(StringComparer.Ordinal)
    {
        ["containers"] = "name", ["env"] = "name", ["volumes"] = "name", ["volumeMounts"] = "mountPath", ["ports"] = "containerPort",
    };

    private static readonly HashSet<string> Replaced = new(StringComparer.Ordinal) { "args", "command", "drop", "topologySpreadConstraints", "matchLabelKeys" };

    private static readonly HashSet<string> WithTemplate = new(StringComparer.Ordinal) { "Deployment", "StatefulSet", "Job" };

    public static IReadOnlyList<JsonObject> Render(string folder)
    {
        var file = Path.Combine(folder, "kustomization.yaml");
        var root = (JsonObject)Yaml.ReadFile(file).Single();
        foreach (var (field, _) in root.Where(f => !Known.Contains(f.Key)))
            throw new FormatException($"{file}: '{field}' is not known to this renderer.");
        Need(root, "kind", "Kustomization");
        Need(root, "apiVersion", "kustomize.config.k8s.io/v1beta1");

        var objects = new List<JsonObject>();
        foreach (var resource in Items(root, "resources").Select(r => r!.GetValue<string>()))
        {
            var path = Path.GetFullPath(Path.Combine(folder, resource));
            objects.AddRange(Directory.Exists(path) ? Render(path) : Yaml.ReadFile(path).Cast<JsonObject>());
        }
        objects.AddRange(GenerateConfigMaps(root, folder));
        foreach (var patch in Items(root, "patches").Cast<JsonObject>())
            Apply(patch, folder, objects);
        if (root["namespace"]?.GetValue<string>() is { } name)
        {
            foreach (var o in objects)
                SetNamespace(o, name);
        }
        foreach (var label in Items(root, "labels").Cast<JsonObject>())
            AddLabels(label, objects);
        return objects;
    }

    private static IEnumerable<JsonObject> GenerateConfigMaps(JsonObject root, string folder)
    {
        var maps = Items(root, "configMapGenerator").Cast<JsonObject>().ToList();
        if (maps.Count > 0 && root["generatorOptions"]?["disableNameSuffixHash"]?.GetValue<bool>() != true)
            throw new FormatException("Generated names get a hash here; this renderer makes none. Set generatorOptions.disableNameSuffixHash.");
        foreach (var map in maps)
        {
            Only(map, "name", "files");
            var data = new JsonObject();
            foreach (var file in Items(map, "files").Select(f => f!.GetValue<string>()))
            {
                if (file.Contains("..", StringComparison.Ordinal) || file.Contains('=', StringComparison.Ordinal))
                    throw new FormatException($"'{file}': kustomize reads no file above its folder, and this renderer gives none another name.");
                data[Path.GetFileName(file)] = File.ReadAllText(Path.Combine(folder, file));
            }
            yield return new JsonObject { ["apiVersion"] = "v1", ["kind"] = "ConfigMap", ["metadata"] = new JsonObject { ["name"] = map["name"]!.GetValue<string>() }, ["data"] = data };
        }
    }

    private static void Apply(JsonObject patch, string folder, List<JsonObject> objects)
    {
        Only(patch, "path", "patch", "target");
        var target = patch["target"] as JsonObject ?? throw new FormatException("A patch without a target is not known to this renderer.");
        Only(target, "kind", "name", "labelSelector");
        var content = patch["path"]?.GetValue<string>() is { } path ? Yaml.ReadFile(Path.Combine(folder, path)).Single() : Yaml.Read(patch["patch"]!.GetValue<string>()).Single();
        var targets = objects.Where(o => Matches(o, target)).ToList();
        if (targets.Count == 0)
            throw new FormatException($"A patch's target is not there: {target.ToJsonString()}");
        foreach (var o in targets)
        {
            if (content is JsonArray operations)
                ApplyOperations(o, operations);
            else
                Merge(o, content.AsObject());
        }
    }

    private static bool Matches(JsonObject o, JsonObject target) =>
        (target["kind"]?.GetValue<string>() is not { } kind || o["kind"]!.GetValue<string>() == kind)
        && (target["name"]?.GetValue<string>() is not { } name || Regex.IsMatch(NameOf(o), $"^(?:{name})$", RegexOptions.None, TimeSpan.FromSeconds(1)))
        && (target["labelSelector"]?.GetValue<string>() is not { } selector || selector.Split(',').All(s => HasLabel(o, s)));

    private static bool HasLabel(JsonObject o, string equals) => equals.Split('=') is [var key, var value]
        ? o["metadata"]!["labels"]?[key]?.GetValue<string>() == value
        : throw new FormatException($"'{equals}': only key=value is known to this renderer.");

    /// <summary>A strategic merge. What a patch says of its own object's name is only there to make it an object.</summary>
    private static void Merge(JsonObject o, JsonObject patch)
    {
        if (!WithTemplate.Contains(o["kind"]!.GetValue<string>()) || patch["kind"]!.GetValue<string>() != o["kind"]!.GetValue<string>())
            throw new FormatException($"A merge into {o["kind"]} {NameOf(o)} is not known to this renderer.");
        var content = (JsonObject)patch.DeepClone();
        content.Remove("apiVersion");
        content.Remove("kind");
        ((JsonObject)content["metadata"]!).Remove("name");
        MergeObjects(o, content);
    }

    private static void MergeObjects(JsonObject into, JsonObject patch)
    {
        foreach (var (name, value) in patch.ToList())
        {
            if (name.StartsWith('$'))
                throw new FormatException($"'{name}' is not known to this renderer.");
            if (value is null)
                into.Remove(name);
            else if (value is JsonObject inner && into[name] is JsonObject existing)
                MergeObjects(existing, inner);
            else if (value is JsonArray list && into[name] is JsonArray there)
                into[name] = MergeLists(name, there, list);
            else
                into[name] = value.DeepClone();
        }
    }

    private static JsonArray MergeLists(string name, JsonArray there, JsonArray patch)
    {
        if (Replaced.Contains(name))
            return (JsonArray)patch.DeepClone();
        if (!MergeKeys.TryGetValue(name, out var key))
            throw new FormatException($"How lists called '{name}' are merged is not known to this renderer.");
        var result = (JsonArray)there.DeepClone();
        var added = 0;
        foreach (var element in patch.Cast<JsonObject>())
        {
            if (result.Cast<JsonObject>().FirstOrDefault(r => JsonNode.DeepEquals(r[key], element[key])) is { } same)
                MergeObjects(same, element);
            else
                result.Insert(added++, element.DeepClone());
        }
        return result;
    }

    private static void ApplyOperations(JsonObject o, JsonArray operations)
    {
        foreach (var operation in operations.Cast<JsonObject>())
        {
            Only(operation, "op", "path", "value");
            var steps = operation["path"]!.GetValue<string>().Split('/').Skip(1).Select(s => s.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal)).ToList();
            var parent = steps.SkipLast(1).Aggregate((JsonNode?)o, (node, step) => (node as JsonObject)?[step]) as JsonObject;
            var exists = parent?.ContainsKey(steps[^1]) == true;
            switch (operation["op"]!.GetValue<string>())
            {
                case "replace" when exists:
                case "add" when parent is not null:
                    parent![steps[^1]] = operation["value"]!.DeepClone();
                    break;
                case "remove" when exists:
                    parent!.Remove(steps[^1]);
                    break;
                default:
                    throw new FormatException($"It cannot be applied to {NameOf(o)}, or is not known to this renderer: {operation.ToJsonString()}");
            }
        }
    }

    private static void SetNamespace(JsonObject o, string name)
    {
        if (o["kind"]!.GetValue<string>() == "Namespace")
            o["metadata"]!["name"] = name;
        else
            o["metadata"]!["namespace"] = name;
    }

    private static void AddLabels(JsonObject label, List<JsonObject> objects)
    {
        Only(label, "pairs", "includeTemplates");
        foreach (var (key, value) in (JsonObject)label["pairs"]!)
        {
            foreach (var o in objects)
            {
                Add((JsonObject)o["metadata"]!);
                if (label["includeTemplates"]?.GetValue<bool>() != true || !WithTemplate.Contains(o["kind"]!.GetValue<string>()))
                    continue;
                Add(Child((JsonObject)o["spec"]!["template"]!, "metadata"));
                foreach (var claim in Items((JsonObject)o["spec"]!, "volumeClaimTemplates").Cast<JsonObject>())
                    Add(Child(claim, "metadata"));
            }

            void Add(JsonObject metadata) => Child(metadata, "labels")[key] = value!.DeepClone();
        }
    }

    private static JsonObject Child(JsonObject of, string name)
    {
        if (of[name] is not JsonObject child)
            of[name] = child = [];
        return child;
    }

    private static IEnumerable<JsonNode?> Items(JsonObject of, string name) => of[name] as JsonArray ?? [];

    private static string NameOf(JsonObject o) => o["metadata"]!["name"]!.GetValue<string>();

    private static void Need(JsonObject root, string field, string value)
    {
        if (root[field]?.GetValue<string>() != value)
            throw new FormatException($"'{field}' is not '{value}'.");
    }

    private static void Only(JsonObject o, params string[] fields)
    {
        foreach (var (field, _) in o.Where(f => !fields.Contains(f.Key, StringComparer.Ordinal)))
            throw new FormatException($"'{field}' is not known to this renderer.");
    }
}
