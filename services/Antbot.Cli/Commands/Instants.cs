using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Antbot.Cli.Commands;

/// <summary>Times as people type them: ISO 8601, in UTC where no zone is named.</summary>
internal static class Instants
{
    public static Option<DateTimeOffset?> Option(string name, string what) => new(name)
    {
        Description = $"{what} Such as 2026-01-02T03:04:05Z; in UTC where no zone is named.",
        CustomParser = result => Parse(result.Tokens[0].Value) is { } time ? time : Fault(result),
    };

    public static DateTimeOffset? Parse(string text) =>
        text.Length is >= 8 and <= 40 && text.Contains('-', StringComparison.Ordinal) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time : null;

    private static DateTimeOffset? Fault(ArgumentResult result)
    {
        result.AddError($"'{result.Tokens[0].Value}' is no time, such as 2026-01-02T03:04:05Z.");
        return null;
    }
}
