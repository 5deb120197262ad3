using Antbot.Contracts.Messages;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;

namespace Antbot.Risk;

public sealed class AccountHandler(StreamPipeline<RiskState> pipeline)
    : IMessageHandler<AssessRisk>, IMessageHandler<TradeOpened>, IMessageHandler<EntryFailed>, IMessageHandler<TradeClosed>
{
    public Task HandleAsync(AssessRisk message, Input input, CancellationToken cancellationToken) => DecideAsync(message, input, cancellationToken);

    public Task HandleAsync(TradeOpened message, Input input, CancellationToken cancellationToken) => DecideAsync(message, input, cancellationToken);

    public Task HandleAsync(EntryFailed message, Input input, CancellationToken cancellationToken) => DecideAsync(message, input, cancellationToken);

    public Task HandleAsync(TradeClosed message, Input input, CancellationToken cancellationToken) => DecideAsync(message, input, cancellationToken);

    private Task<IReadOnlyList<Runtime.Store.StoredEvent>> DecideAsync(ITradeMessage message, Input input, CancellationToken cancellationToken) =>
        pipeline.HandleAsync(RiskDecider.StreamOf(message), input, cancellationToken);
}
