using Antbot.Contracts;
using Antbot.Runtime.Pipeline;
using MassTransit;
using MassTransit.Context;

namespace Antbot.Messaging;

/// <summary>
/// Lets a MassTransit state machine decide on event-sourced state: the instance is opened from the fold of its stream, the machine
/// runs, and what it decided goes the one way of the pipeline. Nothing is sent before it is recorded, and a message that was
/// decided before finds its events instead of a second decision.
/// </summary>
/// <param name="open">An instance from the state of its stream, at this moment.</param>
/// <param name="decided">What the machine decided on it.</param>
/// <param name="begins">The message that an instance begins with.</param>
public sealed class EventSourcedSagaRepository<TInstance, TState>(
    StreamPipeline<TState> pipeline,
    Func<Guid, StreamId> streamOf,
    Func<Guid, TState, DateTimeOffset, TInstance> open,
    Func<TInstance, IReadOnlyList<object>> decided,
    Type begins,
    string actor) : ISagaRepository<TInstance>
    where TInstance : class, ISaga
    where TState : class
{
    public async Task Send<T>(ConsumeContext<T> context, ISagaPolicy<TInstance, T> policy, IPipe<SagaConsumeContext<TInstance, T>> next)
        where T : class
    {
        var id = context.CorrelationId ?? throw new ArgumentException($"The {typeof(T).Name} does not say which instance it is for.", nameof(context));
        var input = Inputs.From(context, actor) with { CorrelationId = id.ToString("N"), Begins = typeof(T) == begins };
        await pipeline.HandleAsync(
            streamOf(id),
            input,
            async (state, now) =>
            {
                var instance = open(id, state, now);
                // A stream that is not there yet is an instance in its initial state: the machine itself says what may begin it.
                await policy.Existing(new DefaultSagaConsumeContext<TInstance, T>(context, instance), next);
                return Decided.Of(decided(instance));
            },
            context.CancellationToken);
    }

    public Task SendQuery<T>(ConsumeContext<T> context, ISagaQuery<TInstance> query, ISagaPolicy<TInstance, T> policy, IPipe<SagaConsumeContext<TInstance, T>> next)
        where T : class =>
        throw new NotSupportedException("Instances are found by their id alone.");

    public void Probe(ProbeContext context)
    {
        var scope = context.CreateScope("sagaRepository");
        scope.Add("persistence", "event-sourced");
    }
}
