using System.Text.Json;
using Antbot.Contracts;
using MassTransit.Serialization;

namespace Antbot.Messaging;

/// <summary>How messages are read and written.</summary>
internal static class MessageJson
{
    /// <summary>MassTransit's, but strict. Its own are set to these whenever a bus is made.</summary>
    public static JsonSerializerOptions Options { get; } = new(SystemTextJsonMessageSerializer.Options)
    {
        WriteIndented = false,
        // A member that is missing or null would become a silent default, and a decision would be made on it.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new DefinedEnumConverter() },
    };
}
