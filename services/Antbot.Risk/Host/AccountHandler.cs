using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;

namespace Antbot.Risk;

/// <summary>Everything that is said of an account's trades is decided in the order of that account's stream.</summary>
public sealed class AccountHandler(StreamPipeline<RiskState> pipeline)
    : IMessageHandler<AssessRisk>, IMessageHandler<TradeOpened>, IMessageHandler<EntryFailed>, IMessageHandler<TradeClosed>
{
    public Task HandleAsync(AssessRisk message, Input input, CancellationToken cancellationToken) => DecideAsync(message.Signal.Account, input, cancellationToken);

    public Task HandleAsync(TradeOpened message, Input input, CancellationToken cancellationToken) => DecideAsync(message.Account, input, cancellationToken);

    public Task HandleAsync(EntryFailed message, Input input, CancellationToken cancellationToken) => DecideAsync(message.Account, input, cancellationToken);

    public Task HandleAsync(TradeClosed message, Input input, CancellationToken cancellationToken) => DecideAsync(message.Account, input, cancellationToken);

    private Task<IReadOnlyList<Runtime.Store.StoredEvent>> DecideAsync(AccountId account, Input input, CancellationToken cancellationToken) =>
        pipeline.HandleAsync(Streams.Account(account), input, cancellationToken);
}
