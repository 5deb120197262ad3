using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>Asks one kind of decider beforehand, and remembers what it said.</summary>
internal interface IForeseer
{
    StreamId StreamOf(ITradeMessage message);

    Task<ForeseenMessage> ForeseeAsync(StreamId stream, Input input, ITradeMessage message, DateTimeOffset now, CancellationToken cancellationToken);
}

internal sealed class Foreseer<TState>(
    StreamPipeline<TState> pipeline, Behaviour<TState> behaviour, PipelineParts parts, Func<ITradeMessage, StreamId> streamOf, Func<TState, ITradeMessage, DateTimeOffset, IReadOnlyList<object>?> inputsOf) : IForeseer
    where TState : class
{
    /// <summary>As the streams would stand after what was asked so far.</summary>
    private readonly Dictionary<StreamId, Loaded<TState>> _streams = [];
    private readonly Dictionary<Guid, ForeseenMessage> _decided = [];

    /// <summary>How they would stand nobody can say any more.</summary>
    private readonly HashSet<StreamId> _clouded = [];

    public StreamId StreamOf(ITradeMessage message) => streamOf(message);

    public async Task<ForeseenMessage> ForeseeAsync(StreamId stream, Input input, ITradeMessage message, DateTimeOffset now, CancellationToken cancellationToken)
    {
        // Two letters of one message: the second finds what was decided on the first.
        if (_decided.TryGetValue(input.Id, out var before))
            return before with { Outcome = ForeseenOutcome.DecidedBefore, Why = "another letter of the same message goes before it" };
        try
        {
            if (!_streams.TryGetValue(stream, out var loaded))
                _streams[stream] = loaded = await pipeline.LoadAsync(stream, cancellationToken);
            // What was decided once is found, and nobody is asked again.
            var isOld = await parts.Store.FindDecisionAsync(new Decision(input.Id, behaviour.Consumer), cancellationToken) is { Count: > 0 };
            if (!isOld && _clouded.Contains(stream))
                return ForeseenMessage.Without(ForeseenOutcome.DependsOnVenue, "It is decided after another letter on the same stream, of which that depends on what the venue and the market say.");
            if ((isOld ? [message] : inputsOf(loaded.State, message, now)) is not { } inputs)
                return Clouded(stream);
            var foreseen = new List<Foreseen<TState>>(inputs.Count);
            foreach (var body in inputs)
                foreseen.Add(await pipeline.ForeseeAsync(stream, input with { Body = body }, now, loaded, cancellationToken));
            return Tell(stream, input.Id, loaded, foreseen);
        }
        catch (PredecessorMissingException e)
        {
            return ForeseenMessage.Without(ForeseenOutcome.Fails, e.Message);
        }
        catch (Exception e) when (e is not (OperationCanceledException or EventStoreException { Fault: not (StoreFault.Invalid or StoreFault.TooLarge or StoreFault.Corrupt or StoreFault.Undecodable or StoreFault.UnknownType) }))
        {
            // Whatever a decider throws would be thrown of the message, and it would die again.
            return ForeseenMessage.Without(ForeseenOutcome.Fails, $"{e.GetType().Name}: {e.Message}");
        }
    }

    private ForeseenMessage Clouded(StreamId stream)
    {
        _clouded.Add(stream);
        return ForeseenMessage.Without(ForeseenOutcome.DependsOnVenue, "It is decided on what the venue and the market say at the time.");
    }

    private ForeseenMessage Tell(StreamId stream, Guid id, Loaded<TState> loaded, List<Foreseen<TState>> foreseen)
    {
        var first = foreseen[0];
        if (first.IsOld)
            return Told(first, first.Events.Count, ForeseenOutcome.DecidedBefore, $"event {first.Events[0].Sequence} was decided on it: nothing is recorded, and its messages are said again");
        var sure = foreseen.Count == 1 ? first.Events.Count : SureOf(foreseen);
        var isWhole = foreseen.TrueForAll(f => f.Events.Count == sure);
        if (isWhole && sure == 0)
            return ForeseenMessage.Without(ForeseenOutcome.Nothing, "Nothing is recorded of it, and so nothing shows that anything came of it: the letter stays Replaying.");
        if (!isWhole && sure <= 1)
            return Clouded(stream);
        if (!isWhole)
            _clouded.Add(stream);
        var told = Told(first, sure, isWhole ? ForeseenOutcome.Decided : ForeseenOutcome.DecidedAsFarAs, isWhole ? "" : "this much whatever the venue and the market say; from there on it depends on them");
        var after = first.Events.Take(sure).Aggregate(loaded.State, (state, e) => behaviour.Fold.Apply(state, parts.Codec.Decode(e)));
        _streams[stream] = loaded with { State = after, Version = loaded.Version + sure };
        return _decided[id] = told;
    }

    /// <summary>How many events they have in common. The first keeps what the decision rests on: the venue's clock and prices among it, which differ.</summary>
    private static int SureOf(List<Foreseen<TState>> foreseen)
    {
        var (one, other) = (foreseen[0].Events, foreseen[1].Events);
        var sure = 0;
        while (sure < Math.Min(one.Count, other.Count) && one[sure].Type == other[sure].Type && (sure == 0 || one[sure].Data.Span.SequenceEqual(other[sure].Data.Span)))
            sure++;
        return sure;
    }

    private ForeseenMessage Told(Foreseen<TState> foreseen, int sure, ForeseenOutcome outcome, string why)
    {
        var events = foreseen.Events.Take(sure).ToList();
        var messages = Outgoing.From(events, parts.Codec, behaviour.React);
        return new ForeseenMessage(
            outcome, why, "", "", [.. events.Select(e => new NamedEvent(e.Type, Body(e)))],
            [.. messages.Select(m => new ForeseenWord(m.Id, m.Endpoint, m.Body.GetType().Name, JsonSerializer.SerializeToElement(m.Body, m.Body.GetType(), EventCodec.JsonForPeople)))], StreamMoved.None);
    }

    private JsonElement Body(StoredEvent stored)
    {
        var @event = parts.Codec.Decode(stored);
        return JsonSerializer.SerializeToElement(@event, @event.GetType(), EventCodec.JsonForPeople);
    }
}
