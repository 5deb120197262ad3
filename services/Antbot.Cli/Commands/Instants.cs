using System.CommandLine;
using System.CommandLine.Parsing;
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

    private static DateTimeOffset? Fault(ArgumentResult result)
    {
        result.AddError($"'{result.Tokens[0].Value}' is no time, such as 2026-01-02T03:04:05Z.");
        return null;
    }
}
