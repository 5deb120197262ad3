namespace Antbot.Contracts.Messages;

/// <summary>The endpoints, one a service, and who is told what. The bus declares its whole topology from this.</summary>
public static class Routes
{
    public const string Coordinator = "coordinator";
    public const string Validation = "validation";
    public const string Risk = "risk";
    public const string Execution = "execution";
    public const string Reconciliation = "reconciliation";

    public static IReadOnlyList<string> Endpoints { get; } = [Coordinator, Validation, Risk, Execution, Reconciliation];

    public static IReadOnlyDictionary<Type, IReadOnlyList<string>> All { get; } = new Dictionary<Type, IReadOnlyList<string>>
    {
        [typeof(SignalRaised)] = [Coordinator],
        [typeof(ValidateSignal)] = [Validation],
        [typeof(SignalValidated)] = [Coordinator],
        [typeof(SignalRejected)] = [Coordinator],
        [typeof(AssessRisk)] = [Risk],
        [typeof(RiskApproved)] = [Coordinator],
        [typeof(RiskDenied)] = [Coordinator],
        [typeof(ExecuteTrade)] = [Execution],
        [typeof(CancelTrade)] = [Execution],
        [typeof(CloseTrade)] = [Execution],
        [typeof(EntryAccepted)] = [Coordinator],
        [typeof(EntryFailed)] = [Coordinator, Risk],
        [typeof(EntryUnknown)] = [Coordinator],
        [typeof(TradeOpened)] = [Coordinator, Risk],
        [typeof(TradeClosing)] = [Coordinator],
        [typeof(TradeClosed)] = [Coordinator, Risk],
        [typeof(VerifyTrade)] = [Reconciliation],
        [typeof(TradeReconciled)] = [Coordinator],
        [typeof(DriftFound)] = [Coordinator],
        [typeof(CorrectOrder)] = [Execution],
        [typeof(AdoptTrade)] = [Coordinator],
        [typeof(AdoptPosition)] = [Execution],
        [typeof(WriteOffPosition)] = [Execution],
        [typeof(SettleOrder)] = [Execution],
    };

    public static IReadOnlyList<string> Of(Type message) => All.TryGetValue(message, out var to)
        ? to
        : throw new ArgumentException($"{message.Name} has no route: nobody would be told.", nameof(message));
}
