using System.Text;
using System.Text.Json;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>Letters that are in a store before anybody looks at it.</summary>
internal static class SeededLetters
{
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(DeadLetterKept).Assembly, typeof(ConsoleService.OperatorCommands).Assembly));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Of a message that Execution decides on: it has an effect once it arrives.</summary>
    public static async Task<DeadLetterKept> KeepAsync(IEventStore store, Func<DeadLetterKept, DeadLetterKept>? with = null, TradeId? trade = null, DateTimeOffset? at = null)
    {
        var about = trade ?? new TradeId(Guid.NewGuid());
        var kept = Read(Dead(Guid.NewGuid(), nameof(SettleOrder), $$"""{"trade":"{{about}}","order":"{{ClientOrderId.Of(about, OrderRole.Entry, 0)}}","request":"{{Guid.NewGuid()}}","confirms":false,"by":"anna","reason":"a test"}"""));
        kept = with?.Invoke(kept) ?? kept;
        await store.AppendAsync(Append(Streams.DeadLetter(kept.Letter), new Decision(kept.Letter, DeadLetterDecider.Consumer), kept, at), Cancel);
        return kept;
    }

    /// <summary>The same letter, of a message that nobody can work on.</summary>
    public static DeadLetterKept Deadly(DeadLetterKept kept) =>
        Read(Dead(kept.Message!.Value, nameof(CloseTrade), $$"""{"trade":"{{kept.Trades[0]}}","account":"main","reason":"{{RunningConsole.Deadly}}"}"""));

    public static Task OrderAsync(IEventStore store, DeadLetterKept kept, int replay) => AppendAsync(store, kept, new DeadLetterReplayOrdered(kept.Letter, Guid.NewGuid(), kept.Fingerprint, replay, "mended", "anna"));

    public static Task AppendAsync(IEventStore store, DeadLetterKept kept, object @event) => store.AppendAsync(Append(Streams.DeadLetter(kept.Letter), new Decision(Guid.NewGuid(), DeadLetterDecider.Consumer), @event), Cancel);

    public static AppendRequest Append(StreamId stream, Decision decision, object @event, DateTimeOffset? at = null) => new()
    {
        Stream = stream, Expected = ExpectedVersion.Any, Decision = decision, Events = [Codec.Encode(@event)], At = (at ?? DateTimeOffset.UtcNow).Cut(), Meta = new EventMeta(decision.InputId.ToString("N"), null, "service:test"),
    };

    /// <summary>What whoever a letter was going to would decide on its message.</summary>
    public static AppendRequest EffectOf(DeadLetterKept kept) => Append(
        Streams.Order(kept.Trades[0]), new Decision(kept.Message!.Value, kept.Endpoint), new OrderSettlementRefused(ClientOrderId.Of(kept.Trades[0], OrderRole.Entry, 0), Guid.NewGuid(), "anna", "a test", []));

    public static DeadMessage Dead(Guid id, string type, string message) => new(
        "antbot-execution_error", Routes.Execution, DeadLetterKind.Fault, new MessageProperties($"{id:D}", null, null, null, null, null, null, null, null, null, null, null, null, []),
        Encoding.UTF8.GetBytes($$"""{"messageId":"{{id}}","messageType":["urn:message:Antbot.Contracts.Messages:{{type}}"],"message":{{message}} }"""));

    /// <summary>A letter of any message to anybody.</summary>
    public static DeadLetterKept Of(string endpoint, Guid id, ITradeMessage message) => Of(endpoint, id, message.GetType().Name, JsonSerializer.Serialize(message, message.GetType(), MessageJson.Options));

    public static DeadLetterKept Of(string endpoint, Guid id, string type, string message) => Read(Dead(id, type, message) with { Queue = $"antbot-{endpoint}_error", Endpoint = endpoint });

    private static DeadLetterKept Read(DeadMessage message) => Letter.Read(message.Queue, message.Endpoint, message.Kind, message.Properties, message.Body);
}
