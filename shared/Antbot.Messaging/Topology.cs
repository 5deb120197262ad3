using Antbot.Contracts.Messages;
using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>
/// What the broker holds: for every endpoint an exchange and a queue, beside them its error and its skipped queue; one for new signals;
/// and one for what the broker itself dead-letters. Every process declares all of it before it says anything, with arguments equal to the last one.
/// </summary>
public static class Topology
{
    /// <summary>Where the broker puts a message that was given back too often: the guard against messages that end processes.</summary>
    public const string DeadLetters = "antbot-dead";

    /// <summary>Every lost connection counts against everything prefetched, so a small limit would take innocent messages.</summary>
    public const int DeliveryLimit = 20;

    /// <summary>Newer brokers have a limit of their own where none is given, and nothing stands behind the last queue.</summary>
    private const int NoDeliveryLimit = 1_000_000;

    private const string Quorum = "quorum";

    public static IReadOnlyDictionary<string, object> Arguments { get; } = new Dictionary<string, object>(StringComparer.Ordinal)
    {
        ["x-queue-type"] = Quorum,
        ["x-delivery-limit"] = DeliveryLimit,
        ["x-dead-letter-exchange"] = DeadLetters,
        // Dead-lettering at least once needs an overflow that refuses; there is no length limit to overflow.
        ["x-dead-letter-strategy"] = "at-least-once",
        ["x-overflow"] = "reject-publish",
    };

    /// <summary>
    /// New signals lie beside what is said of the trades under way, which goes before them. A build that knows no such place sends them to
    /// the endpoint itself, and there they are taken as well.
    /// </summary>
    public const string Intake = "coordinator-intake";

    /// <summary>Every endpoint, and what lies beside one.</summary>
    public static IReadOnlyList<string> Lanes { get; } = [.. Routes.Endpoints, Intake];

    /// <summary>Where a message to an endpoint waits for its turn.</summary>
    public static string LaneOf(string endpoint, Type message) => endpoint == Routes.Coordinator && message == typeof(SignalRaised) ? Intake : endpoint;

    /// <summary>Whose messages wait there: their letters are that endpoint's.</summary>
    public static string EndpointOf(string lane) => lane == Intake ? Routes.Coordinator : lane;

    public static string QueueOf(string lane) => $"antbot-{lane}";

    public static string ErrorQueueOf(string endpoint) => $"{QueueOf(endpoint)}_error";

    public static string SkippedQueueOf(string endpoint) => $"{QueueOf(endpoint)}_skipped";

    /// <summary>A place of its own, and those of its endpoint for what dies.</summary>
    public static IEnumerable<string> QueuesOf(string lane) => lane == EndpointOf(lane) ? [QueueOf(lane), ErrorQueueOf(lane), SkippedQueueOf(lane)] : [QueueOf(lane)];

    internal static async Task DeclareAsync(IChannel channel, IEnumerable<string> lanes, CancellationToken cancellationToken)
    {
        await DeclareAsync(channel, DeadLetters, new Dictionary<string, object?>(StringComparer.Ordinal) { ["x-queue-type"] = Quorum, ["x-delivery-limit"] = NoDeliveryLimit }, cancellationToken);
        var arguments = Arguments.ToDictionary(a => a.Key, a => (object?)a.Value, StringComparer.Ordinal);
        foreach (var queue in lanes.SelectMany(QueuesOf))
            await DeclareAsync(channel, queue, arguments, cancellationToken);
    }

    private static async Task DeclareAsync(IChannel channel, string name, Dictionary<string, object?> arguments, CancellationToken cancellationToken)
    {
        await channel.QueueDeclareAsync(name, durable: true, exclusive: false, autoDelete: false, arguments, cancellationToken: cancellationToken);
        await channel.ExchangeDeclareAsync(name, ExchangeType.Fanout, durable: true, autoDelete: false, cancellationToken: cancellationToken);
        await channel.QueueBindAsync(name, name, routingKey: "", cancellationToken: cancellationToken);
    }
}
