using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.ConsoleService.DeadLetters;

/// <param name="Status">Null while nothing is kept.</param>
public sealed record DeadLetterState(DeadLetterStatus? Status, string Fingerprint)
{
    public static DeadLetterState Initial { get; } = new(null, "");
}

public sealed record DiscardDeadLetter(Guid Letter, Guid Request, string Reason, string By);

/// <summary>What becomes of a dead letter, each step by somebody and for a reason.</summary>
public static class DeadLetterDecider
{
    public const string Consumer = "dead-letters";

    public static Behaviour<DeadLetterState> Behaviour { get; } = new(Consumer, new Fold<DeadLetterState>("dead-letter-1", DeadLetterState.Initial, Apply), Decide, _ => [])
    {
        IsOver = state => state.Status == DeadLetterStatus.Discarded,
    };

    private static DeadLetterState Apply(DeadLetterState state, object @event) => @event switch
    {
        DeadLetterKept e => new(DeadLetterStatus.New, e.Fingerprint),
        DeadLetterDiscarded => state with { Status = DeadLetterStatus.Discarded },
        _ => state,
    };

    private static IReadOnlyList<object> Decide(DeadLetterState state, object input, DateTimeOffset now) => input switch
    {
        DiscardDeadLetter d => Judged(d.Letter, d.Request, "discard", d.By, [IsNew(state)], new DeadLetterDiscarded(d.Letter, d.Request, state.Fingerprint, d.Reason, d.By)),
        _ => throw new ArgumentException($"{input.GetType().Name} is nothing that is decided of a dead letter.", nameof(input)),
    };

    private static Verdict IsNew(DeadLetterState state) => new("new", state.Status == DeadLetterStatus.New, state.Status is { } status ? $"it is {status}" : "there is no such letter");

    private static IReadOnlyList<object> Judged(Guid letter, Guid request, string command, string by, IReadOnlyList<Verdict> verdicts, object done) =>
        verdicts.All(v => v.Passed) ? [done] : [new DeadLetterRefused(letter, request, command, by, verdicts)];
}
