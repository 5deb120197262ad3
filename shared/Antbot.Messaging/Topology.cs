namespace Antbot.Messaging;

/// <summary>The names of what the broker holds.</summary>
public static class Topology
{
    public const int DeliveryLimit = 20;

    public static string QueueOf(string endpoint) => $"antbot-{endpoint}";

    public static Uri AddressOf(string endpoint, BusOptions options) => new($"{(options.IsMemory ? "queue" : "exchange")}:{QueueOf(endpoint)}");
}
