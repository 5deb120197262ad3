using Antbot.ConsoleService;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Kernel.Control;
using Antbot.Kernel.Decisions;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Validation.Core;

namespace Antbot.Forensics;

/// <summary>
/// Every kind of stream that holds decisions, each with the settings that applied when they were made: those are in the events. What is
/// none of these (an operator's order in <c>audit-</c>, a process's start) was said or seen, not decided.
/// </summary>
public static class StreamKinds
{
    private static Behaviour<ControlState> Control { get; } = new(ControlCommands.Consumer, ControlState.Fold, static (_, command, _) => ControlDecider.Decide(command), static _ => []);

    private static Behaviour<SignalState> Signals { get; } = new(
        SignalDecider.Consumer, new Fold<SignalState>("signal-1", new SignalState(null), static (state, e) => e is SignalRecorded recorded ? new SignalState(recorded) : state), static (_, _, _) => [], SignalDecider.React) { IsOver = static state => state.Recorded is not null };

    public static IReadOnlyList<StreamKind> All { get; } =
    [
        new StreamKind<TradeState>("coordinator", Streams.TradePrefix, TradeDecider.With(TradePatience.Default), Coordinate) { Endpoint = Routes.Coordinator, AccountOf = static (_, state) => state.Signal?.Account, StreamOf = static m => Streams.Trade(m.Trade), With = static t => t.Trade },
        new StreamKind<OrdersState>("execution", Streams.OrderPrefix, ExecutionDecider.Behaviour, Execute) { AccountOf = static (_, state) => state.Plan?.Signal.Account, StreamOf = static m => Streams.Order(m.Trade), InputsOf = Beforehand.InputsOf },
        new StreamKind<RiskState>("risk", Streams.AccountPrefix, RiskDecider.With(RiskLimits.Default), Assess) { Endpoint = Routes.Risk, AccountOf = static (stream, _) => AccountBehind(Streams.AccountPrefix, stream), StreamOf = RiskDecider.StreamOf, With = static t => t.Risk },
        new StreamKind<SymbolMemory>("validation", Streams.ValidationPrefix, ValidationDecider.With(ValidationLimits.Default), Validate) { Endpoint = Routes.Validation, StreamOf = static m => ValidationDecider.StreamOf((ValidateSignal)m), With = static t => t.Validation },
        new StreamKind<ReconciliationState>("reconciliation", Streams.ReconciliationPrefix, ReconciliationDecider.Behaviour, Reconcile)
        {
            AccountOf = static (stream, _) => AccountBehind(Streams.ReconciliationPrefix, stream), StreamOf = static m => Streams.Reconciliation(((VerifyTrade)m).Account), InputsOf = static (_, _, _) => null,
        },
        new StreamKind<SignalState>("signal", Streams.SignalPrefix, Signals, Think) { AccountOf = static (_, state) => state.Recorded?.Signal.Account },
        new StreamKind<ControlState>("control", Streams.Control.Value, Control, Obey) { InputOf = static stored => stored.CorrelationId },
        new StreamKind<AccessState>("access", Streams.Access.Value, AccessDecider.Behaviour, Admit),
    ];

    /// <summary>All events that these streams hold.</summary>
    public static EventRegistry Registry { get; } = EventRegistry.From(new[]
    {
        typeof(SignalRecorded), typeof(OperatorCommands), typeof(TradeDecider), typeof(ExecutionDecider), typeof(ReconciliationDecider), typeof(RiskDecider), typeof(SignalDecider), typeof(ValidationDecider),
    }.Select(t => t.Assembly).Distinct());

    public static EventCodec Codec { get; } = new(Registry);

    /// <summary>Null where the stream is of no such kind.</summary>
    public static StreamKind? Find(string stream)
    {
        foreach (var kind in All)
        {
            if (kind.Has(stream))
                return kind;
        }
        return null;
    }

    /// <summary>Why a stream is folded to nothing, or null.</summary>
    public static string? Fault(string stream) => Find(stream) is null
        ? $"'{stream}' is not folded to a state: {string.Join(", ", All.Select(k => k.Name[^1] == '-' ? $"{k.Name}…" : k.Name))} are."
        : null;

    public static StreamKind Of(string stream) => Find(stream) ?? throw new ArgumentException(Fault(stream), nameof(stream));

    private static AccountId? AccountBehind(string prefix, string stream) => AccountId.Fault(stream[prefix.Length..]) is null ? new AccountId(stream[prefix.Length..]) : null;

    private static Again Coordinate(TradeState state, RecordedDecision recorded, Overrides overrides)
    {
        // No message brought it: the sweeper did, and its id says so.
        var reached = recorded.Events[0] is TradeDeadlinePassed e && new DeadlineReached(e.Trade, e.Phase, e.Due) is var deadline && recorded.Stored[0].CausationId == deadline.InputId().ToString("N") ? deadline : null;
        return (reached ?? recorded.Message) is ITradeMessage message
            ? new Again.Decided(message, TradeDecider.Decide(state, message, recorded.At, RecordedPatience.Of(recorded.Events, recorded.At)))
            : NoMessage(recorded);
    }

    private static Again Validate(SymbolMemory memory, RecordedDecision recorded, Overrides overrides)
    {
        var limits = recorded.Events[0] switch
        {
            SignalValidatedRecorded e => e.Limits,
            SignalRejectedRecorded e => e.Limits,
            _ => null,
        };
        return recorded.Message is ValidateSignal message && limits is not null
            ? new Again.Decided(message, [ValidationDecider.Decide(memory, message.Signal, recorded.At, overrides.Of(limits))])
            : NoMessage(recorded);
    }

    private static Again Assess(RiskState state, RecordedDecision recorded, Overrides overrides)
    {
        var limits = recorded.Events[0] switch
        {
            ExposureReserved e => e.Limits,
            RiskDeniedRecorded e => e.Limits,
            // The news of a trade is counted whatever the limits are.
            _ => RiskLimits.Default,
        };
        return recorded.Message is { } message ? new Again.Decided(message, RiskDecider.Decide(state, message, recorded.At, overrides.Of(limits))) : NoMessage(recorded);
    }

    private static Again Execute(OrdersState state, RecordedDecision recorded, Overrides overrides) => RecordedInput.From(recorded.Events) is { } input
        ? new Again.Decided(input, ExecutionDecider.Record(overrides.Of(state), overrides.Of(input), recorded.At))
        : new Again.Impossible("It was recorded before Execution kept what its decisions rest on.");

    private static Again Reconcile(ReconciliationState state, RecordedDecision recorded, Overrides overrides) => RecordedSight.Of(state, recorded.Events) is { } sight
        ? new Again.Decided(sight, ReconciliationDecider.Decide(state, sight, recorded.At))
        : new Again.Impossible("Its events are none that a look of Reconciliation is made of.");

    private static Again Think(SignalState state, RecordedDecision recorded, Overrides overrides) => recorded.Events[0] switch
    {
        SignalRecorded e when RecordedThought.Of(e) is { } known => new Again.Decided(known.Thought, [SignalDecider.FromThought(known.Thought, known.Terms, e.Signal.RaisedAt)]),
        SignalRecorded e when e.Signal.Source.StartsWith("strategy:", StringComparison.Ordinal) => new Again.Impossible("It was recorded before the terms of a strategy were kept with what it thought."),
        _ => new Again.Impossible("Of what came in from outside only the hash is kept, because senders put their secrets into it."),
    };

    private static Again Obey(ControlState state, RecordedDecision recorded, Overrides overrides) => ControlDecider.CommandOf(recorded.Events) is { } command
        ? new Again.Decided(command, ControlDecider.Decide(command))
        : new Again.Impossible("Its events are no operator's word.");

    private static Again Admit(AccessState state, RecordedDecision recorded, Overrides overrides) => AccessDecider.InputOf(recorded.Events) is { } input
        ? new Again.Decided(input, AccessDecider.Behaviour.Decide(state, input, recorded.At))
        : new Again.Impossible("It was recorded before what was refused was kept whole.");

    private static Again.Impossible NoMessage(RecordedDecision recorded) => new($"Nothing in the history says the message that {recorded.Stored[0].Type} was decided on.");
}

/// <summary>A signal's stream begins and ends with it.</summary>
public sealed record SignalState(SignalRecorded? Recorded);
