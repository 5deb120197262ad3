using Antbot.Contracts;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Pipeline;

/// <summary>What was decided on an input, as it is to be appended.</summary>
/// <param name="Events">What the request is to record, as objects.</param>
/// <param name="After">The stream once it is recorded.</param>
internal sealed record Deliberation<TState>(AppendRequest Request, IReadOnlyList<object> Events, Loaded<TState> After)
    where TState : class
{
    public static Deliberation<TState> Of(StreamId stream, Input input, Behaviour<TState> behaviour, EventCodec codec, Loaded<TState> state, Decided decided, DateTimeOffset now)
    {
        var encoded = new NewEvent[decided.Events.Count];
        for (var i = 0; i < encoded.Length; i++)
            encoded[i] = codec.Encode(decided.Events[i]);
        // Nobody sends what comes of a deadline, a price or an age: it goes on in the trace of what it comes of.
        var trace = input.TraceId ?? (state.Trail?.CorrelationId == input.CorrelationId ? state.Trail?.TraceId : null);
        var request = new AppendRequest
        {
            Stream = stream,
            Expected = ExpectedVersion.Exactly(state.Version),
            Decision = new Decision(input.Id, behaviour.Consumer),
            Events = encoded,
            At = now,
            Meta = new EventMeta(input.CorrelationId, input.Id.ToString("N"), input.Actor, trace),
            Guards = decided.Guards,
        };
        var folded = decided.Events.Aggregate(state.State, behaviour.Fold.Apply);
        var trail = trace is null ? null : state.Trail is { } known && known.TraceId == trace && known.CorrelationId == input.CorrelationId ? known : new Trail(input.CorrelationId, trace);
        return new Deliberation<TState>(request, decided.Events, state with { State = folded, Version = state.Version + encoded.Length, Trail = trail });
    }
}

/// <summary>What would come of an input.</summary>
/// <param name="Events">With their ids and as they would be stored, but for their sequences; empty where nothing would be recorded.</param>
/// <param name="Messages">With their ids.</param>
/// <param name="IsOld">It was decided on before: nothing would be recorded, and the messages would be said again.</param>
/// <param name="After">The stream once they are recorded.</param>
public sealed record Foreseen<TState>(IReadOnlyList<StoredEvent> Events, IReadOnlyList<OutboundMessage> Messages, bool IsOld, Loaded<TState> After)
    where TState : class;
