using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;

namespace Antbot.Reconciliation;

/// <summary>Holds a trade against the venue when it is asked to.</summary>
public sealed class VerifyTradeHandler(StreamPipeline<ReconciliationState> pipeline, TradeLook look, PipelineParts parts) : IMessageHandler<VerifyTrade>
{
    public async Task HandleAsync(VerifyTrade message, Input input, CancellationToken cancellationToken)
    {
        var seen = await look.LookAsync(message, input.Id, again: false, cancellationToken);
        var stored = await pipeline.HandleAsync(Streams.Reconciliation(message.Account), input with { Body = seen }, cancellationToken);
        // Asked again about what stayed open: everything that came of it since is said again.
        for (var step = 1; stored.Count > 0 && parts.Codec.Decode(stored[^1]) is VerificationPending or TradeDrifted; step++)
        {
            stored = await parts.Store.FindDecisionAsync(new Decision(ReconciliationDecider.StepId(input.Id, step), ReconciliationDecider.Consumer), cancellationToken);
            await pipeline.PublishAsync(stored, cancellationToken);
        }
    }
}
