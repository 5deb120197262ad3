using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <param name="KeptAt">When it was kept.</param>
/// <param name="At">When something was last recorded of it.</param>
internal sealed record OpenedLetter(DeadLetterKept Kept, DateTimeOffset KeptAt, Loaded<DeadLetterState> Loaded, LetterBody ToSend, DateTimeOffset At)
{
    /// <summary>Of what lies beside the events of several, as much as is read at once: it is copied several times on its way.</summary>
    public const long RoomBytes = 32 * 1024 * 1024;

    public DeadLetterState State => Loaded.State;

    /// <summary>What reading all of it takes.</summary>
    public long Bytes => ToSend.Content.Bytes + (Kept.LargeProperties?.Bytes ?? 0);

    /// <summary>For whoever only waits to see what becomes of it, and of many others.</summary>
    public OpenedLetter WithoutBytes() => this with { Kept = Kept with { Body = null, Properties = null }, ToSend = ToSend with { Inline = null } };
}

/// <param name="Found">Each with its first event.</param>
/// <param name="Archived">Made as well, but where is in an archive that cannot be read here: why.</param>
internal sealed record Effects(Dictionary<Decision, EventPlace> Found, Dictionary<Decision, string> Archived);

/// <summary>The record of dead letters: what is kept in it, and what is decided about it.</summary>
internal sealed class DeadLetterBook(PipelineParts parts, IBlobs blobs, DeadLetterStories stories) : IDeadLetters
{
    public const string Actor = "service:console";

    /// <summary>Below the store's own limit by what the rest of an event takes.</summary>
    private const int PropertiesInEventMax = StoreLimits.EventBytesMax / 2;

    /// <summary>Each may have a body within.</summary>
    private const int OpenedAtOnce = 64;

    private readonly StreamPipeline<DeadLetterState> _pipeline = new(parts, DeadLetterDecider.Behaviour);

    /// <summary>What is too large goes beside the event before the event: one that stands in the history has all that it names.</summary>
    public async Task KeepAsync(DeadMessage message, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (await HasReturnedAsync(message, cancellationToken))
            return;
        var kept = Letter.Read(message.Queue, message.Endpoint, message.Kind, message.Properties, message.Body);
        if (message.Body.Length > Letter.BodyInEventMax)
        {
            await blobs.PutAsync(kept.Content.Sha256, message.Body, cancellationToken);
            kept = kept with { Body = null };
        }
        var properties = JsonSerializer.SerializeToUtf8Bytes(message.Properties, EventCodec.Json);
        if (properties.Length > PropertiesInEventMax)
        {
            var large = Letter.HashOf(properties);
            await blobs.PutAsync(large.Sha256, properties, cancellationToken);
            kept = kept with { Properties = null, LargeProperties = large };
        }
        parts.CrashPoints.Reach("dead-letters.before-append");
        await AppendAsync(kept, cancellationToken);
    }

    /// <summary>
    /// Whether a letter that was sent once more is back: the same message at the same endpoint. Its bytes do not tell, since within one process
    /// it is written anew on the way. Whatever else bears such a header is a letter of its own, and so is what comes back when that one was archived.
    /// </summary>
    private async Task<bool> HasReturnedAsync(DeadMessage message, CancellationToken cancellationToken)
    {
        try
        {
            if (Letter.ReplayIn(message.Properties) is not var (letter, replay) || await OpenAsync(letter, cancellationToken) is not { Kept: var kept } opened)
                return false;
            var again = Letter.Read(message.Queue, message.Endpoint, message.Kind, message.Properties, message.Body);
            if (again.Message is null || again.Message != kept.Message || again.Endpoint != kept.Endpoint)
                return false;
            return (await RecordAsync(opened, again.Letter, new ReturnDeadLetter(letter, replay, again), Actor, cancellationToken)).Count > 0;
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            // Nothing is appended to it any more, whether its archive can be read here or not.
            return false;
        }
    }

    /// <summary>What a patch makes of the message within a letter, by the reading of whoever it goes to.</summary>
    public async Task<LetterEdit> EditOfAsync(OpenedLetter letter, JsonElement patch, CancellationToken cancellationToken)
    {
        var body = await stories.ReadAsync(letter.ToSend, cancellationToken);
        var edit = LetterEdit.Of(body, patch, (urn, before, after) => FaultsOf(letter.Kept, urn, before, after), out var whole);
        if (edit is { Faults: [], Body: null })
            await blobs.PutAsync(edit.After.Sha256, whole, cancellationToken);
        return edit;
    }

    private static IReadOnlyList<string> FaultsOf(DeadLetterKept kept, string urn, JsonElement before, JsonElement after)
    {
        if (LetterMessage.Find(urn) is not { } type)
            return [$"'{urn}' is no message of this build."];
        var faults = LetterMessage.FaultsOf(type, after);
        return faults.Count > 0 ? faults : EditBounds.FaultsOf(before, (ITradeMessage)LetterMessage.Read(type, after), kept.Trades is [var trade] ? trade : null);
    }

    /// <summary>The whole of it in one reading; null where there is no such letter.</summary>
    public async Task<OpenedLetter?> OpenAsync(Guid letter, CancellationToken cancellationToken)
    {
        var opened = new Dictionary<string, OpenedLetter>(StringComparer.Ordinal);
        await foreach (var stored in parts.Store.ReadStreamAsync(Streams.DeadLetter(letter), 1, cancellationToken))
            Apply(opened, stored);
        return opened.Values.SingleOrDefault();
    }

    /// <summary>Those of them that there are, each of which was asked for once; one that is over and archived is not.</summary>
    public async Task<IReadOnlyDictionary<Guid, OpenedLetter>> OpenAsync(IReadOnlyCollection<Guid> letters, CancellationToken cancellationToken)
    {
        var opened = new Dictionary<Guid, OpenedLetter>();
        foreach (var some in letters.Chunk(OpenedAtOnce))
        {
            foreach (var one in (await ReadAsync([], [.. some.Select(l => new StreamStart(Streams.DeadLetter(l)))], cancellationToken)).Values)
                opened[one.Kept.Letter] = one;
        }
        return opened;
    }

    /// <summary>What has become of them since they were opened, in their order.</summary>
    public async Task<IReadOnlyList<OpenedLetter>> OpenAgainAsync(IReadOnlyList<OpenedLetter> letters, CancellationToken cancellationToken)
    {
        var opened = await ReadAsync(letters, [.. letters.Select(l => new StreamStart(Streams.DeadLetter(l.Kept.Letter), l.Loaded.Version + 1))], cancellationToken);
        return [.. letters.Select(l => opened[Streams.DeadLetter(l.Kept.Letter).Value])];
    }

    /// <summary>By the names of their streams. Event by event, so that of a long one no more is held than what it comes to.</summary>
    private async Task<Dictionary<string, OpenedLetter>> ReadAsync(IReadOnlyList<OpenedLetter> before, IReadOnlyList<StreamStart> streams, CancellationToken cancellationToken)
    {
        var opened = Begin();
        try
        {
            await foreach (var stored in parts.Store.ReadStreamsAsync(streams, cancellationToken))
                Apply(opened, stored);
            return opened;
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            opened = Begin();
        }
        // Which of them it is, each tells for itself.
        foreach (var (stream, from) in streams)
        {
            try
            {
                await foreach (var stored in parts.Store.ReadStreamAsync(stream, from, cancellationToken))
                    Apply(opened, stored);
            }
            catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
            {
                // It is over: nothing comes of it any more.
            }
        }
        return opened;

        Dictionary<string, OpenedLetter> Begin() => before.ToDictionary(l => Streams.DeadLetter(l.Kept.Letter).Value, StringComparer.Ordinal);
    }

    private void Apply(Dictionary<string, OpenedLetter> opened, StoredEvent stored)
    {
        var @event = parts.Codec.Decode(stored);
        if (!opened.TryGetValue(stored.Stream, out var letter))
        {
            if (@event is not DeadLetterKept kept)
                return;
            letter = new OpenedLetter(kept, stored.Timestamp, new Loaded<DeadLetterState>(DeadLetterState.Initial, 0, 0), LetterBody.After(null, kept)!, stored.Timestamp);
        }
        opened[stored.Stream] = letter with
        {
            Loaded = letter.Loaded with { State = DeadLetterDecider.Behaviour.Fold.Apply(letter.State, @event), Version = stored.Version, Trail = Trail.Of(stored) },
            ToSend = LetterBody.After(letter.ToSend, @event)!,
            At = stored.Timestamp,
        };
    }

    /// <summary>What was decided on an operator's word, now or when it was given first.</summary>
    public async Task<StoredEvent> DecideAsync(OpenedLetter letter, Guid request, string by, object order, CancellationToken cancellationToken) =>
        await RecordAsync(letter, request, order, $"operator:{by}", cancellationToken) is [.., var last] ? last : throw Archiving.DecidedBefore();

    /// <summary>The decision that whoever a letter was going to makes on its message, sent once more or before; null where none can be found. Every endpoint decides under its own name.</summary>
    public static Decision? DecisionOn(Guid? message, string endpoint) => message is { } id && endpoint.Length is > 0 and <= Decision.ConsumerLengthMax ? new Decision(id, endpoint) : null;

    /// <summary>Of such decisions those that were made.</summary>
    public async Task<Effects> EffectsOfAsync(IEnumerable<Decision?> decisions, CancellationToken cancellationToken)
    {
        var effects = new Effects([], []);
        await FindEffectsAsync(decisions.OfType<Decision>().Distinct().ToArray(), effects, cancellationToken);
        return effects;
    }

    /// <summary>One that nobody here can read hides itself and no other: halves are asked for until it is alone.</summary>
    private async Task FindEffectsAsync(ArraySegment<Decision> decisions, Effects effects, CancellationToken cancellationToken)
    {
        try
        {
            foreach (var (decision, place) in await parts.Store.FindDecidedAsync(decisions, cancellationToken))
                effects.Found[decision] = place;
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            if (decisions.Count == 1)
            {
                effects.Archived[decisions[0]] = e.Message;
                return;
            }
            await FindEffectsAsync(decisions[..(decisions.Count / 2)], effects, cancellationToken);
            await FindEffectsAsync(decisions[(decisions.Count / 2)..], effects, cancellationToken);
        }
    }

    /// <summary>The same for people.</summary>
    public async Task<string?> EffectSaidAsync(DeadLetterKept kept, CancellationToken cancellationToken)
    {
        var effects = await EffectsOfAsync([DecisionOn(kept.Message, kept.Endpoint)], cancellationToken);
        return effects.Found.Values.FirstOrDefault() is { } effect ? $"event {effect.Sequence} of {effect.Stream} was decided on it" : effects.Archived.Values.FirstOrDefault();
    }

    /// <summary>What was decided now or on the same input before; nothing where nothing followed from it.</summary>
    public Task<IReadOnlyList<StoredEvent>> RecordAsync(OpenedLetter letter, Guid id, object input, string actor, CancellationToken cancellationToken) =>
        _pipeline.HandleAsync(Streams.DeadLetter(letter.Kept.Letter), new Input(id, input, CorrelationOf(letter.Kept), actor), letter.Loaded, cancellationToken);

    /// <summary>A letter about one trade is part of its story; any other is a story of its own.</summary>
    private static string CorrelationOf(DeadLetterKept kept) => kept.Trades is [var trade] ? trade.Value : kept.Letter.ToString("N");

    private async Task AppendAsync(DeadLetterKept kept, CancellationToken cancellationToken)
    {
        var outcome = await parts.Store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.DeadLetter(kept.Letter),
                Expected = ExpectedVersion.None,
                Decision = new Decision(kept.Letter, DeadLetterDecider.Consumer),
                Events = [parts.Codec.Encode(kept)],
                At = parts.Clock.GetUtcNow().Cut(),
                Meta = new EventMeta(CorrelationOf(kept), kept.Message?.ToString("N"), Actor),
            },
            cancellationToken);
        if (outcome is AppendOutcome.Conflict conflict)
            throw new InvalidOperationException($"{conflict.Stream} holds something else than this letter.");
    }
}
