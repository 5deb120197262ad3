using System.Text.Json;
using System.Text.Json.Nodes;
using Antbot.Contracts.Events;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>What a patch makes of a letter, or all that speaks against it.</summary>
/// <param name="Patch">As it is recorded.</param>
/// <param name="Before">What would be sent without it.</param>
/// <param name="Body">The whole letter with its message changed; null where it is too large for an event, or where there are faults.</param>
public sealed record LetterEdit(string Patch, ContentHash Before, ContentHash After, byte[]? Body, IReadOnlyList<string> Faults)
{
    /// <summary>A larger letter is none that a service has written: nobody mends it by hand.</summary>
    public const int BytesMax = 1024 * 1024;

    private const int FaultsMax = 50;
    private const string MessageMember = "message";

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    /// <summary>
    /// The message within an envelope with the patch applied to it; everything around it stays, its ids among it. Both messages are given
    /// to <paramref name="faultsOf"/>, which says all that is wrong with the second in the place of the first.
    /// </summary>
    /// <param name="whole">The edited letter; empty where there are faults.</param>
    public static LetterEdit Of(ReadOnlyMemory<byte> body, JsonElement patch, Func<string, JsonElement, JsonElement, IReadOnlyList<string>> faultsOf, out byte[] whole)
    {
        ArgumentNullException.ThrowIfNull(faultsOf);
        whole = [];
        var before = Letter.HashOf(body.Span);
        var text = patch.GetRawText();
        if (body.Length > BytesMax)
            return Refused(text, before, [$"It has {body.Length:N0} bytes; of at most {BytesMax:N0} the message is changed."]);
        try
        {
            using var document = JsonDocument.Parse(body, Strict);
            if (TypeOf(document.RootElement) is not { } type || !document.RootElement.TryGetProperty(MessageMember, out var message))
                return Refused(text, before, ["It is no envelope around one message: it can be discarded, and not changed."]);
            var changed = JsonPatch.Apply(message, patch);
            if (JsonElement.DeepEquals(message, changed))
                return Refused(text, before, ["It changes nothing."]);
            if (faultsOf(type, message, changed) is { Count: > 0 } faults)
                return Refused(text, before, faults.Count <= FaultsMax ? faults : [.. faults.Take(FaultsMax), $"and {faults.Count - FaultsMax} more"]);
            var envelope = JsonObject.Create(document.RootElement)!;
            envelope[MessageMember] = JsonNode.Parse(changed.GetRawText());
            whole = JsonSerializer.SerializeToUtf8Bytes(envelope);
        }
        catch (JsonException e)
        {
            return Refused(text, before, [$"It is no JSON that could be changed: {e.Message}"]);
        }
        catch (JsonPatchException e)
        {
            return Refused(text, before, [e.Message]);
        }
        var after = Letter.HashOf(whole);
        return whole.Length > BytesMax
            ? Refused(text, before, [$"It would have {whole.Length:N0} bytes; {BytesMax:N0} are the limit."])
            : new LetterEdit(text, before, after, whole.Length <= Letter.BodyInEventMax ? whole : null, []);
    }

    private static LetterEdit Refused(string patch, ContentHash before, IReadOnlyList<string> faults) => new(patch, before, before, null, faults);

    /// <summary>Of the first kind that it says to be: the rest are what that one is, too.</summary>
    private static string? TypeOf(JsonElement envelope) =>
        envelope.ValueKind == JsonValueKind.Object && envelope.TryGetProperty("messageType", out var types) && types.ValueKind == JsonValueKind.Array && types.GetArrayLength() > 0 && types[0].ValueKind == JsonValueKind.String
            ? types[0].GetString()
            : null;
}
