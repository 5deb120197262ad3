using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Antbot.Messaging;

/// <summary>What passes over the bus, in figures. Labels are names of endpoints and of message types that this build knows.</summary>
internal static class BusMeter
{
    public const string Name = "Antbot.Messaging";

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> HandledCount = Meter.CreateCounter<long>("antbot_messages_handled_total", description: "Messages that were handled and acknowledged.");
    private static readonly Counter<long> RetriedCount = Meter.CreateCounter<long>("antbot_messages_retried_total", description: "Attempts that failed by the message's own fault and were repeated.");
    private static readonly Counter<long> HeldCount = Meter.CreateCounter<long>("antbot_messages_held_total", description: "Attempts that failed for want of a dependency.");
    private static readonly Counter<long> DeadLetteredCount = Meter.CreateCounter<long>("antbot_messages_dead_lettered_total", description: "Messages that were moved to an error or skipped queue.");
    private static readonly Histogram<double> HandleTime = Meter.CreateHistogram<double>("antbot_message_duration_seconds", "s", "From the delivery of a message to its end, retries and waiting included.");
    private static readonly Counter<long> PublishedCount = Meter.CreateCounter<long>("antbot_messages_published_total", description: "Messages that the broker confirmed.");
    private static readonly Counter<long> DeliveryCount = Meter.CreateCounter<long>("antbot_deliveries_published_total", description: "What the broker confirmed: messages that went alone, and parcels of several.");
    private static readonly Counter<long> UnpublishedCount = Meter.CreateCounter<long>("antbot_publish_failures_total", description: "Publishes that were not confirmed.");
    private static readonly Histogram<double> PublishTime = Meter.CreateHistogram<double>("antbot_publish_duration_seconds", "s", "From a publish to its confirmation.");

    public static ActivitySource Activities { get; } = new(Name);

    public static void Handled(string endpoint, string message, TimeSpan took)
    {
        HandledCount.Add(1, Endpoint(endpoint), Message(message));
        HandleTime.Record(took.TotalSeconds, Endpoint(endpoint));
    }

    public static void Retried(string endpoint, string message) => RetriedCount.Add(1, Endpoint(endpoint), Message(message));

    public static void Held(string endpoint, string dependency) => HeldCount.Add(1, Endpoint(endpoint), new("dependency", dependency));

    public static void DeadLettered(string endpoint, string reason) => DeadLetteredCount.Add(1, Endpoint(endpoint), new("reason", reason));

    public static void Published(string endpoint, TimeSpan took)
    {
        PublishedCount.Add(1, Endpoint(endpoint));
        PublishTime.Record(took.TotalSeconds, Endpoint(endpoint));
    }

    public static void Delivered(string endpoint) => DeliveryCount.Add(1, Endpoint(endpoint));

    public static void Unpublished(string endpoint) => UnpublishedCount.Add(1, Endpoint(endpoint));

    private static KeyValuePair<string, object?> Endpoint(string endpoint) => new("endpoint", endpoint);

    private static KeyValuePair<string, object?> Message(string message) => new("message", message);
}
