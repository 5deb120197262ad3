using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>How read models are kept and told: names as in the events, enums by name.</summary>
public static class ReadModelJson
{
    public static JsonSerializerOptions Options { get; } = Make(indented: false);

    public static JsonSerializerOptions Indented { get; } = Make(indented: true);

    private static JsonSerializerOptions Make(bool indented)
    {
        var options = new JsonSerializerOptions(EventCodec.Json) { WriteIndented = indented, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        // For people by their names: before the one that the events are stored with.
        options.Converters.Insert(0, new JsonStringEnumConverter());
        options.MakeReadOnly();
        return options;
    }
}
