using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>YAML as JSON. What one reader takes for a text and another for something else is refused.</summary>
internal static partial class Yaml
{
    public static IReadOnlyList<JsonNode> ReadFile(string file)
    {
        try
        {
            return Read(File.ReadAllText(file));
        }
        catch (Exception e) when (e is YamlException or FormatException)
        {
            throw new FormatException($"{file}: {e.Message}", e);
        }
    }

    public static IReadOnlyList<JsonNode> Read(string text)
    {
        var stream = new YamlStream();
        stream.Load(new StringReader(text));
        return [.. stream.Documents.Select(d => Convert(d.RootNode) ?? throw new FormatException("A document is empty."))];
    }

    private static JsonNode? Convert(YamlNode node) => node switch
    {
        YamlMappingNode mapping => Convert(mapping),
        YamlSequenceNode sequence => new JsonArray([.. sequence.Select(Convert)]),
        YamlScalarNode scalar => Convert(scalar),
        _ => throw new FormatException($"{node.Start}: {node.NodeType} is not known here."),
    };

    private static JsonObject Convert(YamlMappingNode mapping)
    {
        var result = new JsonObject();
        foreach (var (key, value) in mapping.Children)
        {
            var name = ((YamlScalarNode)key).Value!;
            if (name != "<<")
                result[name] = Convert(value);
        }
        // What stands here itself wins over what is merged in.
        if (mapping.Children.TryGetValue(new YamlScalarNode("<<"), out var merged) && Convert(merged) is JsonObject more)
        {
            foreach (var (name, value) in more.Where(m => !result.ContainsKey(m.Key)))
                result[name] = value?.DeepClone();
        }
        return result;
    }

    private static JsonNode? Convert(YamlScalarNode scalar)
    {
        var text = scalar.Value ?? "";
        if (scalar.Style != ScalarStyle.Plain)
            return JsonValue.Create(text);
        return text switch
        {
            "" or "~" or "null" => null,
            "true" => JsonValue.Create(true),
            "false" => JsonValue.Create(false),
            _ when WholeNumber().IsMatch(text) => JsonValue.Create(long.Parse(text, CultureInfo.InvariantCulture)),
            _ when Number().IsMatch(text) => JsonValue.Create(decimal.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture)),
            _ when Ambiguous().IsMatch(text) => throw new FormatException($"{scalar.Start}: '{text}' is a text to one reader and not to another; put it in quotes."),
            _ => JsonValue.Create(text),
        };
    }

    [GeneratedRegex("^-?(0|[1-9][0-9]*)$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex WholeNumber();

    [GeneratedRegex(@"^-?(0|[1-9][0-9]*)\.[0-9]+$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Number();

    [GeneratedRegex(@"^(y|n|yes|no|on|off|true|false|null|[-+]?[0-9][0-9_:]*|0[xo][0-9a-f]+|[-+]?\.(inf|nan))$", RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Ambiguous();
}
