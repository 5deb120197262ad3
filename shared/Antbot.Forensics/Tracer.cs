using System.Globalization;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// From any id the whole causal chain. Nothing is searched through: events are found by their streams, by what their chains are found by, by
/// ids that are hashes, and by the read models' index of what stands in them.
/// </summary>
/// <param name="mayRead">Whether whoever asks may see what a stream's events say.</param>
public sealed class Tracer(IEventStore store, ITraceIndex index, Func<string, bool>? mayRead = null)
{
    /// <summary>A message that nobody has decided on yet is looked for among what was said in so many events before the end.</summary>
    public const int SearchedMax = 20_000;

    private const int IdLength = 32;
    private const int BeginningMin = 4;
    private const int TextMax = 100;
    private const int PageSize = 2_000;
    private const int ProcessesMax = 50;

    private readonly TraceReader _reader = new();

    /// <summary>Why a text can be the id of nothing, or nothing of this kind; null where it can.</summary>
    public static string? Fault(string text, TraceKind? kind)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.Length is 0 or > TextMax)
            return $"An id has 1 to {TextMax} characters.";
        return kind switch
        {
            TraceKind.Trade => IsBeginning(text) ? null : $"A trade's id has {IdLength} hexadecimal digits, at least the first {BeginningMin} of which are wanted.",
            TraceKind.Order => ClientOrderId.Fault(text),
            TraceKind.VenueOrder => text.Any(char.IsControl) ? "An order's name at the venue has no control characters." : null,
            TraceKind.Event => SequenceOf(text) is null ? "An event is meant by its sequence, such as #12345." : null,
            null => GuidOf(text) is not null || SequenceOf(text) is not null || IsBeginning(text) || ClientOrderId.Fault(text) is null
                ? null
                : "An id is that of a trade (or the first digits of it), an order, a message, a dead letter or a request, or the sequence of an event, such as #12345.",
            _ => GuidOf(text) is null ? $"Such an id has {IdLength} hexadecimal digits." : null,
        };
    }

    /// <summary>What an id is the id of: nothing, one thing, or more than one where it is not unique.</summary>
    /// <param name="kind">Null for whatever it may be.</param>
    public async Task<IReadOnlyList<TraceTarget>> ResolveAsync(string text, TraceKind? kind, CancellationToken cancellationToken = default)
    {
        if (Fault(text, kind) is { } fault)
            throw new ArgumentException(fault, nameof(text));
        if (SequenceOf(text) is { } sequence && (kind == TraceKind.Event || (kind is null && text[0] == '#')))
            return await ReadAsync(sequence, cancellationToken) is null ? [] : [new TraceTarget(TraceKind.Event, sequence.ToString(CultureInfo.InvariantCulture))];
        var id = GuidOf(text);
        foreach (var candidate in id is null ? [] : kind is { } only ? new[] { only } : [TraceKind.Trade, TraceKind.DeadLetter, TraceKind.Message, TraceKind.Request])
        {
            if (await IsAsync(candidate, id!.Value, cancellationToken))
                return [new TraceTarget(candidate, id.Value.ToString("N"))];
        }
        var found = new List<TraceTarget>();
        if (kind is null or TraceKind.Trade && IsBeginning(text) && text.Length < IdLength)
            found.AddRange((await index.TradesAsync(text.ToLowerInvariant(), cancellationToken)).Select(t => new TraceTarget(TraceKind.Trade, t)));
        if (kind is null or TraceKind.Order && ClientOrderId.Fault(text) is null && (await TradesOfOrderAsync(text, cancellationToken)).Count > 0)
            found.Add(new TraceTarget(TraceKind.Order, text));
        if (kind is null or TraceKind.VenueOrder && (await index.MentionsAsync(MentionKind.VenueOrder, text, cancellationToken)).Count > 0)
            found.Add(new TraceTarget(TraceKind.VenueOrder, text));
        // Last, because it is a search.
        if (found.Count == 0 && id is { } message && kind is null or TraceKind.Message && await FindSenderAsync(message, cancellationToken) is not null)
            found.Add(new TraceTarget(TraceKind.Message, message.ToString("N")));
        return found;
    }

    /// <summary>Null where there is nothing of it.</summary>
    public async Task<Trace?> TraceAsync(TraceTarget target, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        var gathered = new TraceGathering(store, index, _reader);
        await SeedAsync(gathered, target, cancellationToken);
        await gathered.FollowAsync(cancellationToken);
        return gathered.Events.Count == 0 ? null : await BuildAsync(target, gathered, cancellationToken);
    }

    private async Task SeedAsync(TraceGathering gathered, TraceTarget target, CancellationToken cancellationToken)
    {
        switch (target.Kind)
        {
            case TraceKind.Trade:
                await gathered.AddTradeAsync(TradeId.From(target.Id), cancellationToken);
                break;
            case TraceKind.Order:
                foreach (var trade in await TradesOfOrderAsync(target.Id, cancellationToken))
                    await gathered.AddTradeAsync(trade, cancellationToken);
                break;
            case TraceKind.VenueOrder:
                foreach (var place in await index.MentionsAsync(MentionKind.VenueOrder, target.Id, cancellationToken))
                    await gathered.AddPlaceAsync(place, cancellationToken);
                break;
            case TraceKind.Message:
                await SeedMessageAsync(gathered, Guid.ParseExact(target.Id, "N"), cancellationToken);
                break;
            case TraceKind.DeadLetter:
                await gathered.AddStreamAsync(Streams.DeadLetter(Guid.ParseExact(target.Id, "N")), cancellationToken);
                break;
            case TraceKind.Event:
                if (await ReadAsync(long.Parse(target.Id, CultureInfo.InvariantCulture), cancellationToken) is { } stored)
                {
                    gathered.Add(stored);
                    await gathered.AddCorrelatedAsync(stored.CorrelationId, cancellationToken);
                }
                break;
            case TraceKind.Request:
                await gathered.AddCorrelatedAsync(target.Id, cancellationToken);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(target), target.Kind, "That is no kind of id.");
        }
        // A letter may be about more than one trade; from one of these on the others are told as what they are, others.
        if (target.Kind is TraceKind.Trade or TraceKind.Order)
            return;
        var letters = gathered.Events.Values.Select(e => e.Event).OfType<DeadLetterKept>().SelectMany(l => l.Trades);
        foreach (var trade in gathered.Events.Values.Select(e => e.Trade).OfType<TradeId>().Concat(letters).Distinct().ToList())
            await gathered.AddTradeAsync(trade, cancellationToken);
    }

    private async Task SeedMessageAsync(TraceGathering gathered, Guid message, CancellationToken cancellationToken)
    {
        foreach (var stored in await EffectsAsync(message, cancellationToken))
            gathered.Add(stored);
        foreach (var place in await index.MentionsAsync(MentionKind.Message, message.ToString("N"), cancellationToken))
            await gathered.AddPlaceAsync(place, cancellationToken);
        if (gathered.Events.Count == 0 && await FindSenderAsync(message, cancellationToken) is { } sender)
            gathered.Add(sender);
    }

    private async Task<bool> IsAsync(TraceKind kind, Guid id, CancellationToken cancellationToken) => kind switch
    {
        TraceKind.Trade => id != Guid.Empty && await IsTradeAsync(new TradeId(id), cancellationToken),
        TraceKind.DeadLetter => await store.ReadVersionAsync(Streams.DeadLetter(id), cancellationToken) > 0,
        TraceKind.Message => (await EffectsAsync(id, cancellationToken)).Count > 0 || (await index.MentionsAsync(MentionKind.Message, id.ToString("N"), cancellationToken)).Count > 0,
        TraceKind.Request => (await store.FindByCorrelationAsync(id.ToString("N"), 1, cancellationToken)).Count > 0,
        _ => false,
    };

    private async Task<bool> IsTradeAsync(TradeId trade, CancellationToken cancellationToken) =>
        await store.ReadVersionAsync(Streams.Trade(trade), cancellationToken) > 0
        || await store.ReadVersionAsync(Streams.Signal(trade), cancellationToken) > 0
        || await store.ReadVersionAsync(Streams.Order(trade), cancellationToken) > 0;

    private async Task<IReadOnlyList<StoredEvent>> EffectsAsync(Guid message, CancellationToken cancellationToken)
    {
        var effects = new List<StoredEvent>();
        foreach (var kind in StreamKinds.All)
            effects.AddRange(await store.FindDecisionAsync(new Decision(message, kind.Consumer), cancellationToken));
        return effects;
    }

    /// <summary>An order bears its trade's name, or whatever somebody else called it.</summary>
    private async Task<IReadOnlyList<TradeId>> TradesOfOrderAsync(string order, CancellationToken cancellationToken)
    {
        var trades = new List<TradeId>();
        if (new ClientOrderId(order).Trade is { } own && await store.ReadVersionAsync(Streams.Order(own), cancellationToken) > 0)
            trades.Add(own);
        foreach (var place in await index.MentionsAsync(MentionKind.Order, order, cancellationToken))
        {
            if (TradeId.TryParse(place.Stream[Streams.OrderPrefix.Length..], out var trade) && !trades.Contains(trade))
                trades.Add(trade);
        }
        return trades;
    }

    private async Task<StoredEvent?> FindSenderAsync(Guid message, CancellationToken cancellationToken)
    {
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        var through = Math.Max(0, head.Sequence - SearchedMax);
        while (through < head.Sequence && await store.ReadPageAsync(through, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            foreach (var stored in page)
            {
                if (_reader.Read(stored).Says.Any(s => s.Id == message))
                    return stored;
            }
            through = page[^1].Sequence;
        }
        return null;
    }

    private async Task<StoredEvent?> ReadAsync(long sequence, CancellationToken cancellationToken) =>
        sequence > 0 && await store.ReadPageAsync(sequence - 1, 1, cancellationToken) is [var stored] && stored.Sequence == sequence ? stored : null;

    private async Task<Trace> BuildAsync(TraceTarget target, TraceGathering gathered, CancellationToken cancellationToken)
    {
        var chain = gathered.Events.Values.ToList();
        var causes = new Causes(chain);
        var effects = chain.Select((e, i) => (e.Stored.CausationId, Number: i + 1)).Where(e => e.CausationId is not null && !chain[e.Number - 1].IsLetter).ToLookup(e => e.CausationId!, e => e.Number, StringComparer.Ordinal);
        var letters = chain.Select(e => e.Event).OfType<DeadLetterKept>().Where(l => l.Message is not null).ToLookup(l => l.Message!.Value, l => l.Letter.ToString("N"));
        var steps = chain.Select((e, i) => Step(e, i + 1, causes.Of(i), effects, letters)).ToList();
        var (processes, unknown) = await ProcessesAsync(steps, cancellationToken);
        return new Trace(target, [.. gathered.Trades.Select(t => t.Value)], gathered.Related, gathered.More, steps, processes, [.. TraceGaps.Of(chain, steps, gathered), .. unknown]);
    }

    private TraceStep Step(Traced traced, int number, Cause cause, ILookup<string, int> effects, ILookup<Guid, string> letters)
    {
        var (stored, withheld) = (traced.Stored, mayRead?.Invoke(traced.Stored.Stream) == false);
        var body = withheld ? JsonElement.Parse("{}"u8) : TraceReader.Told(traced);
        var messages = traced.Says.Select(s => new SaidMessage(s.Id, s.Body.GetType().Name, s.Endpoint, [.. effects[s.Id.ToString("N")].Where(n => n > number)], [.. letters[s.Id]]));
        return new TraceStep(
            number, stored.Sequence, stored.Position, stored.Timestamp, stored.Stream, stored.Version, stored.Type, stored.EventId, stored.Actor, stored.TraceId, stored.Process, cause, [.. messages],
            VerdictsIn(body), body, withheld);
    }

    private static List<Verdict> VerdictsIn(JsonElement body)
    {
        try
        {
            return body.TryGetProperty("Verdicts", out var verdicts) && verdicts.ValueKind == JsonValueKind.Array ? verdicts.Deserialize<List<Verdict>>(EventCodec.JsonForPeople) ?? [] : [];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private async Task<(IReadOnlyList<TraceProcess> Processes, IReadOnlyList<TraceGap> Unknown)> ProcessesAsync(List<TraceStep> steps, CancellationToken cancellationToken)
    {
        var (processes, unknown) = (new List<TraceProcess>(), new List<TraceGap>());
        foreach (var group in steps.Where(s => s.Process is not null).GroupBy(s => s.Process!.Value).Take(ProcessesMax))
        {
            var started = await store.FindDecisionAsync(new Decision(group.Key, ProcessStarts.Consumer), cancellationToken);
            if (started is [var stored, ..] && ProcessStarts.Read(stored, group.Count()) is { } process)
                processes.Add(process);
            else
                unknown.Add(new TraceGap(GapKind.Missing, group.First().Number, $"that process {group.Key:N} began, which recorded it: neither its build nor its configuration can be told"));
        }
        return (processes, unknown);
    }

    private static bool IsBeginning(string text) => text.Length is >= BeginningMin and <= IdLength && text.All(char.IsAsciiHexDigit);

    private static Guid? GuidOf(string text) => Guid.TryParseExact(text, "N", out var id) || Guid.TryParseExact(text, "D", out id) ? id : null;

    private static long? SequenceOf(string text) => long.TryParse(text.AsSpan(text[0] == '#' ? 1 : 0), NumberStyles.None, CultureInfo.InvariantCulture, out var sequence) && sequence > 0 ? sequence : null;
}
