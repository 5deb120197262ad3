using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Time;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// What messages would come to if they came now, one after the other and nothing between them: each is decided on by the decider of whoever it goes to, over
/// the one pipeline, on the stream as it stands and as those before it would leave it. Nothing is recorded, and nothing is sent.
/// </summary>
public sealed class Foresight
{
    private const int MovedMax = 20;

    private readonly IEventStore _store;
    private readonly TimeProvider _clock;
    private readonly Dictionary<string, IForeseer> _foreseers;
    private readonly Terms _terms;

    private Foresight(IEventStore store, TimeProvider clock, Terms terms)
    {
        (_store, _clock, _terms) = (store, clock, terms);
        var parts = new PipelineParts(store, StreamKinds.Codec, Nobody.Listens, clock, NoCrashPoints.Instance);
        // Whoever decides on what comes to an endpoint does so under its name.
        _foreseers = StreamKinds.All.Select(k => (k.Consumer, Foreseer: k.Foreseer(parts, terms))).Where(k => k.Foreseer is not null).ToDictionary(k => k.Consumer, k => k.Foreseer!, StringComparer.Ordinal);
    }

    /// <param name="here">Where the deciders of this process are found.</param>
    public static async Task<Foresight> BeginAsync(IEventStore store, IServiceProvider here, TimeProvider clock, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(clock);
        return new Foresight(store, clock, await Terms.ReadAsync(store, here, cancellationToken));
    }

    /// <param name="id">Of the message.</param>
    /// <param name="since">When it failed: how far its stream has moved since then is told.</param>
    public async Task<ForeseenMessage> ForeseeAsync(string endpoint, Guid id, ITradeMessage message, DateTimeOffset since, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(message);
        if (!Routes.Of(message.GetType()).Contains(endpoint, StringComparer.Ordinal))
            return ForeseenMessage.Without(ForeseenOutcome.NoDecider, $"Nobody at '{endpoint}' takes a {message.GetType().Name}.");
        if (!_foreseers.TryGetValue(endpoint, out var foreseer))
            return ForeseenMessage.Without(ForeseenOutcome.NoDecider, $"'{endpoint}' has no decider that could be asked beforehand.");
        var stream = foreseer.StreamOf(message);
        var foreseen = await foreseer.ForeseeAsync(stream, new Input(id, message, message.Trade.Value, $"service:{endpoint}"), message, _clock.GetUtcNow().Cut(), cancellationToken);
        return foreseen with { Stream = stream.Value, Settings = _terms.From.GetValueOrDefault(endpoint, ""), Moved = await MovedAsync(stream, since, cancellationToken) };
    }

    /// <summary>How a stream stood then and stands now. Its events' times go up with their versions.</summary>
    private async Task<StreamMoved> MovedAsync(StreamId stream, DateTimeOffset since, CancellationToken cancellationToken)
    {
        var now = await _store.ReadVersionAsync(stream, cancellationToken);
        var (low, high) = (0L, now);
        while (low < high)
        {
            var middle = low + (high - low + 1) / 2;
            if (await FindAsync(stream, middle, cancellationToken) is { } e && e.Timestamp <= since)
                low = middle;
            else
                high = middle - 1;
        }
        var between = new List<MovedEvent>();
        await foreach (var e in _store.ReadStreamAsync(stream, low + 1, cancellationToken))
        {
            between.Add(new MovedEvent(e.Version, e.Sequence, e.Timestamp, e.Type));
            if (between.Count == MovedMax)
                break;
        }
        return new StreamMoved(
            low, low == 0 ? 0 : (await FindAsync(stream, low, cancellationToken))?.Sequence ?? 0, now, now == 0 ? 0 : (await FindAsync(stream, now, cancellationToken))?.Sequence ?? 0, between);
    }

    private async Task<StoredEvent?> FindAsync(StreamId stream, long version, CancellationToken cancellationToken)
    {
        await foreach (var e in _store.ReadStreamAsync(stream, version, cancellationToken))
            return e;
        return null;
    }

    /// <summary>Who asks what would be sent sends nothing.</summary>
    private sealed class Nobody : IMessageBus
    {
        public static Nobody Listens { get; } = new();

        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => throw new InvalidOperationException("What is only asked beforehand is not sent.");
    }
}
