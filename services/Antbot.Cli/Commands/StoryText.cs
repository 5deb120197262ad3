using System.Text.Json;
using Antbot.ReadModels;

namespace Antbot.Cli.Commands;

/// <summary>An event as a few lines: what happened, who did it and why, what each rule said, and what it rested on.</summary>
internal static class StoryText
{
    private const int Width = 160;
    public const string Indent = "                          ";

    public static IEnumerable<string> Lines(TimelineEntry entry, DateTimeOffset? before)
    {
        var since = before is { } b ? $"+{(entry.At - b).TotalSeconds:0.000} s" : "";
        var cause = entry.Cause is { } position ? $" ← #{position}" : "";
        yield return $"{entry.At.UtcDateTime:HH:mm:ss.ffffff} {since,10} {entry.Type.Replace('_', ' '),-24} #{entry.Position}{cause}  {Tables.Plain(entry.Actor ?? "nobody")}  {entry.Stream} v{entry.Version}";
        foreach (var reason in entry.Reasons)
            yield return $"{Indent}{(reason.Passed ? "✓" : "✗")} {Tables.Plain(reason.Rule)}: {Tables.Plain(reason.Saw)}";
        foreach (var line in Wrapped(entry.Body))
            yield return Indent + line;
    }

    /// <summary>One line, for those who watch.</summary>
    public static string Line(TimelineEntry entry)
    {
        var facts = string.Join(", ", Facts(entry.Body, "").Select(f => $"{f.Name} {f.Value}"));
        var text = $"{entry.At.UtcDateTime:HH:mm:ss.fff} #{entry.Position} {entry.Type.Replace('_', ' ')} {entry.Stream} v{entry.Version}  {Tables.Plain(entry.Actor ?? "")}  {facts}";
        return text.Length <= Width ? text : $"{text[..(Width - 1)]}…";
    }

    /// <summary>All that a value holds, a line each.</summary>
    public static IEnumerable<string> Facts(JsonElement body) => Facts(body, "").Select(f => $"{f.Name} {f.Value}");

    /// <summary>All that a value holds, in lines of a terminal's width.</summary>
    public static IEnumerable<string> Wrapped(JsonElement body) => Wrap(Facts(body));

    private static IEnumerable<(string Name, string Value)> Facts(JsonElement body, string path)
    {
        if (body.ValueKind != JsonValueKind.Object)
            yield break;
        foreach (var property in body.EnumerateObject().Where(p => path.Length > 0 || p.Name != "Verdicts"))
        {
            var name = path.Length == 0 ? property.Name : $"{path}.{property.Name}";
            switch (property.Value.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var inner in Facts(property.Value, name))
                        yield return inner;
                    break;
                case JsonValueKind.Null:
                    break;
                case JsonValueKind.String:
                    yield return (name, Tables.Plain(property.Value.GetString()!));
                    break;
                default:
                    yield return (name, Tables.Plain(property.Value.GetRawText()));
                    break;
            }
        }
    }

    private static IEnumerable<string> Wrap(IEnumerable<string> facts)
    {
        var line = "";
        foreach (var fact in facts)
        {
            if (line.Length > 0 && line.Length + fact.Length + 3 > Width - Indent.Length)
            {
                yield return line;
                line = "";
            }
            line = line.Length == 0 ? fact : $"{line} · {fact}";
        }
        if (line.Length > 0)
            yield return line;
    }
}
