using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>Everything about one dead letter.</summary>
/// <param name="Body">In base64; null where it is larger than <see cref="DeadLetterStories.BodyShownMax"/>, and is to be had by itself.</param>
/// <param name="Text">The body where it is a text in UTF-8.</param>
public sealed record DeadLetterStory(
    DeadLetterView Letter, string Stack, MessageProperties Properties, string Sha256, string? Body, string? Text, IReadOnlyList<DeadLetterStep> History, IReadOnlyList<DeadLetterEdit> Edits);

/// <summary>How the message of a letter was changed.</summary>
/// <param name="Patch">A JSON patch (RFC 6902).</param>
/// <param name="Before">The hash of what would have been sent until then.</param>
/// <param name="Text">The whole of what is sent from then on; null where it is longer than is shown.</param>
public sealed record DeadLetterEdit(int Edit, DateTimeOffset At, string By, string Reason, JsonElement Patch, string Before, string After, string? Text);

/// <param name="Reasons">What stood against it, where it was refused.</param>
public sealed record DeadLetterStep(DateTimeOffset At, string Type, string By, string Reason, IReadOnlyList<Contracts.Messages.Verdict> Reasons);

/// <summary>A dead letter as its own stream tells it, with what lies beside the events.</summary>
public sealed class DeadLetterStories(IEventStore store, EventCodec codec, IReadModels models, IBlobs blobs)
{
    public const int BodyShownMax = 1024 * 1024;
    public const int ReferenceLengthMin = 4;

    private const int IdLength = 32;

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Why a text can be no letter's id or a beginning of one; null where it can.</summary>
    public static string? FaultOfReference(string text) => text.Length is >= ReferenceLengthMin and <= IdLength && text.All(char.IsAsciiHexDigit)
        ? null
        : $"A dead letter's id has {IdLength} hexadecimal digits, at least the first {ReferenceLengthMin} of which are wanted.";

    /// <summary>The letters whose ids begin so, at most two: one is meant, two is not unique.</summary>
    public async Task<IReadOnlyList<Guid>> ResolveAsync(string reference, CancellationToken cancellationToken = default)
    {
        if (reference.Length == IdLength)
            return [Guid.ParseExact(reference, "N")];
        var rows = await models.ListAsync(ViewTable.DeadLetters, new ViewQuery([], IdPrefix: reference.ToLowerInvariant(), Limit: 2), cancellationToken);
        return [.. rows.Select(r => Guid.ParseExact(r.Id, "N"))];
    }

    /// <summary>Null where there is no such letter.</summary>
    public async Task<DeadLetterStory?> ReadAsync(Guid letter, CancellationToken cancellationToken = default)
    {
        DeadLetterKept? kept = null;
        DeadLetterView? view = null;
        var (history, edits) = (new List<DeadLetterStep>(), new List<DeadLetterEdit>());
        await foreach (var stored in store.ReadStreamAsync(Streams.DeadLetter(letter), 1, cancellationToken))
        {
            var @event = codec.Decode(stored);
            kept ??= @event as DeadLetterKept;
            view = DeadLetterFold.Apply(view, @event, stored.Timestamp);
            history.Add(Step(stored, @event));
            if (@event is DeadLetterEdited e)
                edits.Add(new DeadLetterEdit(e.Edit, stored.Timestamp, e.By, e.Reason, JsonElement.Parse(e.Patch), e.Before.Sha256, e.After.Sha256, e.After.Bytes <= BodyShownMax ? TextOf(await BodyOfAsync(e.Body, e.After, cancellationToken)) : null));
        }
        if (kept is null || view is null)
            return null;
        var body = kept.Content.Bytes <= BodyShownMax ? await BodyOfAsync(kept, cancellationToken) : null;
        return new DeadLetterStory(
            view, kept.Stack, await PropertiesOfAsync(kept, cancellationToken), kept.Content.Sha256, body is null ? null : Convert.ToBase64String(body), body is null ? null : TextOf(body), history, edits);
    }

    /// <summary>The bytes as they came, of any size; null where there is no such letter.</summary>
    public async Task<byte[]?> ReadBodyAsync(Guid letter, CancellationToken cancellationToken = default)
    {
        await foreach (var stored in store.ReadStreamAsync(Streams.DeadLetter(letter), 1, cancellationToken))
            return codec.Decode(stored) is DeadLetterKept kept ? await BodyOfAsync(kept, cancellationToken) : null;
        return null;
    }

    /// <summary>What is sent once more: as it came, or as it was changed last; null where there is no such letter.</summary>
    public async Task<byte[]?> ReadToSendAsync(Guid letter, CancellationToken cancellationToken = default)
    {
        LetterBody? sent = null;
        await foreach (var stored in store.ReadStreamAsync(Streams.DeadLetter(letter), 1, cancellationToken))
            sent = LetterBody.After(sent, codec.Decode(stored));
        return sent is not null ? await ReadAsync(sent, cancellationToken) : null;
    }

    public Task<byte[]> ReadAsync(LetterBody body, CancellationToken cancellationToken = default) => BodyOfAsync(body.Inline, body.Content, cancellationToken);

    public async Task<MessageProperties> PropertiesOfAsync(DeadLetterKept kept, CancellationToken cancellationToken = default)
    {
        if (kept.Properties is { } properties)
            return properties;
        var large = await FindAsync(kept.LargeProperties?.Sha256 ?? "", cancellationToken);
        return JsonSerializer.Deserialize<MessageProperties>(large, EventCodec.Json) ?? throw new JsonException("The properties are null.");
    }

    private Task<byte[]> BodyOfAsync(DeadLetterKept kept, CancellationToken cancellationToken) => BodyOfAsync(kept.Body, kept.Content, cancellationToken);

    private async Task<byte[]> BodyOfAsync(byte[]? body, ContentHash content, CancellationToken cancellationToken) =>
        body is not null ? BlobHash.Checked(content.Sha256, body) : await FindAsync(content.Sha256, cancellationToken);

    private async Task<byte[]> FindAsync(string sha256, CancellationToken cancellationToken) => await blobs.FindAsync(sha256, cancellationToken)
        ?? throw new EventStoreException(StoreFault.Corrupt, $"The body {sha256} that the history names is not in the store.");

    private static DeadLetterStep Step(StoredEvent stored, object @event) => @event switch
    {
        DeadLetterDiscarded e => new(stored.Timestamp, stored.Type, e.By, e.Reason, []),
        DeadLetterReplayOrdered e => new(stored.Timestamp, stored.Type, e.By, $"{e.Replay}: {e.Reason}", []),
        DeadLetterGivenUp e => new(stored.Timestamp, stored.Type, e.By, $"{e.Replay}: {e.Reason}", []),
        DeadLetterReturned e => new(stored.Timestamp, stored.Type, stored.Actor ?? "", $"{e.Replay}: {e.FaultType}: {e.FaultMessage}", []),
        DeadLetterReplayed e => new(stored.Timestamp, stored.Type, stored.Actor ?? "", $"{e.Replay}: event {e.Sequence} of {e.Stream}", []),
        DeadLetterEdited e => new(stored.Timestamp, stored.Type, e.By, $"{e.Edit}: {e.Reason}", []),
        DeadLetterExpired e => new(stored.Timestamp, stored.Type, e.By, e.Reason, []),
        DeadLetterRefused e => new(stored.Timestamp, stored.Type, e.By, e.Command, e.Verdicts),
        _ => new(stored.Timestamp, stored.Type, stored.Actor ?? "", "", []),
    };

    private static string? TextOf(byte[] body)
    {
        try
        {
            return Strict.GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
