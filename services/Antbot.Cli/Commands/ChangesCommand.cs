using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Incidents.Changes;

namespace Antbot.Cli.Commands;

/// <summary>What changed in a period: what whoever looks into a failure asks first.</summary>
internal static class ChangesCommand
{
    public static Command Build()
    {
        var since = Instants.OrAgo("--since", "What changed at this time or later.");
        since.Required = true;
        var until = Instants.OrAgo("--until", "What changed at this time or earlier; now where none is said.");
        var limit = new Option<int>("--limit", "-n") { Description = $"How many, 1 to {ChangeSelection.LimitMax}.", DefaultValueFactory = _ => 100 };
        var after = new Option<string?>("--after") { Description = "Go on after this, which the page before names." };
        var command = new Command("changes", "What changed in a period, in one list: services that began with other code or other settings, control, and what people had done; who, when, what and why. What could not be read is named.") { since, until, limit, after, SourceOptions.Bundle, Common.Archives };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var selection = new ChangeSelection(parsed.GetValue(since)!.Value, parsed.GetValue(until) ?? TimeProvider.System.GetUtcNow(), parsed.GetValue(after), parsed.GetValue(limit));
            if (selection.Fault is { } fault)
                throw new CommandException("Usage", fault, ExitCode.Usage);
            var page = await PageAsync(source, selection, cancellationToken);
            if (!Common.AnswerJson(parsed, page))
                Show(page);
            return ExitCode.Done;
        }));
        return command;
    }

    /// <summary>A page ends where enough was looked at, with nothing found it may be: one that is worth showing, or the end.</summary>
    private static async Task<ChangePage> PageAsync(ISource source, ChangeSelection selection, CancellationToken cancellationToken)
    {
        using var progress = new Progress("read up to sequence");
        var page = await source.ChangesAsync(selection, cancellationToken);
        while (page is { Changes.Count: 0, Next: { } next })
        {
            progress.Report(long.Parse(next, System.Globalization.CultureInfo.InvariantCulture), 0);
            page = await source.ChangesAsync(selection with { After = next }, cancellationToken);
        }
        return page;
    }

    private static void Show(ChangePage page)
    {
        if (page.Changes.Count == 0)
            Console.Out.WriteLine("Nothing changed.");
        foreach (var c in page.Changes)
        {
            Console.Out.WriteLine($"{c.At.UtcDateTime:yyyy-MM-dd HH:mm:ss} {c.Kind,-13} {Tables.Plain(c.Subject)}  {Tables.Plain(c.By)}");
            Console.Out.WriteLine($"{StoryText.Indent}{Tables.Plain(c.What)}{(c.Withheld ? " (what it says is for others to see)" : c.Why.Length > 0 ? $" · {Tables.Plain(c.Why)}" : "")}");
        }
        foreach (var gap in page.Gaps)
            Console.Out.WriteLine($"Not read: {Tables.Plain(gap)}");
        if (page.Next is { } next)
            Console.Out.WriteLine($"More: the same with --after {next}");
    }
}
