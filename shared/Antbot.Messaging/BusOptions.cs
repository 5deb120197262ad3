namespace Antbot.Messaging;

/// <summary>Which bus is meant: <c>memory:</c> within one process, or <c>amqp://user:password@host:port/virtual-host</c>.</summary>
public sealed class BusOptions
{
    public const string Memory = "memory:";

    public string Address { get; set; } = Memory;

    /// <summary>How many messages of one endpoint are under way at once.</summary>
    public int Prefetch { get; set; } = 64;

    public bool IsMemory => string.Equals(Address, Memory, StringComparison.OrdinalIgnoreCase);
}
