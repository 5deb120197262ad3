namespace Antbot.Messaging;

public enum EndpointState
{
    /// <summary>The bus is not there yet, or not any more.</summary>
    Off,

    /// <summary>A dependency does not answer; nothing is taken.</summary>
    WaitingForDependency,
    Starting,
    Taking,

    /// <summary>A dependency was down for too long; what was taken is held, nothing more is taken.</summary>
    Stopped,
}

/// <param name="Held">Messages that were taken and wait for a dependency.</param>
/// <param name="Trouble">Why it does not take messages, or why it holds some; null while all is well.</param>
public sealed record EndpointStatus(string Name, EndpointState State, int Held, string? Trouble);

/// <param name="Trouble">Why there is no bus, or null.</param>
/// <param name="Since">When it came or went.</param>
/// <param name="Waiting">Messages in the queues of this process's endpoints and in those for dead letters, as last counted.</param>
public sealed record BusStatus(bool IsUp, string? Trouble, DateTimeOffset Since, IReadOnlyList<EndpointStatus> Endpoints, IReadOnlyDictionary<string, long> Waiting);
