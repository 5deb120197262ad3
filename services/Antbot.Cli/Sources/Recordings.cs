using Antbot.Contracts;
using Antbot.Venues.Recording;

namespace Antbot.Cli.Sources;

/// <summary>Where the traffic with the venue is recorded, as far as this machine knows.</summary>
internal static class Recordings
{
    public const string Variable = "ANTBOT_RECORDING__FOLDER";
    public const string Default = ".local/recording";

    public static string Folder => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : LocalRun.Find().Recording ?? Default;

    /// <summary>How what was said with the venue of a trade is read, where anything is recorded of its time.</summary>
    public static string? Of(string trade, DateTimeOffset from, DateTimeOffset until)
    {
        var folder = Folder;
        try
        {
            return TradeId.TryParse(trade, out _) && RecordingReader.Covers(folder, from, until) ? $"Said with the venue: antbot recording --trade {trade} --folder '{folder}'" : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whoever asks for the recording itself is told.
            return null;
        }
    }
}
