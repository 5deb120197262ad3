using System.Text.Json;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Forensics;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Decisions;
using Antbot.Kernel.Identity;
using Antbot.Risk.Core;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>Histories of the simulator, told before each decision was made: what was foretold of a message is what its service then recorded and said.</summary>
public sealed class ForesightTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_foretold_of_a_message_is_what_was_decided_on_it()
    {
        var told = new Dictionary<(string, ForeseenOutcome), int>();
        for (var seed = 500UL; seed < 505; seed++)
            await RetellAsync(RedecisionTests.HistoryOf(Planner.From(seed)), told);
        var text = string.Join(", ", told.Select(t => $"{t.Key}: {t.Value}"));
        foreach (var service in new[] { Routes.Coordinator, Routes.Validation, Routes.Risk })
            Assert.True(told.GetValueOrDefault((service, ForeseenOutcome.Decided)) > 20, text);
        Assert.True(told.GetValueOrDefault((Routes.Execution, ForeseenOutcome.DependsOnVenue)) > 0, text);
        Assert.True(told.GetValueOrDefault((Routes.Execution, ForeseenOutcome.Decided)) + told.GetValueOrDefault((Routes.Execution, ForeseenOutcome.DecidedAsFarAs)) > 0, text);
        Assert.DoesNotContain(told.Keys, k => k.Item2 is ForeseenOutcome.Fails or ForeseenOutcome.NoDecider or ForeseenOutcome.Refused);
    }

    /// <summary>What it has to do with now is nothing: it was decided on, and stays so.</summary>
    [Fact]
    public async Task What_was_decided_before_is_told_as_it_was()
    {
        var history = RedecisionTests.HistoryOf(new Plan(3, 12, 1, []));
        var store = new InMemoryEventStore(Guid.NewGuid());
        foreach (var decision in Decisions(history))
            await AppendAsync(store, decision);
        var foresight = await Foresight.BeginAsync(store, new Here(), TimeProvider.System, Cancel);
        var messages = MessagesOf(history);
        foreach (var decision in Decisions(history).Where(d => IsOf(d, messages)))
        {
            var (endpoint, body) = messages[InputOf(decision)];
            var foreseen = await foresight.ForeseeAsync(endpoint, InputOf(decision), (ITradeMessage)body, decision[0].Timestamp, Cancel);
            Assert.Equal(ForeseenOutcome.DecidedBefore, foreseen.Outcome);
            Assert.Equal(Written(decision), Written(foreseen));
        }
    }

    private static async Task RetellAsync(List<StoredEvent> history, Dictionary<(string, ForeseenOutcome), int> told)
    {
        var store = new InMemoryEventStore(Guid.NewGuid());
        var clock = new ManualClock(history[0].Timestamp);
        var messages = MessagesOf(history);
        foreach (var decision in Decisions(history))
        {
            clock.Move(decision[0].Timestamp - clock.GetUtcNow());
            if (IsOf(decision, messages))
            {
                var (endpoint, body) = messages[InputOf(decision)];
                var head = await store.Ledger.ReadHeadAsync(Cancel);
                var foreseen = await (await Foresight.BeginAsync(store, new Here(), clock, Cancel)).ForeseeAsync(endpoint, InputOf(decision), (ITradeMessage)body, decision[0].Timestamp, Cancel);
                Assert.Equal(head, await store.Ledger.ReadHeadAsync(Cancel));
                told[(endpoint, foreseen.Outcome)] = told.GetValueOrDefault((endpoint, foreseen.Outcome)) + 1;
                Compare(decision, foreseen);
            }
            await AppendAsync(store, decision);
        }
    }

    private static void Compare(IReadOnlyList<StoredEvent> decision, ForeseenMessage foreseen)
    {
        var (was, isNow) = (Written(decision), Written(foreseen));
        switch (foreseen.Outcome)
        {
            case ForeseenOutcome.Decided:
                Assert.Equal(was, isNow);
                Assert.Equal(Said(decision), foreseen.Messages.Select(m => (m.Id, m.Endpoint, JsonSerializer.Serialize(m.Body))));
                break;
            case ForeseenOutcome.DecidedAsFarAs:
                Assert.Equal(was.Take(isNow.Count), isNow);
                Assert.Equal(Said([.. decision.Take(isNow.Count)]), foreseen.Messages.Select(m => (m.Id, m.Endpoint, JsonSerializer.Serialize(m.Body))));
                break;
            case ForeseenOutcome.DependsOnVenue:
                Assert.Empty(isNow);
                break;
            default:
                Assert.Fail($"{decision[0].Stream} version {decision[0].Version}: {foreseen.Outcome}, {foreseen.Why}");
                break;
        }
    }

    /// <summary>All events that were recorded together.</summary>
    private static IEnumerable<List<StoredEvent>> Decisions(IReadOnlyList<StoredEvent> history)
    {
        var decision = new List<StoredEvent>();
        foreach (var e in history)
        {
            if (decision.Count > 0 && (decision[0].Stream != e.Stream || decision[0].CausationId != e.CausationId))
            {
                yield return decision;
                decision = [];
            }
            decision.Add(e);
        }
        yield return decision;
    }

    private static Dictionary<Guid, (string Endpoint, object Body)> MessagesOf(IReadOnlyList<StoredEvent> history)
    {
        var messages = new Dictionary<Guid, (string, object)>();
        foreach (var e in history.Where(e => StreamKinds.Find(e.Stream) is not null))
        {
            foreach (var m in Outgoing.From([e], StreamKinds.Codec, StreamKinds.Of(e.Stream).React))
                messages[m.Id] = (m.Endpoint, m.Body);
        }
        return messages;
    }

    private static bool IsOf(IReadOnlyList<StoredEvent> decision, Dictionary<Guid, (string Endpoint, object Body)> messages) =>
        StreamKinds.Find(decision[0].Stream) is { } kind && kind.IsOwn(decision[0]) && messages.TryGetValue(InputOf(decision), out var message) && message.Endpoint == kind.Consumer;

    private static Guid InputOf(IReadOnlyList<StoredEvent> decision) => Guid.TryParseExact(StreamKinds.Of(decision[0].Stream).InputOf(decision[0]), "N", out var id) ? id : Guid.Empty;

    private static async Task AppendAsync(InMemoryEventStore store, List<StoredEvent> decision)
    {
        var (first, kind) = (decision[0], StreamKinds.Find(decision[0].Stream));
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = new(first.Stream), Expected = ExpectedVersion.Exactly(first.Version - 1), Decision = kind?.IsOwn(first) == true ? new Decision(InputOf(decision), kind.Consumer) : new Decision(Guid.NewGuid(), "test"),
                Events = [.. decision.Select(e => new NewEvent(e.Type, e.ClrType!, e.Data))], At = first.Timestamp, Meta = new EventMeta(first.CorrelationId, first.CausationId, first.Actor, first.TraceId),
            },
            Cancel);
        Assert.IsType<AppendOutcome.Appended>(outcome);
    }

    private static List<(string, string)> Written(IEnumerable<StoredEvent> events) => [.. events.Select(e =>
    {
        var @event = StreamKinds.Codec.Decode(e);
        return Of(e.Type, JsonSerializer.SerializeToElement(@event, @event.GetType(), EventCodec.JsonForPeople));
    })];

    private static List<(string, string)> Written(ForeseenMessage foreseen) => [.. foreseen.Events.Select(e => Of(e.Type, e.Body))];

    /// <summary>What a decision of Execution rests on has the venue's clock and its prices in it.</summary>
    private static (string, string) Of(string type, JsonElement body) => (type, type == "order_input" ? "" : JsonSerializer.Serialize(body));

    private static IEnumerable<(Guid, string, string)> Said(IReadOnlyList<StoredEvent> decision) => Outgoing.From(decision, StreamKinds.Codec, StreamKinds.Of(decision[0].Stream).React)
        .Select(m => (m.Id, m.Endpoint, JsonSerializer.Serialize(JsonSerializer.SerializeToElement(m.Body, m.Body.GetType(), EventCodec.JsonForPeople))));

    /// <summary>Two of the deciders of the simulator; of the third the settings are what the history says.</summary>
    private sealed class Here : IServiceProvider
    {
        public object? GetService(Type serviceType) => serviceType == typeof(Behaviour<TradeState>) ? TradeDecider.With(SimWorld.Coordination.Patience)
            : serviceType == typeof(Behaviour<RiskState>) ? RiskDecider.With(SimWorld.Limits)
            : null;
    }
}
