using System.Reflection;
using System.Text;
using System.Text.Json;
using Antbot.ConsoleService.Access;
using Antbot.ConsoleService.DeadLetters;
using Antbot.ConsoleService.Incidents;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Fuzz.Making;
using Antbot.Kernel.Control;
using Antbot.Kernel.Decisions;
using Antbot.Messaging;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Validation.Core;

namespace Antbot.Fuzz.Targets;

/// <summary>
/// A decider that is given one input after another, in any order and with anything in them that their types allow: it decides, twice
/// the same; what it decides can be stored, read and told; and what it is told early it holds.
/// </summary>
public sealed class DeciderTarget<TState>(string name, Fold<TState> fold, Func<TState, object, DateTimeOffset, IReadOnlyList<object>> decide, Func<object, IReadOnlyList<object>> react, IReadOnlyList<Type> inputs) : IFuzzTarget
    where TState : class
{
    private const int StepsMax = 12;

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public string Name => $"decider:{name}";

    public string What => $"the decisions of {name}";

    public int Cases => 100_000;

    public bool Refuses => false;

    public FuzzOutcome Try(Random random)
    {
        var maker = new Maker(random) { IsTame = random.Next(2) == 0 };
        var (state, now, outcome) = (fold.Initial, Start, FuzzOutcome.Refused);
        for (var steps = random.Next(1, StepsMax); steps > 0; steps--)
        {
            now += TimeSpan.FromMilliseconds(random.Next(30_000));
            var input = maker.Make(inputs[random.Next(inputs.Count)])!;
            IReadOnlyList<object> events;
            try
            {
                events = decide(state, input, now);
            }
            // It waits until what it follows from is there.
            catch (PredecessorMissingException)
            {
                continue;
            }
            catch (Exception e)
            {
                throw new FuzzException($"{input} was decided on in {state}", e);
            }
            var written = Deciders.Write(events);
            if (written != Deciders.Write(decide(state, input, now)))
                throw new FuzzException($"{input} was decided on in two ways: {written}");
            foreach (var @event in events)
            {
                var stored = Deciders.Read(@event);
                if (Deciders.Tell(react(@event)) is var told && told != Deciders.Tell(react(stored)))
                    throw new FuzzException($"{@event} is told otherwise than what was stored of it: {told}");
                state = fold.Apply(state, stored);
            }
            outcome = FuzzOutcome.Taken;
        }
        return outcome;
    }
}

public static class Deciders
{
    private static readonly EventCodec Codec = new(EventRegistry.From(EventTarget.ServiceAssemblies()));
    private static readonly JsonSerializerOptions Messages = MessageJson.Options;

    /// <summary>What each of them decides on, and with what terms.</summary>
    private static readonly Dictionary<Type, IFuzzTarget> Cases = new()
    {
        [typeof(TradeDecider)] = Of("coordinator", TradeDecider.With(TradePatience.Default), [.. TradeDecider.Messages]),
        [typeof(ValidationDecider)] = Of("validation", ValidationDecider.With(ValidationLimits.Default), typeof(ValidateSignal)),
        [typeof(RiskDecider)] = Of("risk", RiskDecider.With(RiskLimits.Default), typeof(AssessRisk), typeof(TradeOpened), typeof(EntryFailed), typeof(TradeClosed)),
        [typeof(ExecutionDecider)] = Of("execution", ExecutionDecider.Behaviour, typeof(ExecutionInput)),
        [typeof(ReconciliationDecider)] = Of("reconciliation", ReconciliationDecider.Behaviour, typeof(TradeSeen), typeof(AccountLook)),
        [typeof(AccessDecider)] = Of("access", AccessDecider.Behaviour, typeof(MakeToken), typeof(RevokeToken)),
        [typeof(DeadLetterDecider)] = Of("dead-letters", DeadLetterDecider.Behaviour, typeof(DiscardDeadLetter), typeof(GiveUpReplay), typeof(ReplayDeadLetter), typeof(ReturnDeadLetter), typeof(ConfirmReplay), typeof(EditDeadLetter), typeof(ExpireDeadLetter)),
        [typeof(ReplaysDecider)] = Of("replays", ReplaysDecider.Behaviour, typeof(RequestReplays), typeof(ApproveReplays), typeof(CancelReplays), typeof(BeginReplayBatch), typeof(EndReplayBatch)),
        [typeof(IncidentDecider)] = Of("incidents", IncidentDecider.Behaviour, typeof(OpenIncident), typeof(RaiseIncident), typeof(NoteIncident), typeof(AcknowledgeIncident), typeof(CloseIncident)),
        [typeof(ControlDecider)] = new DeciderTarget<ControlState>("control", ControlState.Fold, (_, command, _) => ControlDecider.Decide(command), _ => [], [typeof(SetActivity), typeof(SetTradingMode), typeof(SetMaintenance)]),
    };

    /// <summary>Those that the code has: whoever gives a behaviour, or is called so. What strategies think becomes signals in <see cref="StrategyTarget"/>.</summary>
    public static IReadOnlyList<Type> Found { get; } =
    [
        .. EventTarget.ServiceAssemblies().SelectMany(a => a.GetExportedTypes()).Where(IsDecider).Where(t => t != typeof(SignalDecider)).OrderBy(t => t.FullName, StringComparer.Ordinal),
    ];

    public static IEnumerable<IFuzzTarget> All => Found.Where(Cases.ContainsKey).Select(d => Cases[d]);

    /// <summary>Nobody has said what these decide on.</summary>
    public static IEnumerable<Type> Forgotten => Found.Where(d => !Cases.ContainsKey(d));

    public static string Write(IReadOnlyList<object> events) => string.Join('\n', events.Select(e => $"{e.GetType().Name} {Encoding.UTF8.GetString(Codec.Encode(e).Data.Span)}"));

    /// <summary>As it will be read.</summary>
    public static object Read(object @event)
    {
        var encoded = Codec.Encode(@event);
        var read = Codec.Decode(EventTarget.Stored(encoded.Type, encoded.Data));
        return Codec.Encode(read).Data.Span.SequenceEqual(encoded.Data.Span) ? read : throw new FuzzException($"{@event} is stored as {Encoding.UTF8.GetString(encoded.Data.Span)}, which is read as {read}.");
    }

    public static string Tell(IReadOnlyList<object> messages) => string.Join('\n', messages.Select(m =>
    {
        var written = JsonSerializer.Serialize(m, m.GetType(), Messages);
        var again = JsonSerializer.Serialize(JsonSerializer.Deserialize(written, m.GetType(), Messages), m.GetType(), Messages);
        return written == again ? $"{m.GetType().Name} {written}" : throw new FuzzException($"{written} is read as {again}.");
    }));

    public static bool IsDecider(Type type) => type.Name.EndsWith("Decider", StringComparison.Ordinal)
        || type.GetMembers(BindingFlags.Public | BindingFlags.Static).Any(m => IsBehaviour((m as PropertyInfo)?.PropertyType ?? (m as FieldInfo)?.FieldType ?? (m as MethodInfo)?.ReturnType));

    private static bool IsBehaviour(Type? type) => type is { IsGenericType: true } && type.GetGenericTypeDefinition() == typeof(Behaviour<>);

    private static DeciderTarget<TState> Of<TState>(string name, Behaviour<TState> behaviour, params Type[] inputs)
        where TState : class => new(name, behaviour.Fold, behaviour.Decide, behaviour.React, inputs);
}
