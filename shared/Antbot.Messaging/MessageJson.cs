using System.Text.Json;
using Antbot.Contracts;

namespace Antbot.Messaging;

/// <summary>How messages are read and written.</summary>
internal static class MessageJson
{
    public static JsonSerializerOptions Strict(JsonSerializerOptions json) => new(json)
    {
        WriteIndented = false,
        // A member that is missing or null would become a silent default, and a decision would be made on it.
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new DefinedEnumConverter() },
    };
}
