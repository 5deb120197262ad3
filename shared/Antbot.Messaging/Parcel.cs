using System.Text.Json;

namespace Antbot.Messaging;

/// <summary>
/// Several messages to one endpoint on one way: what a broker does for a message it does once for all of them. Each is handled, tried
/// again, held or dead-lettered by itself.
/// </summary>
internal sealed record Parcel(IReadOnlyList<Parcelled> Messages)
{
    /// <summary>As many as an endpoint has under way at once.</summary>
    public const int MessagesMax = 64;

    /// <summary>Of the bodies. One that is larger than this by itself is sent alone.</summary>
    public const int BytesMax = 256 * 1024;

    /// <summary>Another build may pack more of them than this one.</summary>
    public const int MessagesTaken = 1_000;
}

/// <param name="Type">The message's URN, as MassTransit names it.</param>
internal sealed record Parcelled(Guid Id, string Type, Guid? CorrelationId, string? TraceId, JsonElement Body);
