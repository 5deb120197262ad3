using System.Text.Json;
using MassTransit;

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

    /// <summary>Each as if it had come alone. What is wrong with the parcel itself is found before anything in it is begun.</summary>
    public IReadOnlyList<ParcelContext> Unpack(ReceiveContext receive)
    {
        if (Messages.Count > MessagesTaken)
            throw new UnprocessableMessageException($"The parcel has {Messages.Count:N0} messages; {MessagesTaken:N0} are the limit.");
        var empty = Messages.Index().Where(m => m.Item is null).Select(m => m.Index + 1).FirstOrDefault();
        return empty == 0 ? [.. Messages.Select(m => ParcelContext.Of(receive, m))] : throw new UnprocessableMessageException($"Message {empty} of the parcel is null.");
    }
}

/// <param name="Type">The message's URN, as MassTransit names it.</param>
internal sealed record Parcelled(Guid Id, string Type, Guid? CorrelationId, string? TraceId, JsonElement Body);
