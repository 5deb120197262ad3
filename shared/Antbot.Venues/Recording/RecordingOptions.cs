using System.ComponentModel.DataAnnotations;

namespace Antbot.Venues.Recording;

/// <summary>What is kept of the traffic with the venue, and for how long: <c>ANTBOT_RECORDING__FOLDER</c> and so on.</summary>
public sealed class RecordingOptions
{
    public const string Section = "recording";

    /// <summary>Where the traffic with the venue is recorded: every request with its answer, and the market's ticks, without secrets. Nothing is recorded where it is empty. Several processes may share it.</summary>
    public string Folder { get; set; } = "";

    /// <summary>What is older goes.</summary>
    [Range(1, 3_650)]
    public int Days { get; set; } = 14;

    /// <summary>What all files of the folder may take together; the oldest go first. One that is small counts for 64 KiB.</summary>
    [Range(8, 1_048_576)]
    public int Megabytes { get; set; } = 1_024;

    /// <summary>With less than this free on its disk nothing is recorded: others need that more.</summary>
    [Range(0, 1_048_576)]
    public int FreeMegabytes { get; set; } = 256;

    /// <summary>What of an answer or a market's message is kept; of what is longer its length and SHA-256 are told.</summary>
    [Range(256, 262_144)]
    public int AnswerBytes { get; set; } = 16_384;

    /// <summary>How many prices of a symbol are kept in a second; how many were left out is told. Closed candles are always kept.</summary>
    [Range(0, 1_000)]
    public int TicksPerSecond { get; set; } = 4;

    public static IEnumerable<ValidationResult> Check(RecordingOptions options)
    {
        if (options.Folder.AsSpan().ContainsAny('\0', '\n', '\r'))
            yield return new ValidationResult("It is no folder.", [nameof(Folder)]);
    }
}
