namespace Antbot.Contracts.Messages;

/// <summary>The headers in which a dead letter bears what became of it.</summary>
public static class DeadLetterHeaders
{
    // MassTransit's names, as its own tools read them.
    public const string Reason = "MT-Reason";
    public const string FaultType = "MT-Fault-ExceptionType";
    public const string FaultMessage = "MT-Fault-Message";
    public const string FaultStack = "MT-Fault-StackTrace";
    public const string FaultTime = "MT-Fault-Timestamp";
    public const string InputAddress = "MT-Fault-InputAddress";

    public const string Attempts = "antbot-fault-attempts";
    public const string Build = "antbot-fault-build";

    /// <summary>Tells two apart that are the same in everything else.</summary>
    public const string Mark = "antbot-dead-letter";

    /// <summary>Of one that was sent once more: which letter it is, and for which time, as <c>letter/2</c>.</summary>
    public const string Replay = "antbot-replay";

    /// <summary>The broker's: where it died, when and why, the last death first.</summary>
    public const string Deaths = "x-death";

    /// <summary>Counted by the broker at each delivery: no part of what a message is.</summary>
    public static IReadOnlySet<string> Counters { get; } = new HashSet<string>(StringComparer.OrdinalIgnoreCase) { "x-delivery-count", "x-acquired-count" };

    /// <summary>What is told of how a message died: no part of what it was before.</summary>
    public static IReadOnlySet<string> Faults { get; } = new HashSet<string>(StringComparer.Ordinal) { Reason, FaultType, FaultMessage, FaultStack, FaultTime, InputAddress, Attempts, Build, Mark, Replay };

    /// <summary>What the broker adds when a message dies.</summary>
    public static bool IsOfDeath(string name) => name.Equals(Deaths, StringComparison.OrdinalIgnoreCase)
        || name.StartsWith("x-first-death-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("x-last-death-", StringComparison.OrdinalIgnoreCase);
}
