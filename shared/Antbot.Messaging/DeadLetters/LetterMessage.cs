using System.Text.Json;
using Antbot.Contracts.Messages;
using MassTransit;

namespace Antbot.Messaging;

/// <summary>The message within a letter, read as whoever it goes to reads it.</summary>
public static class LetterMessage
{
    private const int BytesMax = 8 * 1024 * 1024;

    /// <summary>Never throws: what cannot be read is told.</summary>
    /// <param name="fault">Why it cannot be read; null where it can.</param>
    public static ITradeMessage? Read(ReadOnlyMemory<byte> body, out string? fault)
    {
        try
        {
            var (type, message) = Open(body);
            fault = null;
            return (ITradeMessage)Read(type, message);
        }
        catch (Exception e) when (IsOfMessage(e))
        {
            fault = e.Message;
            return null;
        }
    }

    /// <summary>The kind of message that bears this name; null where this build has none.</summary>
    public static Type? Find(string urn) => Routes.All.Keys.FirstOrDefault(t => MessageUrn.ForTypeString(t) == urn);

    /// <summary>Everything that stands against reading it as this kind of message, each with its place; nothing where it can be read.</summary>
    public static IReadOnlyList<string> FaultsOf(Type type, JsonElement message)
    {
        var faults = ContractFaults.Of(type, message, MessageJson.Options);
        if (faults.Count > 0)
            return faults;
        try
        {
            _ = Read(type, message);
            return [];
        }
        catch (Exception e) when (IsOfMessage(e))
        {
            return [e.Message];
        }
    }

    public static object Read(Type type, JsonElement message) => message.Deserialize(type, MessageJson.Options) ?? throw new JsonException("The message is null.");

    internal static (Type Type, JsonElement Message) Open(ReadOnlyMemory<byte> body)
    {
        if (body.Length > BytesMax)
            throw new JsonException($"It has {body.Length:N0} bytes; {BytesMax:N0} are the limit.");
        using var document = JsonDocument.Parse(body);
        var urn = document.RootElement.GetProperty("messageType")[0].GetString() ?? "";
        return (Find(urn) ?? throw new JsonException($"'{urn}' is no message of this build."), document.RootElement.GetProperty("message").Clone());
    }

    /// <summary>Whatever a converter or a constructor throws of what it is given.</summary>
    private static bool IsOfMessage(Exception e) => e is JsonException or InvalidOperationException or KeyNotFoundException or IndexOutOfRangeException or ArgumentException or FormatException or NotSupportedException;
}
