using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Forensics;
using Antbot.Runtime.Store;

namespace Antbot.Incidents;

/// <param name="What">The event and the numbers and names in it, on one line.</param>
/// <param name="By">Who did it: the name that was given beside the token's, too.</param>
/// <param name="Why">What was said for it, or against it.</param>
public sealed record EventWord(string What, string By, string Why);

/// <summary>An event on a line for people, whichever it is: one that this build does not know is told as it lies there.</summary>
public static class EventWords
{
    private const int FactsMax = 12;
    private const int FactLengthMax = 80;
    private const int WhyLengthMax = 600;

    /// <summary>Told elsewhere, or of no use to a reader.</summary>
    private static readonly HashSet<string> Left = new(StringComparer.Ordinal)
    {
        "Reason", "By", "Message", "What", "Verdicts", "Token", "Request", "Incident", "Letter", "Selection", "Asked", "Stack", "Properties", "Body", "Evidence", "Limits", "Signal", "Inputs", "BodyHash",
    };

    private static readonly EventCodec Codec = new(StreamKinds.Registry);

    public static EventWord Of(StoredEvent stored)
    {
        ArgumentNullException.ThrowIfNull(stored);
        var body = BodyOf(stored);
        var facts = body.ValueKind == JsonValueKind.Object ? body.EnumerateObject().Where(p => !Left.Contains(p.Name)).Select(Fact).OfType<string>().Take(FactsMax).ToList() : [];
        var said = TextIn(body, "By");
        var actor = stored.Actor ?? "nobody";
        return new EventWord(
            facts.Count == 0 ? Name(stored.Type) : $"{Name(stored.Type)}: {string.Join(", ", facts)}",
            said is null || actor.EndsWith($":{said}", StringComparison.Ordinal) ? Plain(actor, FactLengthMax) : Plain($"{actor} ({said})", FactLengthMax * 2),
            Plain(string.Join("; ", new[] { TextIn(body, "Reason") ?? TextIn(body, "Message") ?? TextIn(body, "What") }.OfType<string>().Concat(Against(body))), WhyLengthMax));
    }

    /// <summary>On one line, of this length at most.</summary>
    public static string Plain(string text, int length)
    {
        ArgumentNullException.ThrowIfNull(text);
        var line = string.Concat(text.Select(c => char.IsControl(c) || char.IsSurrogate(c) ? ' ' : c));
        return line.Length <= length ? line : $"{line[..(length - 1)]}…";
    }

    private static string Name(string type) => Plain(type.Replace('_', ' '), FactLengthMax);

    private static JsonElement BodyOf(StoredEvent stored)
    {
        try
        {
            var decoded = Codec.Decode(stored);
            // Whatever bytes it had are told by its own story.
            if (decoded is DeadLetterKept letter)
                decoded = letter with { Properties = null, Body = null };
            return JsonSerializer.SerializeToElement(decoded, decoded.GetType(), EventCodec.JsonForPeople);
        }
        catch (EventStoreException)
        {
            using var document = JsonDocument.Parse(stored.Data);
            return document.RootElement.Clone();
        }
    }

    private static string? Fact(JsonProperty member) => member.Value.ValueKind switch
    {
        JsonValueKind.String when member.Value.GetString() is { Length: > 0 } text => $"{member.Name} {Plain(text, FactLengthMax)}",
        JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => $"{member.Name} {member.Value.GetRawText()}",
        JsonValueKind.Array when member.Value.GetArrayLength() > 0 => $"{member.Name} {member.Value.GetArrayLength()}",
        _ => null,
    };

    private static IEnumerable<string> Against(JsonElement body)
    {
        if (body.ValueKind != JsonValueKind.Object || !body.TryGetProperty("Verdicts", out var verdicts) || verdicts.ValueKind != JsonValueKind.Array)
            return [];
        try
        {
            return (verdicts.Deserialize<List<Verdict>>(EventCodec.JsonForPeople) ?? []).Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}");
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static string? TextIn(JsonElement body, string name) => body.ValueKind == JsonValueKind.Object && body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
