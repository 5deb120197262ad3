using System.Globalization;
using System.Text.Json;

namespace Antbot.Signals.Core.Webhook;

/// <summary>
/// Reads the members of a body as charting tools spell them: any case, with or without underscores, several names for one thing,
/// numbers as numbers or as texts. Whatever is wrong is noted, and the reading goes on, so that all of it is told at once.
/// </summary>
internal sealed class WebhookReader
{
    private const int TextMax = 200;

    private readonly Dictionary<string, (string Name, JsonElement Value)> _members = new(StringComparer.Ordinal);
    private readonly HashSet<string> _told = new(StringComparer.Ordinal);
    private readonly List<string> _faults = [];

    public WebhookReader(JsonElement body)
    {
        foreach (var member in body.EnumerateObject())
        {
            var name = Plain(member.Name);
            if (member.Value.ValueKind != JsonValueKind.Null && !_members.TryAdd(name, (member.Name, member.Value)))
                Fault(Shown(member.Name), "is there twice");
        }
    }

    public IReadOnlyList<string> Faults => _faults;

    public void Fault(string name, string what)
    {
        _told.Add(Plain(name));
        _faults.Add($"{name}: {what}.");
    }

    /// <summary>A fault of what has several names, unless one of them has been found fault with already.</summary>
    public void FaultOnce(string what, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_told.Contains(Plain(name)))
                return;
        }
        Fault(names[0], what);
    }

    public bool Has(params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (_members.ContainsKey(Plain(name)))
                return true;
        }
        return false;
    }

    /// <summary>Null where it is absent, empty, or faulty.</summary>
    public string? Text(params ReadOnlySpan<string> names)
    {
        if (Find(names) is not { } found)
            return null;
        if (found.Value.ValueKind is JsonValueKind.Number && found.Value.GetRawText() is { Length: <= TextMax } number)
            return number;
        if (found.Value.ValueKind != JsonValueKind.String)
        {
            Fault(Shown(found.Name), "is not a text");
            return null;
        }
        var text = found.Value.GetString()!.Trim();
        if (text.Length > TextMax)
            Fault(Shown(found.Name), $"has {text.Length} characters; at most {TextMax} are taken");
        else if (text.Any(char.IsControl) || text.Any(char.IsSurrogate))
            Fault(Shown(found.Name), "holds characters that are no letters, digits or signs");
        else
            return text.Length == 0 ? null : text;
        return null;
    }

    /// <summary>Null where it is absent, empty, or faulty.</summary>
    public decimal? Number(params ReadOnlySpan<string> names)
    {
        if (Find(names) is not { } found)
            return null;
        var (name, value) = found;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number))
            return number;
        if (value.ValueKind == JsonValueKind.String && value.GetString()!.Trim() is { Length: <= TextMax } text)
        {
            if (text.Length == 0)
                return null;
            if (decimal.TryParse(text, NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number))
                return number;
        }
        Fault(Shown(name), "is not a decimal number, such as 1.5 or \"1.5\"");
        return null;
    }

    private (string Name, JsonElement Value)? Find(ReadOnlySpan<string> names)
    {
        (string Name, JsonElement Value)? found = null;
        foreach (var name in names)
        {
            if (!_members.TryGetValue(Plain(name), out var member))
                continue;
            if (found is { } other)
                Fault(Shown(member.Name), $"says the same as {Shown(other.Name)}; one of them is enough");
            else
                found = member;
        }
        return found;
    }

    /// <summary>What came from outside is shown back short.</summary>
    private static string Shown(string name) => name.Length <= 40 ? name : $"{name[..40]}…";

    private static string Plain(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();
}
