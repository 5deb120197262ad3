using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using MassTransit;

namespace Antbot.Coordinator;

/// <summary>
/// The trade's whole life as a state machine: <see cref="TradeDecider"/>'s table, drawn. What is recorded is decided there; which way
/// it goes is said here, and a test holds the two together cell by cell. Nothing is sent from here: it is sent after the append.
/// </summary>
public sealed class TradeSaga : MassTransitStateMachine<TradeInstance>
{
    public TradeSaga()
    {
        InstanceState(i => i.CurrentState);
        Correlate();

        Initially(When(SignalRaised).Then(Decide).IfElse(TooLate, late => late.TransitionTo(Expired), early => early.TransitionTo(Validating)), When(AdoptTrade).Then(Decide).TransitionTo(Executing));
        During(Initial, Held(SignalValidated), Held(SignalRejected), Held(RiskApproved), Held(RiskDenied), Held(EntryAccepted), Held(EntryUnknown),
            Held(EntryFailed), Held(TradeOpened), Held(TradeClosing), Held(TradeClosed), Held(TradeReconciled), Held(DriftFound), Ignored(DeadlineReached));

        During(Validating,
            When(SignalValidated).Then(Decide).IfElse(TooLate, late => late.TransitionTo(Expired), early => early.TransitionTo(AssessingRisk)),
            When(SignalRejected).Then(Decide).TransitionTo(Rejected),
            When(DeadlineReached).Then(Decide).If(Ends, end => end.TransitionTo(Expired)),
            Absorbed(SignalRaised), Absorbed(AdoptTrade),
            Held(RiskApproved), Held(RiskDenied), Held(EntryAccepted), Held(EntryUnknown), Held(EntryFailed), Held(TradeOpened), Held(TradeClosing),
            Held(TradeClosed), Held(TradeReconciled), Held(DriftFound));

        During(AssessingRisk,
            When(RiskApproved).Then(Decide).If(Ends, go => go.TransitionTo(Executing)),
            When(RiskDenied).Then(Decide).TransitionTo(Denied),
            When(EntryFailed).Then(Decide).IfElse(Cancelled, late => late.TransitionTo(Expired), early => early.TransitionTo(Failed)),
            Kept(DeadlineReached),
            Absorbed(SignalRaised), Absorbed(AdoptTrade), Absorbed(SignalValidated), Absorbed(SignalRejected),
            Held(EntryAccepted), Held(EntryUnknown), Held(TradeOpened), Held(TradeClosing), Held(TradeClosed), Held(TradeReconciled), Held(DriftFound));

        During(Executing,
            When(TradeOpened).Then(Decide).TransitionTo(Open),
            When(TradeClosing).Then(Decide).TransitionTo(Closing),
            When(TradeClosed).Then(Decide).TransitionTo(Closed),
            When(EntryFailed).Then(Decide).IfElse(Cancelled, late => late.TransitionTo(Expired), early => early.TransitionTo(Failed)),
            Kept(EntryAccepted), Kept(EntryUnknown), Kept(TradeReconciled), Kept(DriftFound), Kept(DeadlineReached),
            Absorbed(SignalRaised), Absorbed(AdoptTrade), Absorbed(SignalValidated), Absorbed(SignalRejected), Absorbed(RiskApproved), Absorbed(RiskDenied));

        During(Open,
            When(TradeClosing).Then(Decide).TransitionTo(Closing),
            When(TradeClosed).Then(Decide).TransitionTo(Closed),
            Kept(TradeReconciled), Kept(DriftFound), Kept(DeadlineReached),
            Absorbed(SignalRaised), Absorbed(AdoptTrade), Absorbed(SignalValidated), Absorbed(SignalRejected), Absorbed(RiskApproved), Absorbed(RiskDenied),
            Absorbed(EntryAccepted), Absorbed(EntryUnknown), Absorbed(EntryFailed), Absorbed(TradeOpened));

        During(Closing,
            When(TradeClosed).Then(Decide).TransitionTo(Closed),
            Kept(TradeReconciled), Kept(DriftFound), Kept(DeadlineReached),
            Absorbed(SignalRaised), Absorbed(AdoptTrade), Absorbed(SignalValidated), Absorbed(SignalRejected), Absorbed(RiskApproved), Absorbed(RiskDenied),
            Absorbed(EntryAccepted), Absorbed(EntryUnknown), Absorbed(EntryFailed), Absorbed(TradeOpened), Absorbed(TradeClosing));

        During(Closed,
            Kept(TradeReconciled), Kept(DriftFound), Ignored(DeadlineReached),
            Absorbed(SignalRaised), Absorbed(AdoptTrade), Absorbed(SignalValidated), Absorbed(SignalRejected), Absorbed(RiskApproved), Absorbed(RiskDenied),
            Absorbed(EntryAccepted), Absorbed(EntryUnknown), Absorbed(EntryFailed), Absorbed(TradeOpened), Absorbed(TradeClosing), Absorbed(TradeClosed));

        foreach (var over in new[] { Rejected, Denied, Expired, Failed })
        {
            During(over,
                // Something was opened for a trade that came to nothing: it is flattened.
                Kept(TradeOpened), Ignored(DeadlineReached),
                Absorbed(SignalRaised), Absorbed(AdoptTrade), Absorbed(SignalValidated), Absorbed(SignalRejected), Absorbed(RiskApproved), Absorbed(RiskDenied),
                Absorbed(EntryAccepted), Absorbed(EntryUnknown), Absorbed(EntryFailed), Absorbed(TradeClosing), Absorbed(TradeClosed),
                Absorbed(TradeReconciled), Absorbed(DriftFound));
        }
    }

    public State Validating { get; private set; } = null!;

    public State AssessingRisk { get; private set; } = null!;

    public State Executing { get; private set; } = null!;

    public State Open { get; private set; } = null!;

    public State Closing { get; private set; } = null!;

    public State Closed { get; private set; } = null!;

    public State Rejected { get; private set; } = null!;

    public State Denied { get; private set; } = null!;

    public State Expired { get; private set; } = null!;

    public State Failed { get; private set; } = null!;

    public Event<SignalRaised> SignalRaised { get; private set; } = null!;

    public Event<AdoptTrade> AdoptTrade { get; private set; } = null!;

    public Event<SignalValidated> SignalValidated { get; private set; } = null!;

    public Event<SignalRejected> SignalRejected { get; private set; } = null!;

    public Event<RiskApproved> RiskApproved { get; private set; } = null!;

    public Event<RiskDenied> RiskDenied { get; private set; } = null!;

    public Event<EntryAccepted> EntryAccepted { get; private set; } = null!;

    public Event<EntryUnknown> EntryUnknown { get; private set; } = null!;

    public Event<EntryFailed> EntryFailed { get; private set; } = null!;

    public Event<TradeOpened> TradeOpened { get; private set; } = null!;

    public Event<TradeClosing> TradeClosing { get; private set; } = null!;

    public Event<TradeClosed> TradeClosed { get; private set; } = null!;

    public Event<TradeReconciled> TradeReconciled { get; private set; } = null!;

    public Event<DriftFound> DriftFound { get; private set; } = null!;

    public Event<DeadlineReached> DeadlineReached { get; private set; } = null!;

    public static string StateOf(TradePhase phase) => phase == TradePhase.None ? "Initial" : phase.ToString();

    private void Correlate()
    {
        Event(() => SignalRaised, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => SignalValidated, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => SignalRejected, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => RiskApproved, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => RiskDenied, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => EntryAccepted, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => EntryUnknown, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => EntryFailed, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => AdoptTrade, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeOpened, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeClosing, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeClosed, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => TradeReconciled, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => DriftFound, e => e.CorrelateById(c => c.Message.Trade.Guid));
        Event(() => DeadlineReached, e => e.CorrelateById(c => c.Message.Trade.Guid));
    }

    private static void Decide<TMessage>(BehaviorContext<TradeInstance, TMessage> context)
        where TMessage : class, ITradeMessage => context.Saga.Decide(context.Message);

    /// <summary>The decision moved the trade on; where it did not, the trade stays where it is.</summary>
    private static bool Ends<TMessage>(BehaviorContext<TradeInstance, TMessage> context)
        where TMessage : class => context.Saga.After.Phase != context.Saga.Trade.Phase;

    /// <summary>The decision ended it: it cannot be entered in time any more.</summary>
    private static bool TooLate<TMessage>(BehaviorContext<TradeInstance, TMessage> context)
        where TMessage : class => context.Saga.After.Phase == TradePhase.Expired;

    private static bool Cancelled<TMessage>(BehaviorContext<TradeInstance, TMessage> context)
        where TMessage : class => context.Saga.Trade.Cancelling;

    // The three below do the same; the names say why.
    private EventActivityBinder<TradeInstance, TMessage> Kept<TMessage>(Event<TMessage> @event)
        where TMessage : class, ITradeMessage => When(@event).Then(Decide);

    private EventActivityBinder<TradeInstance, TMessage> Absorbed<TMessage>(Event<TMessage> @event)
        where TMessage : class, ITradeMessage => When(@event).Then(Decide);

    private EventActivityBinder<TradeInstance, TMessage> Held<TMessage>(Event<TMessage> @event)
        where TMessage : class, ITradeMessage => When(@event).Then(Decide);

    private EventActivityBinder<TradeInstance, TMessage> Ignored<TMessage>(Event<TMessage> @event)
        where TMessage : class, ITradeMessage => When(@event).Then(Decide);
}
