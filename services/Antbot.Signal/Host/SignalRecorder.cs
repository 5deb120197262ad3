using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Microsoft.Extensions.Logging;

namespace Antbot.Signals;

/// <summary>
/// Records signals and tells the Coordinator at once. A signal's stream begins and ends with its one event, so there is nothing to
/// load: the append itself says whether it is there already. What could not be told, <see cref="SignalRedriver"/> tells later.
/// </summary>
public sealed class SignalRecorder(PipelineParts parts, ILogger<SignalRecorder> log)
{
    private static readonly TimeSpan PublishWithin = TimeSpan.FromSeconds(2);

    private int _troubled;

    public async Task<AppendOutcome> RecordAsync(SignalRecorded recorded, string actor, IReadOnlyList<StreamGuard> guards, CancellationToken cancellationToken)
    {
        var trade = recorded.Signal.Trade;
        var trace = Traces.Current ?? trade.Value;
        parts.CrashPoints.Reach($"{SignalDecider.Consumer}.before-append");
        var outcome = await parts.Store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Signal(trade),
                Expected = ExpectedVersion.None,
                Decision = new Decision(trade.Guid, SignalDecider.Consumer),
                Events = [parts.Codec.Encode(recorded)],
                At = parts.Clock.GetUtcNow(),
                Meta = new EventMeta(trade.Value, trade.Value, actor, trace),
                Guards = guards,
            },
            cancellationToken);
        parts.CrashPoints.Reach($"{SignalDecider.Consumer}.after-append");
        if (log.IsEnabled(LogLevel.Debug))
            Tell(trade, trace, outcome);
        return outcome;
    }

    public SignalRecorded Decode(StoredEvent stored) => (SignalRecorded)parts.Codec.Decode(stored);

    /// <summary>What a strategy thinks of comes with no request whose trace it would be logged in.</summary>
    private void Tell(TradeId trade, string trace, AppendOutcome outcome)
    {
        using var scope = log.BeginScope(new Dictionary<string, object?>(StringComparer.Ordinal) { ["trade"] = trade.Value, ["trace"] = trace });
        log.LogDebug("The signal of trade {Trade}: {Outcome}", trade.Value, outcome.GetType().Name);
    }

    /// <summary>Never throws for the bus's sake: what is recorded is not lost.</summary>
    public async Task<bool> TryPublishAsync(IReadOnlyList<StoredEvent> stored, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(PublishWithin, parts.Clock);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            await parts.Bus.PublishAsync(Outgoing.From(stored, parts.Codec, SignalDecider.React), limit.Token);
            Volatile.Write(ref _troubled, 0);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            // One line for an outage, not one for each signal in it.
            if (Interlocked.Exchange(ref _troubled, 1) == 0)
                log.LogWarning("Signals are recorded and cannot be published at the moment; they are published later: {Reason}", e.Message);
            return false;
        }
    }
}
