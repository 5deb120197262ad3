using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Antbot.Forensics;

namespace Antbot.Cli.Commands;

/// <summary>Times as people type them: ISO 8601, in UTC where no zone is named.</summary>
internal static class Instants
{
    public static Option<DateTimeOffset?> Option(string name, string what) => new(name)
    {
        Description = $"{what} Such as 2026-01-02T03:04:05Z; in UTC where no zone is named.",
        CustomParser = result => Moment.TryTime(result.Tokens[0].Value, out var time) ? time : Fault(result),
    };

    /// <summary>The same, or so long ago: <c>90s</c>, <c>15m</c>, <c>1h</c>, <c>7d</c>.</summary>
    public static Option<DateTimeOffset?> OrAgo(string name, string what) => new(name)
    {
        Description = $"{what} A time such as 2026-01-02T03:04:05Z (in UTC where no zone is named), or so long ago: 90s, 15m, 1h, 7d.",
        CustomParser = result => Ago(result.Tokens[0].Value) is { } ago ? TimeProvider.System.GetUtcNow() - ago : Moment.TryTime(result.Tokens[0].Value, out var time) ? time : Fault(result),
    };

    /// <summary>So long as <c>90s</c>, <c>15m</c>, <c>1h</c> or <c>7d</c> is; null where a text says nothing of the kind.</summary>
    public static TimeSpan? Ago(string text)
    {
        if (text.Length is < 2 or > 6 || !int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out var count))
            return null;
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(count),
            'm' => TimeSpan.FromMinutes(count),
            'h' => TimeSpan.FromHours(count),
            // More days than that, and it would lie before all history.
            'd' when count <= 10_000 => TimeSpan.FromDays(count),
            _ => null,
        };
    }

    private static DateTimeOffset? Fault(ArgumentResult result)
    {
        result.AddError($"'{result.Tokens[0].Value}' is no time, such as 2026-01-02T03:04:05Z.");
        return null;
    }
}
