using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Antbot.Signals.Core.Webhook;

namespace Antbot.Signals;

/// <summary>What became of a body that came in.</summary>
public abstract record IntakeAnswer
{
    private IntakeAnswer()
    {
    }

    /// <summary>It is recorded, now or before.</summary>
    public sealed record Accepted(TradeId Trade) : IntakeAnswer;

    public sealed record Faulty(IReadOnlyList<string> Faults) : IntakeAnswer;

    /// <summary>It names no price, and the market's is not heard at the moment: the same body is good in a while.</summary>
    public sealed record NoPriceYet(Symbol Symbol) : IntakeAnswer;

    /// <summary>It would wait for too long behind those that were taken before it. It is not recorded: the same is a new one later.</summary>
    public sealed record Refused(TimeSpan Again) : IntakeAnswer;

    /// <summary>The key was used for another body.</summary>
    public sealed record Conflicting(TradeId Trade) : IntakeAnswer;
}

/// <summary>
/// From a body to a recorded signal. With an idempotency key the same key is the same trade for ever. Without one, the same body
/// within the repeat window is: charting tools send an alert again when an answer is slow, and say nothing to tell it by.
/// </summary>
public sealed class WebhookIntake(PipelineParts parts, SignalRecorder recorder, Door door, IMarketData market, SignalOptions options)
{
    private static readonly TimeSpan PriceFreshFor = TimeSpan.FromSeconds(5);

    private TimeSpan Window => TimeSpan.FromSeconds(options.RepeatWindowSeconds);

    public async Task<IntakeAnswer> TakeAsync(string caller, ReadOnlyMemory<byte> body, string? headerKey, CancellationToken cancellationToken)
    {
        var now = parts.Clock.GetUtcNow();
        var read = WebhookSignal.Read(body, headerKey, symbol => PriceOf(symbol, now), options.Terms, now);
        var again = read.Draft is { } draft ? door.Refuse(draft) : null;
        // What was taken stays taken, however the market and the queue stand when it is said again.
        if ((read.Draft is null || again is not null) && await FindTakenAsync(caller, read, now, cancellationToken) is { } taken)
            return taken;
        if (again is { } wait)
        {
            door.CountRefused();
            return new IntakeAnswer.Refused(wait);
        }
        // Of what is not followed here no price will ever be heard: that is the sender's fault.
        if (read.LacksPrice is { } symbol && options.Watched.Contains(symbol))
            return new IntakeAnswer.NoPriceYet(symbol);
        if (read.Faults.Count > 0)
            return new IntakeAnswer.Faulty(read.Faults);
        return read.Key is { } key
            ? await TakeKeyedAsync(WebhookSignal.Named(read, caller, WebhookSignal.TradeOfKey(caller, key)), WebhookSignal.SourceOf(caller), cancellationToken)
            : await TakeUnkeyedAsync(caller, read, now, cancellationToken);
    }

    private async Task<IntakeAnswer?> FindTakenAsync(string caller, WebhookRead read, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (read.Key is { } key)
        {
            var trade = WebhookSignal.TradeOfKey(caller, key);
            try
            {
                return await FirstAsync(Streams.Signal(trade), cancellationToken) is { } there ? Repeated(trade, there, read.BodyHash) : null;
            }
            catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
            {
                return new IntakeAnswer.Conflicting(trade);
            }
        }
        foreach (var trade in Stretches(now).Select(stretch => WebhookSignal.TradeOfBody(caller, read.BodyHash, stretch)))
        {
            if (await FirstAsync(Streams.Signal(trade), cancellationToken) is { } there && IsWithinWindow(there, now))
                return new IntakeAnswer.Accepted(trade);
        }
        return null;
    }

    private async Task<IntakeAnswer> TakeKeyedAsync(SignalRecorded recorded, string actor, CancellationToken cancellationToken)
    {
        var trade = recorded.Signal.Trade;
        switch (await recorder.RecordAsync(recorded, actor, [], cancellationToken))
        {
            case AppendOutcome.Appended appended:
                await recorder.TryPublishAsync(appended.Events, cancellationToken);
                return new IntakeAnswer.Accepted(trade);
            // Its signal is archived: whether it was the same cannot be told, and entries fail closed.
            case AppendOutcome.AlreadyThere { Events: [] }:
                return new IntakeAnswer.Conflicting(trade);
            case AppendOutcome.AlreadyThere there:
                return Repeated(trade, there.Events[0], recorded.BodyHash);
            case var other:
                throw Strange(trade, other);
        }
    }

    /// <summary>
    /// Time is cut into stretches as long as the window; a repetition falls into the same stretch or a neighbouring one. The append
    /// holds only while the neighbours are empty, so that two that meet at a border cannot both be new.
    /// </summary>
    private async Task<IntakeAnswer> TakeUnkeyedAsync(string caller, WebhookRead read, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var stretches = Stretches(now);
        var recorded = WebhookSignal.Named(read, caller, WebhookSignal.TradeOfBody(caller, read.BodyHash, stretches[0]));
        var guards = new Dictionary<StreamId, (TradeId Trade, ExpectedVersion Expected)>();
        foreach (var trade in stretches[1..].Select(n => WebhookSignal.TradeOfBody(caller, read.BodyHash, n)))
            guards[Streams.Signal(trade)] = (trade, ExpectedVersion.None);
        while (true)
        {
            var outcome = await recorder.RecordAsync(recorded, WebhookSignal.SourceOf(caller), [.. guards.Select(g => new StreamGuard(g.Key, g.Value.Expected))], cancellationToken);
            switch (outcome)
            {
                case AppendOutcome.Appended appended:
                    await recorder.TryPublishAsync(appended.Events, cancellationToken);
                    return new IntakeAnswer.Accepted(recorded.Signal.Trade);
                case AppendOutcome.AlreadyThere:
                    return new IntakeAnswer.Accepted(recorded.Signal.Trade);
                case AppendOutcome.Conflict conflict when guards.TryGetValue(conflict.Stream, out var guard) && guard.Expected == ExpectedVersion.None:
                    if (await FirstAsync(conflict.Stream, cancellationToken) is { } there && IsWithinWindow(there, now))
                        return new IntakeAnswer.Accepted(guard.Trade);
                    guards[conflict.Stream] = (guard.Trade, ExpectedVersion.Exactly(conflict.Actual));
                    break;
                default:
                    throw Strange(recorded.Signal.Trade, outcome);
            }
        }
    }

    /// <summary>The stretch that a moment lies in, and its neighbours.</summary>
    private long[] Stretches(DateTimeOffset at)
    {
        var own = at.UtcTicks / Window.Ticks;
        return [own, own - 1, own + 1];
    }

    private bool IsWithinWindow(StoredEvent recorded, DateTimeOffset now) => (now - recorded.Timestamp).Duration() < Window;

    private IntakeAnswer Repeated(TradeId trade, StoredEvent there, string bodyHash) =>
        string.Equals(recorder.Decode(there).BodyHash, bodyHash, StringComparison.Ordinal) ? new IntakeAnswer.Accepted(trade) : new IntakeAnswer.Conflicting(trade);

    private async Task<StoredEvent?> FirstAsync(StreamId stream, CancellationToken cancellationToken)
    {
        await foreach (var stored in parts.Store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
            return stored;
        return null;
    }

    private Price? PriceOf(Symbol symbol, DateTimeOffset now) => market.Latest(symbol) is { } price && now - price.At <= PriceFreshFor ? price.Middle : null;

    private static EventStoreException Strange(TradeId trade, AppendOutcome outcome) =>
        new(StoreFault.Corrupt, $"The stream of signal {trade} holds what this service has not recorded ({outcome}). Run 'antbot verify'.");
}
