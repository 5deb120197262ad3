using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>How read models are kept and told: names as in the events, enums by name.</summary>
public static class ReadModelJson
{
    public static JsonSerializerOptions Options => EventCodec.JsonForPeople;

    public static JsonSerializerOptions Indented { get; } = new(EventCodec.JsonForPeople) { WriteIndented = true };
}
