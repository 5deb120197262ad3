using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using MassTransit;

namespace Antbot.Coordinator;

/// <summary>The machine's instance is the fold of `trade-{id}`; nothing of it is kept anywhere else.</summary>
public sealed class TradeInstance : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public required TradeState Trade { get; init; }

    public required DateTimeOffset Now { get; init; }

    public required TradePatience Patience { get; init; }

    public IReadOnlyList<object> Decided { get; private set; } = [];

    public void Decide(ITradeMessage message) => Decided = TradeDecider.Decide(Trade, message, Now, Patience);

    /// <summary>What the trade is once the decided events are in it.</summary>
    public TradeState After => Decided.Aggregate(Trade, TradeState.Fold.Apply);
}
