using System.Text;
using System.Text.Json.Nodes;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Store;

namespace Antbot.Simulation.World;

public static partial class Bugs
{
    private sealed class HastyLetters(IDeadLetters inner) : IDeadLetters
    {
        public Task KeepAsync(DeadMessage message, CancellationToken cancellationToken = default)
        {
            _ = inner.KeepAsync(message, cancellationToken);
            return Task.CompletedTask;
        }
    }

    private class OverSender(IDeadLetterSender inner) : IDeadLetterSender
    {
        public virtual Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken) =>
            inner.SendAsync(endpoint, properties, body, replay, alone, cancellationToken);

        public Task<bool> TakesOthersAsync(CancellationToken cancellationToken) => inner.TakesOthersAsync(cancellationToken);
    }

    private sealed class RenamingSender(IDeadLetterSender inner) : OverSender(inner)
    {
        public override Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken) =>
            base.SendAsync(endpoint, properties with { MessageId = $"{DeterministicId.From("renamed", properties.MessageId ?? "", replay):D}" }, body, replay, alone, cancellationToken);
    }

    private sealed class RefreshingSender(IDeadLetterSender inner) : OverSender(inner)
    {
        public override Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken) =>
            base.SendAsync(endpoint, properties, Refreshed(body), replay, alone, cancellationToken);

        private static ReadOnlyMemory<byte> Refreshed(ReadOnlyMemory<byte> body)
        {
            if (JsonNode.Parse(body.Span) is not JsonObject envelope || envelope["message"]?["signal"] is not JsonObject signal || signal["validUntil"] is not { } until)
                return body;
            signal["validUntil"] = JsonValue.Create(until.GetValue<DateTimeOffset>().AddHours(1));
            return Encoding.UTF8.GetBytes(envelope.ToJsonString());
        }
    }

    private sealed class SureSender(IDeadLetterSender inner, SimConsole console) : OverSender(inner)
    {
        public override async Task SendAsync(string endpoint, MessageProperties properties, ReadOnlyMemory<byte> body, string replay, bool alone, CancellationToken cancellationToken)
        {
            await base.SendAsync(endpoint, properties, body, replay, alone, cancellationToken);
            var (letter, number) = Letter.ReplayIn(properties with { Headers = [new MessageHeader(0, Contracts.Messages.DeadLetterHeaders.Replay, HeaderKind.Text, replay)] })!.Value;
            var opened = (await console.Book.OpenAsync(letter, cancellationToken))!;
            await console.Book.RecordAsync(opened, DeterministicId.From("sure", replay), new ConfirmReplay(letter, number, letter, Contracts.Streams.DeadLetter(letter).Value, 1), DeadLetterBook.Actor, cancellationToken);
        }
    }

    private sealed class ShortSightedStore(IEventStore inner) : OverStore(inner)
    {
        public override Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => Task.FromResult<IReadOnlyList<StoredEvent>>([]);
    }

    /// <summary>The newest letter that is known goes with every batch.</summary>
    private sealed class GrowingStore(IEventStore inner, SimProcess process) : OverStore(inner)
    {
        private static readonly string Begun = StoredNameAttribute.Of(typeof(ReplayBatchBegun));

        private Guid? _newest;

        public override async Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default)
        {
            var page = await base.ReadPageAsync(afterSequence, limit, cancellationToken);
            _newest = page.Select(e => process.Parts.Codec.Find<DeadLetterKept>(e)?.Letter).LastOrDefault(l => l is not null) ?? _newest;
            return page;
        }

        public override Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default) => base.AppendAsync(Changed(request, Begun, Grown), cancellationToken);

        private NewEvent Grown(NewEvent begun)
        {
            var said = System.Text.Json.JsonSerializer.Deserialize<ReplayBatchBegun>(begun.Data.Span, EventCodec.Json)!;
            return _newest is { } newest && !said.Letters.Contains(newest) ? process.Parts.Codec.Encode(said with { Letters = [.. said.Letters, newest] }) : begun;
        }
    }
}
