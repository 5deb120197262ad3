namespace Antbot.Runtime.Pipeline;

/// <summary>What a decision is made on: a message, a request, a deadline that has come.</summary>
/// <param name="Id">The same for every delivery of the same thing; the ids of its events are hashes of it.</param>
/// <param name="CorrelationId">What the whole chain is found by: for everything about a trade, the trade's id.</param>
/// <param name="Actor">Who acts: <c>service:risk</c>, <c>operator:anna</c>.</param>
public sealed record Input(Guid Id, object Body, string CorrelationId, string Actor, string? TraceId = null)
{
    /// <summary>
    /// It is what a stream begins with: it is decided on an empty one before anything is read, and the append itself says whether
    /// there was more. Then it is loaded, and decided on what is there.
    /// </summary>
    public bool Begins { get; init; }
}
