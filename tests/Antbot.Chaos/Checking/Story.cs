using System.Globalization;
using System.Text;

namespace Antbot.Chaos.Checking;

/// <summary>What was recorded and logged of the trades that did not come to their end: all that is left of a failure elsewhere.</summary>
internal static class Story
{
    private const int TradesMax = 2;
    private const int EventsMax = 40;
    private const int LogLinesMax = 6;
    private const int LineLengthMax = 400;
    private const int LogBytesMax = 64 * 1024 * 1024;

    private static readonly string[] Streams = ["trade-", "order-"];

    public static IReadOnlyList<string> Of(Evidence evidence, string logs) =>
        [.. Checker.Unfinished(evidence).Take(TradesMax).SelectMany(t => (IEnumerable<string>)[$"of {t}:", .. EventsOf(evidence, t), .. LogsOf(logs, t)])];

    private static IEnumerable<string> EventsOf(Evidence evidence, string trade) => evidence.Store.Events
        .Where(e => Streams.Any(s => e.Stream == s + trade))
        .OrderBy(e => e.Sequence)
        .TakeLast(EventsMax)
        .Select(e => Cut(string.Create(CultureInfo.InvariantCulture, $"  {DateTime.UnixEpoch.AddMicroseconds(e.At):HH:mm:ss.fff} {e.Stream[..5]} {e.Version,3} {e.Type} {Encoding.UTF8.GetString(e.Data)}")));

    private static IEnumerable<string> LogsOf(string logs, string trade) => Directory.EnumerateFiles(logs)
        .Order(StringComparer.Ordinal)
        .Where(f => new FileInfo(f).Length <= LogBytesMax)
        .SelectMany(f => File.ReadLines(f).Where(l => l.Contains(trade, StringComparison.Ordinal)).TakeLast(LogLinesMax).Select(l => Cut($"  {Path.GetFileName(f)}: {l}")));

    private static string Cut(string line) => line.Length <= LineLengthMax ? line : line[..LineLengthMax] + "…";
}
