using System.CommandLine;
using Antbot.Forensics;

namespace Antbot.Cli.Commands;

/// <summary>What would come of dead letters, told before they are sent.</summary>
internal static class DlqForesight
{
    private const int LettersShown = 20;
    private const int MovedShown = 5;

    public static Option<bool> DryRun(string what) => new("--dry-run") { Description = what };

    /// <summary>Ends with 0 where of every letter it is told what would come of it, and of all of that.</summary>
    public static async Task<int> TellAsync(ParseResult parsed, IAsyncEnumerable<ForesightLine> lines, CancellationToken cancellationToken)
    {
        var letters = new List<ForeseenLetter>();
        ForesightSum? sum = null;
        using (var progress = new Progress("foreseeing"))
        {
            await foreach (var line in lines.WithCancellation(cancellationToken))
            {
                if (line.Letter is { } letter)
                    letters.Add(letter);
                sum = line.Sum ?? sum;
                progress.Report(letters.Count, line.Selected);
            }
        }
        if (sum is null)
            throw new Sources.CommandException("Incomplete", "The answer broke off before its end.", ExitCode.Incomplete);
        if (!Common.AnswerJson(parsed, new { Letters = letters, Sum = sum }))
            Show(Console.Out, letters, sum);
        return sum.IsWhole ? ExitCode.Done : ExitCode.Incomplete;
    }

    private static void Show(TextWriter to, List<ForeseenLetter> letters, ForesightSum sum)
    {
        foreach (var letter in letters.Take(LettersShown))
            Show(to, letter);
        if (letters.Count > LettersShown)
            to.WriteLine($"and {letters.Count - LettersShown} letters more: --json tells them all");
        to.WriteLine($"If they were sent now (after event {sum.Sequence}): {sum.Selected} letters, {Counts(sum.Outcomes)}; wishes to enter for {sum.Notional?.ToString() ?? "nobody knows how much"}; of {sum.Moved} the state has moved since they failed.");
        to.WriteLine($"  events: {Counts(sum.Events)}");
        to.WriteLine($"  messages: {Counts(sum.Messages)}");
        if (sum.Left.Length > 0)
            to.WriteLine($"  of {sum.Selected - sum.Letters} letters it is not told: {sum.Left}");
        to.WriteLine("Nothing was recorded, and nothing was sent.");
    }

    private static void Show(TextWriter to, ForeseenLetter letter)
    {
        var foreseen = letter.Foreseen;
        to.WriteLine($"{letter.Letter:N} {Tables.Plain(letter.MessageType)} to {Tables.Plain(letter.Endpoint)}: {foreseen.Outcome}{(foreseen.Why.Length > 0 ? $": {Tables.Plain(foreseen.Why)}" : "")}");
        if (foreseen.Stream.Length > 0)
        {
            var moved = foreseen.Moved;
            var between = string.Join(", ", moved.Between.Take(MovedShown).Select(e => $"{e.Type} #{e.Sequence}"));
            to.WriteLine(moved.Events == 0
                ? $"  {foreseen.Stream} stands where it stood when it failed, at version {moved.NowVersion}"
                : $"  {foreseen.Stream} was at version {moved.ThenVersion} (event {moved.ThenSequence}) when it failed and is at {moved.NowVersion} (event {moved.NowSequence}): {between}{(moved.Events > MovedShown ? $" and {moved.Events - MovedShown} more" : "")}");
        }
        if (letter.Notional is not { Value: 0 })
            to.WriteLine($"  wishes to enter for {letter.Notional?.ToString() ?? "nobody knows how much"}");
        foreach (var e in foreseen.Events)
            to.WriteLine($"  event {e.Type}");
        foreach (var word in foreseen.Messages)
            to.WriteLine($"  message {word.Type} to {word.Endpoint}");
        if (foreseen.Settings.Length > 0 && foreseen.Settings != Terms.Here)
            to.WriteLine($"  settings: {foreseen.Settings}");
    }

    private static string Counts<T>(IReadOnlyDictionary<T, int> counts) => counts.Count == 0 ? "none" : string.Join(", ", counts.Select(c => $"{c.Value} {c.Key}"));
}
