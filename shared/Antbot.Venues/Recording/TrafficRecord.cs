using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Antbot.Venues.Recording;

public enum TrafficKind
{
    /// <summary>We have asked something, and this came of it.</summary>
    Asked = 1,

    /// <summary>The venue's stream has said something.</summary>
    Heard = 2,

    /// <summary>A stream was connected, or broke.</summary>
    Stream = 3,

    /// <summary>So many are not here that should be.</summary>
    Missing = 4,

    /// <summary>A file begins; its process and build.</summary>
    Began = 5,

    /// <summary>The process ended in order: nothing of it is missing up to here.</summary>
    Ended = 6,
}

/// <param name="Text">Without secrets; UTF-8 or, where it is none, a character for each byte.</param>
/// <param name="Length">In bytes, as it came.</param>
/// <param name="Sha256">Of all of it as it came, where what is here was cut.</param>
/// <param name="IsLatin1">It was no UTF-8.</param>
public sealed record TrafficBody(string Text, long Length, string? Sha256 = null, bool IsLatin1 = false);

/// <summary>A line of a recording. What does not belong to its kind is null and not written.</summary>
/// <param name="At">When it was over, or heard.</param>
public sealed record TrafficRecord(DateTimeOffset At, TrafficKind Kind)
{
    internal static readonly JsonSerializerOptions Json = new()
    {
        DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };

    public string? Route { get; init; }

    public string? Method { get; init; }

    public string? Path { get; init; }

    /// <summary>As they were sent, without the signature.</summary>
    public string? Parameters { get; init; }

    public int? Status { get; init; }

    /// <summary>From the sending until it was over.</summary>
    public long? Microseconds { get; init; }

    /// <summary>What we took it for: said, refused, unknown or not sent, with the words.</summary>
    public string? Outcome { get; init; }

    /// <summary>The client's id of the order that it is about.</summary>
    public string? Order { get; init; }

    /// <summary>The trade of that order, where the id is one of ours.</summary>
    public string? Trade { get; init; }

    public string? Symbol { get; init; }

    /// <summary>Which of the venue's streams.</summary>
    public string? Stream { get; init; }

    /// <summary>How many of that stream were left out before this one, for they came too fast.</summary>
    public long LeftOut { get; init; }

    /// <summary>How many records are missing.</summary>
    public long Missing { get; init; }

    public string? Text { get; init; }

    public TrafficBody? Body { get; init; }

    /// <summary>What it takes of the memory while it waits.</summary>
    [JsonIgnore]
    internal int Bytes => 256 + (2 * ((Parameters?.Length ?? 0) + (Outcome?.Length ?? 0) + (Text?.Length ?? 0) + (Body?.Text.Length ?? 0)));

    public static TrafficRecord? Parse(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize<TrafficRecord>(line, Json) is { } record && Enum.IsDefined(record.Kind) && record.At > DateTimeOffset.UnixEpoch ? record : null;
        }
        catch (Exception e) when (e is JsonException or NotSupportedException)
        {
            return null;
        }
    }
}
