namespace Antbot.Contracts;

/// <summary>Which stream holds what, in one place.</summary>
public static class Streams
{
    public const string SignalPrefix = "signal-";
    public const string TradePrefix = "trade-";
    public const string OrderPrefix = "order-";
    public const string ValidationPrefix = "validation-";
    public const string AccountPrefix = "account-";
    public const string ReconciliationPrefix = "reconciliation-";
    public const string AuditPrefix = "audit-";
    public const string DeadLetterPrefix = "deadletter-";
    public const string ReplaysPrefix = "replays-";
    public const string IncidentPrefix = "incident-";
    public const string ProcessPrefix = "process-";
    public const string ArchivePrefix = "archive-";

    public static StreamId Control { get; } = new("control");

    /// <summary>Who may do what through the Console.</summary>
    public static StreamId Access { get; } = new("access");

    public static StreamId Signal(TradeId trade) => new($"{SignalPrefix}{trade.Value}");

    public static StreamId Trade(TradeId trade) => new($"{TradePrefix}{trade.Value}");

    /// <summary>By symbol, because whether a signal is a duplicate depends on other trades.</summary>
    public static StreamId Validation(Symbol symbol) => new($"{ValidationPrefix}{symbol.Value}");

    public static StreamId Account(AccountId account) => new($"{AccountPrefix}{account.Value}");

    /// <summary>All orders of one trade.</summary>
    public static StreamId Order(TradeId trade) => new($"{OrderPrefix}{trade.Value}");

    public static StreamId Reconciliation(AccountId account) => new($"{ReconciliationPrefix}{account.Value}");

    /// <summary>A message that nobody could work on, and what was done about it.</summary>
    public static StreamId DeadLetter(Guid letter) => new($"{DeadLetterPrefix}{letter:N}");

    /// <summary>Dead letters that are sent once more together.</summary>
    public static StreamId Replays(Guid selection) => new($"{ReplaysPrefix}{selection:N}");

    /// <summary>Something that went wrong, and what was done about it.</summary>
    public static StreamId Incident(Guid incident) => new($"{IncidentPrefix}{incident:N}");

    /// <summary>Which processes of a service began, and how they ended.</summary>
    public static StreamId Process(string service) => new($"{ProcessPrefix}{service}");

    /// <summary>What a file of old streams has.</summary>
    public static StreamId Archive(string file) => new($"{ArchivePrefix}{file}");

    /// <summary>What an operator had done, a stream a day.</summary>
    public static StreamId Audit(DateTimeOffset at) => new($"{AuditPrefix}{at.UtcDateTime:yyyy-MM-dd}");
}
