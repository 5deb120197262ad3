using System.Text.Json;

namespace Antbot.Forensics;

/// <summary>One place at which two JSON values differ.</summary>
/// <param name="Path">From the outside in: <c>Verdicts[2].Passed</c>; empty for the values themselves.</param>
/// <param name="Was">Null where there was nothing.</param>
/// <param name="Is">Null where there is nothing any more.</param>
public sealed record JsonChange(string Path, JsonElement? Was, JsonElement? Is)
{
    /// <summary>In the order of the members; of lists, place by place.</summary>
    public static IReadOnlyList<JsonChange> Between(JsonElement was, JsonElement @is)
    {
        var changes = new List<JsonChange>();
        Compare("", was, @is, changes);
        return changes;
    }

    public override string ToString() => $"{Path}: {Text(Was)} → {Text(Is)}";

    private static string Text(JsonElement? value) => value is { } v ? v.GetRawText() : "nothing";

    private static void Compare(string path, JsonElement was, JsonElement now, List<JsonChange> changes)
    {
        if (was.ValueKind == JsonValueKind.Object && now.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in was.EnumerateObject())
            {
                var inner = path.Length == 0 ? member.Name : $"{path}.{member.Name}";
                if (now.TryGetProperty(member.Name, out var next))
                    Compare(inner, member.Value, next, changes);
                else
                    changes.Add(new JsonChange(inner, member.Value, null));
            }
            changes.AddRange(now.EnumerateObject().Where(m => !was.TryGetProperty(m.Name, out _)).Select(m => new JsonChange(path.Length == 0 ? m.Name : $"{path}.{m.Name}", null, m.Value)));
            return;
        }
        if (was.ValueKind == JsonValueKind.Array && now.ValueKind == JsonValueKind.Array)
        {
            var (before, after) = (was.GetArrayLength(), now.GetArrayLength());
            for (var i = 0; i < Math.Max(before, after); i++)
            {
                var inner = $"{path}[{i}]";
                if (i < before && i < after)
                    Compare(inner, was[i], now[i], changes);
                else
                    changes.Add(new JsonChange(inner, i < before ? was[i] : null, i < after ? now[i] : null));
            }
            return;
        }
        // By its digits: 1.0 is another decimal than 1.
        if (was.ValueKind != now.ValueKind || was.GetRawText() != now.GetRawText())
            changes.Add(new JsonChange(path, was, now));
    }
}
