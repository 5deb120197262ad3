using Antbot.Contracts.Messages;
using MassTransit;

namespace Antbot.Testing.PlainPipeline;

/// <summary>A trade's row.</summary>
public sealed class PlainTrade : SagaStateMachineInstance
{
    public Guid CorrelationId { get; set; }

    public string CurrentState { get; set; } = "";

    public Signal? Signal { get; set; }

    public TradeOpened? Opened { get; set; }

    public bool Done { get; set; }

    /// <summary>0 for one that is not in the table yet.</summary>
    public int RowVersion { get; set; }
}

/// <summary>The same course as the platform's own trades, without deadlines and compensations.</summary>
public sealed class PlainTradeMachine : MassTransitStateMachine<PlainTrade>
{
    public PlainTradeMachine()
    {
        InstanceState(i => i.CurrentState);
        Event(() => SignalRaised, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => SignalValidated, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => RiskApproved, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => EntryAccepted, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeOpened, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeClosing, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeClosed, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeReconciled, e => e.CorrelateById(c => c.Message.Trade.Guid));

        Initially(When(SignalRaised)
            .Then(c => c.Saga.Signal = c.Message.Signal)
            .Publish(c => new ValidateSignal(c.Message.Signal))
            .TransitionTo(Validating));
        During(Validating, When(SignalValidated)
            .Publish(c => new AssessRisk(c.Saga.Signal!, c.Message.Confidence))
            .TransitionTo(AssessingRisk));
        During(AssessingRisk, When(RiskApproved)
            .Publish(c => new ExecuteTrade(c.Saga.Signal!, c.Message.Reserved))
            .TransitionTo(Executing));
        During(Executing, Open, When(TradeOpened)
            .Then(c => c.Saga.Opened = c.Message)
            .Publish(c => new VerifyTrade(c.Message.Trade, c.Message.Account, c.Message.Symbol, c.Message.Side, c.Message.Quantity, Closed: false, c.Message.Orders))
            .TransitionTo(Open));
        During(Executing, Open, Closing, Ignore(EntryAccepted));
        During(Open, When(TradeClosing).TransitionTo(Closing));
        During(Open, Closing, When(TradeClosed)
            .Publish(c => new VerifyTrade(c.Message.Trade, c.Message.Account, c.Message.Symbol, c.Saga.Opened!.Side, c.Message.Quantity, Closed: true, c.Message.Orders))
            .TransitionTo(Closed));
        During(Executing, Open, Closing, Closed, When(TradeReconciled).Then(c => c.Saga.Done |= c.Message.Closed));
        During(Closed, Ignore(TradeClosing), Ignore(EntryAccepted));
    }

    public State Validating { get; private set; } = null!;

    public State AssessingRisk { get; private set; } = null!;

    public State Executing { get; private set; } = null!;

    public State Open { get; private set; } = null!;

    public State Closing { get; private set; } = null!;

    public State Closed { get; private set; } = null!;

    public Event<SignalRaised> SignalRaised { get; private set; } = null!;

    public Event<SignalValidated> SignalValidated { get; private set; } = null!;

    public Event<RiskApproved> RiskApproved { get; private set; } = null!;

    public Event<EntryAccepted> EntryAccepted { get; private set; } = null!;

    public Event<TradeOpened> TradeOpened { get; private set; } = null!;

    public Event<TradeClosing> TradeClosing { get; private set; } = null!;

    public Event<TradeClosed> TradeClosed { get; private set; } = null!;

    public Event<TradeReconciled> TradeReconciled { get; private set; } = null!;
}
