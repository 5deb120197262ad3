using System.Text.Json;
using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>A JSON object whose fields are read by their kind.</summary>
internal sealed class Body
{
    private readonly JsonElement _root;

    private Body(JsonElement root) => _root = root;

    public static Body Empty { get; } = Parse("");

    public static Body Parse(string text)
    {
        using var document = JsonDocument.Parse(text.Length == 0 ? "{}" : text, new JsonDocumentOptions { MaxDepth = 4 });
        return document.RootElement.ValueKind == JsonValueKind.Object ? new Body(document.RootElement.Clone()) : throw new JsonException("It is no object.");
    }

    public bool Has(string name) => _root.TryGetProperty(name, out _);

    public string? FindText(string name)
    {
        if (!_root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        return value.ValueKind == JsonValueKind.String ? value.GetString() : throw new ApiException(-1102, $"'{name}' must be a text.");
    }

    public string NeedText(string name) => FindText(name) is { Length: > 0 } text ? text : throw ApiException.Missing(name);

    /// <summary>A list of texts; null where there is none.</summary>
    public IReadOnlyList<string>? FindTexts(string name)
    {
        if (!_root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null)
            return null;
        return value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= 64 && value.EnumerateArray().All(v => v.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(v => v.GetString()!)]
            : throw new ApiException(-1102, $"'{name}' must be a list of texts.");
    }

    public bool? Flag(string name)
    {
        if (!_root.TryGetProperty(name, out var value))
            return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw new ApiException(-1102, $"'{name}' must be true or false.");
    }

    public int Whole(string name, int otherwise, int least, int most)
    {
        if (!_root.TryGetProperty(name, out var value))
            return otherwise;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number) && number >= least && number <= most
            ? number
            : throw new ApiException(-1102, $"'{name}' must be a whole number from {least} to {most}.");
    }

    public double Number(string name, double otherwise, double least, double most)
    {
        if (!_root.TryGetProperty(name, out var value))
            return otherwise;
        return value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && number >= least && number <= most
            ? number
            : throw new ApiException(-1102, $"'{name}' must be a number from {least} to {most}.");
    }

    /// <summary>The fields of an object of texts; none where there is no such object.</summary>
    public IEnumerable<(string Name, string Value)> Texts(string name)
    {
        if (!_root.TryGetProperty(name, out var value))
            return [];
        if (value.ValueKind != JsonValueKind.Object || value.EnumerateObject().Any(p => p.Value.ValueKind != JsonValueKind.String))
            throw new ApiException(-1102, $"'{name}' must be an object of texts.");
        return [.. value.EnumerateObject().Select(p => (p.Name, p.Value.GetString()!))];
    }
}
