using System.Globalization;
using System.Text.RegularExpressions;

namespace Antbot.Venues.Recording;

/// <summary>A file of a recording: an hour of a process, or a part of it. Its name says which.</summary>
/// <param name="Process">The first digits of the id that the process's own events bear.</param>
public sealed partial record RecordingFile(DateTimeOffset Hour, string Service, string Instance, string Process, int Part)
{
    private const string HourFormat = "yyyyMMdd'T'HH'Z'";
    private const int NameLengthMax = 40;

    public string Name => string.Create(CultureInfo.InvariantCulture, $"{Hour.UtcDateTime.ToString(HourFormat, CultureInfo.InvariantCulture)}.{Service}.{Instance}.{Process}.{Part:D4}.jsonl.gz");

    /// <summary>What writes one after another and never two at once.</summary>
    public string Writer => $"{Service}.{Instance}.{Process}";

    public static DateTimeOffset HourOf(DateTimeOffset time) => new(time.UtcDateTime.Date.AddHours(time.UtcDateTime.Hour), TimeSpan.Zero);

    /// <summary>As it can stand in a file's name, whatever an instance is called.</summary>
    public static string Plain(string name)
    {
        var plain = string.Concat(name.Take(NameLengthMax).Select(c => char.IsAsciiLetterOrDigit(c) || c == '-' ? c : '-'));
        return plain.Length > 0 ? plain : "-";
    }

    public static RecordingFile? Parse(string name) =>
        FileName().Match(name) is { Success: true } match
        && DateTimeOffset.TryParseExact(match.Groups["hour"].Value, HourFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var hour)
            ? new RecordingFile(hour, match.Groups["service"].Value, match.Groups["instance"].Value, match.Groups["process"].Value, int.Parse(match.Groups["part"].Value, CultureInfo.InvariantCulture))
            : null;

    /// <summary>The oldest first. What else lies there is nobody's business.</summary>
    public static IReadOnlyList<(RecordingFile File, FileInfo Info)> List(string folder) =>
    [
        .. new DirectoryInfo(folder).EnumerateFiles("*.jsonl.gz").Select(info => (File: Parse(info.Name)!, Info: info)).Where(f => f.File is not null)
            .OrderBy(f => f.File.Hour).ThenBy(f => f.Info.LastWriteTimeUtc).ThenBy(f => f.File.Name, StringComparer.Ordinal),
    ];

    [GeneratedRegex(@"^(?<hour>[0-9]{8}T[0-9]{2}Z)\.(?<service>[A-Za-z0-9-]{1,40})\.(?<instance>[A-Za-z0-9-]{1,40})\.(?<process>[0-9a-f]{8})\.(?<part>[0-9]{4})\.jsonl\.gz$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FileName();
}
