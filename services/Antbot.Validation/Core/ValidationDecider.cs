using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;
using Antbot.Validation.Core.Rules;

namespace Antbot.Validation.Core;

/// <summary>Whether a signal is worth asking Risk about, and how sure we are of it.</summary>
public static class ValidationDecider
{
    public const string Consumer = "validation";

    public static Behaviour<SymbolMemory> With(ValidationLimits limits) => new(
        Consumer,
        SymbolMemory.Fold,
        (memory, input, now) => input is ValidateSignal m
            ? [Decide(memory, m.Signal, now, limits)]
            : throw new ArgumentException($"Validation does not know what to do with a {input.GetType().Name}.", nameof(input)),
        React);

    /// <summary>Signals for one symbol are decided in the order of that symbol's stream.</summary>
    public static StreamId StreamOf(ValidateSignal message) => Streams.Validation(message.Signal.Symbol);

    /// <summary>One event for whatever comes: a redelivery is recognised by it.</summary>
    public static object Decide(SymbolMemory memory, Signal signal, DateTimeOffset now, ValidationLimits limits)
    {
        var look = new Look(signal, memory, limits, now);
        // Asked again in another message: the answer stands.
        if (memory.Of(signal).FirstOrDefault(w => w.Trade == signal.Trade) is { } before)
            return new SignalValidatedRecorded(signal.Trade, before.Confidence, look.ForgetBefore, signal, limits, [new Verdict("validated_before", Passed: true, $"raised at {Look.Say(before.RaisedAt)}")]);
        Verdict[] verdicts = [.. Look.Rules.Select(rule => rule(look))];
        return verdicts.All(v => v.Passed)
            ? new SignalValidatedRecorded(signal.Trade, EnoughConfidence.Final(signal), look.ForgetBefore, signal, limits, verdicts)
            : new SignalRejectedRecorded(signal.Trade, signal, limits, verdicts);
    }

    /// <summary>From the event alone, so that it can be said again at any time.</summary>
    public static IReadOnlyList<object> React(object @event) => @event switch
    {
        SignalValidatedRecorded e => [new SignalValidated(e.Trade, e.Confidence, e.Verdicts)],
        SignalRejectedRecorded e => [new SignalRejected(e.Trade, e.Verdicts)],
        _ => [],
    };
}
