using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;

namespace Antbot.Core.Tests.Coordinator;

/// <summary>A trade to try things on.</summary>
public static class Some
{
    public static readonly DateTimeOffset Now = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);
    public static readonly TradeId Trade = new(new Guid("11111111-2222-3333-4444-555555555555"));
    public static readonly AccountId Account = new("main");
    public static readonly Symbol Symbol = new("BTCUSDT");
    public static readonly ClientOrderId Order = ClientOrderId.Of(Trade, OrderRole.Entry, 0);
    public static readonly IReadOnlyList<Verdict> Verdicts = [new Verdict("a_rule", Passed: true, "1 of 2")];

    public static Signal Signal { get; } = new(
        Trade, Account, "strategy:test", Symbol, Side.Buy, OrderKind.Market, new Price(100), null, new Price(95), new Price(110), new Money(50), 0.8m, Now, Now.AddSeconds(30));

    public static TradeOpened Opened { get; } = new(Trade, Account, Symbol, Side.Buy, new Quantity(0.5m), new Price(100), new Money(50), new Money(0.05m), [Order]);

    public static TradeClosed Closed { get; } =
        new(Trade, Account, Symbol, new Quantity(0.5m), new Price(100), new Price(104), new Money(1.9m), new Money(0.1m), "take-profit", [Order]);

    /// <summary>One of each kind of message.</summary>
    public static IReadOnlyList<ITradeMessage> Messages { get; } =
    [
        new SignalRaised(Signal), new SignalValidated(Trade, 0.7m, Verdicts), new SignalRejected(Trade, Verdicts), new RiskApproved(Trade, new Money(50), Verdicts),
        new RiskDenied(Trade, Verdicts), new EntryAccepted(Trade, Order, "17", Now), new EntryUnknown(Trade, Account, "no answer"), new EntryFailed(Trade, Account, "refused"),
        Opened, new TradeClosing(Trade, Account, "stop"), Closed, new TradeReconciled(Trade, Closed: false, "all fills there"),
        new TradeReconciled(Trade, Closed: true, "nothing left"), new DriftFound(Trade, Account, "a fill", "17"),
    ];

    /// <summary>How a trade comes into each phase, by events that its decisions make.</summary>
    public static TradeState In(TradePhase phase, bool cancelling = false)
    {
        var state = PathTo(phase).Aggregate(TradeState.Initial, TradeState.Fold.Apply);
        return cancelling ? state with { Cancelling = true } : state;
    }

    public static IReadOnlyList<object> PathTo(TradePhase phase)
    {
        object raised = new TradeRaised(Signal, Now.AddSeconds(30));
        object validated = new TradeValidated(Signal, 0.7m, Verdicts, Now.AddSeconds(60));
        object approved = new TradeApproved(Signal, new Money(50), Verdicts, Now.AddSeconds(90));
        object opened = new TradeOpenedRecorded(Opened, Now.AddHours(24));
        object closing = new TradeClosingRecorded(Trade, "stop", Now.AddSeconds(120));
        return phase switch
        {
            TradePhase.None => [],
            TradePhase.Validating => [raised],
            TradePhase.AssessingRisk => [raised, validated],
            TradePhase.Executing => [raised, validated, approved],
            TradePhase.Open => [raised, validated, approved, opened],
            TradePhase.Closing => [raised, validated, approved, opened, closing],
            TradePhase.Closed => [raised, validated, approved, opened, closing, new TradeClosedRecorded(Closed, Side.Buy)],
            TradePhase.Rejected => [raised, new TradeRejected(Trade, Verdicts)],
            TradePhase.Denied => [raised, validated, new TradeDenied(Trade, Verdicts)],
            TradePhase.Expired => [raised, new TradeExpired(Trade, "late")],
            TradePhase.Failed => [raised, validated, approved, new TradeFailed(Trade, "refused")],
            _ => throw new ArgumentOutOfRangeException(nameof(phase), phase, "no phase"),
        };
    }
}
