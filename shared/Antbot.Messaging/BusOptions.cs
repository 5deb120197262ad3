namespace Antbot.Messaging;

/// <summary>Which bus is meant: <c>memory:</c> within one process, or <c>amqp://user:password@host:port/virtual-host</c>.</summary>
public sealed class BusOptions
{
    public const string Memory = "memory:";

    public string Address { get; set; } = Memory;

    /// <summary>How many messages of one endpoint are under way at once, and at most held while a dependency is down.</summary>
    public int Prefetch { get; set; } = 64;

    /// <summary>Shown as the connection's name in the broker.</summary>
    public string Name { get; set; } = "antbot";

    /// <summary>What a dead letter says it failed in.</summary>
    public string Build { get; set; } = "";

    /// <summary>The pauses between a message's own attempts; after the last one it is dead-lettered.</summary>
    public IReadOnlyList<TimeSpan> RetryAfter { get; set; } =
        [TimeSpan.FromMilliseconds(50), TimeSpan.FromMilliseconds(200), TimeSpan.FromMilliseconds(500), TimeSpan.FromSeconds(1)];

    /// <summary>When a dependency has been down for this long, the endpoint takes no more messages until a probe passes.</summary>
    public TimeSpan StopAfter { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>
    /// A message that waits for a dependency is given back to the broker after this long: below the broker's own limit for
    /// acknowledgements (30 minutes by default), which would close the channel on all of them.
    /// </summary>
    public TimeSpan HoldAtMost { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>How long a publish waits for a connection and its confirmation.</summary>
    public TimeSpan PublishWithin { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Decisions whose messages are on their way at once; more wait, within the same limit.</summary>
    public int PublishesInFlight { get; set; } = 512;

    /// <summary>A bus that is not there this long after the broker answers never will be: the process ends and is started again.</summary>
    public TimeSpan BackWithin { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>A larger message is dead-lettered unread.</summary>
    public int BodyBytesMax { get; set; } = 4 * 1024 * 1024;

    public bool IsMemory => string.Equals(Address, Memory, StringComparison.OrdinalIgnoreCase);

    /// <summary>What is wrong with them, in words without the password.</summary>
    public IEnumerable<string> Faults()
    {
        if (!IsMemory && BrokerAddress.Fault(Address) is { } fault)
            yield return fault;
        if (Prefetch is < 1 or > 1_000)
            yield return $"The prefetch is {Prefetch}; it must be between 1 and 1,000.";
    }
}
