using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Forensics;
using Spectre.Console;
using Symbol = Antbot.Contracts.Symbol;

namespace Antbot.Cli.Commands;

/// <summary>From any id, or a symbol and a time, or somebody and a period, to the whole causal chain.</summary>
internal static class TraceCommand
{
    private const int WholeMax = 20;
    private const int AroundMax = 86_400;

    private static readonly Argument<string?> Id = new("id")
    {
        Description = "Of a trade (or its first 4 digits or more), an order (the client's id or the venue's), a message, a dead letter, an operator's request; or #12345, the sequence of an event.",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<TraceKind[]> Kind = new("--kind") { Description = $"What the id is the id of: {string.Join(", ", Enum.GetNames<TraceKind>().Select(n => n.ToLowerInvariant()))}. Whatever it may be where none is said.", CustomParser = Common.Words<TraceKind> };
    private static readonly Option<string?> OfSymbol = new("--symbol") { Description = "The trades that were going on in a symbol: with --at, or --since and --until." };
    private static readonly Option<string?> Actor = new("--actor") { Description = "What somebody did, such as operator:anna or service:risk: with --at, or --since and --until." };
    private static readonly Option<DateTimeOffset?> At = Instants.Option("--at", "Within --around seconds of this time.");
    private static readonly Option<int> Around = new("--around") { Description = "Seconds before and after --at, 0 to 86400.", DefaultValueFactory = _ => 60 };
    private static readonly Option<DateTimeOffset?> Since = Instants.Option("--since", "Recorded at this time or later.");
    private static readonly Option<DateTimeOffset?> Until = Instants.Option("--until", "Recorded at this time or earlier; now where none is said.");
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = $"How many things a selection tells, 1 to {TraceSelection.LimitMax}.", DefaultValueFactory = _ => 50 };
    private static readonly Option<string?> After = new("--after") { Description = "Go on after this, which the page before names." };
    private static readonly Option<bool> Whole = new("--whole") { Description = $"Tell the chain of each thing that is selected, of {WholeMax} at most." };

    public static Command Build()
    {
        var command = new Command("trace", "The whole causal chain of anything: what each event followed from, who decided, why, on what and with which build and settings. What is missing is named.")
        {
            Id, Kind, OfSymbol, Actor, At, Around, Since, Until, Limit, After, Whole, SourceOptions.Bundle, Common.Archives,
        };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, source =>
            FaultOf(parsed) is { } fault ? throw new CommandException("Usage", fault, ExitCode.Usage)
            : parsed.GetValue(Id) is { } id ? TraceAsync(parsed, source, id, cancellationToken)
            : SelectAsync(parsed, source, cancellationToken)));
        return command;
    }

    private static string? FaultOf(ParseResult parsed)
    {
        var selects = parsed.GetValue(OfSymbol) is not null || parsed.GetValue(Actor) is not null;
        if (parsed.GetValue(Id) is { } id)
            return selects ? "An id and a selection (--symbol, --actor) exclude one another." : Tracer.Fault(id, KindOf(parsed));
        return !selects ? "An id is wanted, or --symbol or --actor with a time."
            : parsed.GetValue(At) is null == parsed.GetValue(Since) is null ? "When? Say --at, or --since and --until."
            : parsed.GetValue(OfSymbol) is { } symbol && Symbol.Fault(symbol) is { } none ? none
            : parsed.GetValue(Around) is < 0 or > AroundMax ? $"--around is 0 to {AroundMax} seconds."
            : parsed.GetValue(At) is { } at && TraceSelection.OutOfRange(at) ? "A time lies between 1970 and 9999."
            : SelectionOf(parsed).Fault;
    }

    private static TraceKind? KindOf(ParseResult parsed) => parsed.GetValue(Kind) is [var kind] ? kind : null;

    private static TraceSelection SelectionOf(ParseResult parsed)
    {
        var around = TimeSpan.FromSeconds(parsed.GetValue(Around));
        var (since, until) = parsed.GetValue(At) is { } at ? (at - DateTimeOffset.UnixEpoch < around ? DateTimeOffset.UnixEpoch : at - around, at + around) : (parsed.GetValue(Since)!.Value, parsed.GetValue(Until) ?? TimeProvider.System.GetUtcNow());
        return new TraceSelection(since, until, parsed.GetValue(OfSymbol), parsed.GetValue(Actor), parsed.GetValue(After), parsed.GetValue(Limit));
    }

    private static async Task<int> TraceAsync(ParseResult parsed, ISource source, string id, CancellationToken cancellationToken)
    {
        var trace = await source.TraceAsync(id, KindOf(parsed), cancellationToken);
        if (!Common.AnswerJson(parsed, trace))
            TraceText.Show(Console.Out, trace);
        return trace.IsWhole ? ExitCode.Done : ExitCode.Incomplete;
    }

    private static async Task<int> SelectAsync(ParseResult parsed, ISource source, CancellationToken cancellationToken)
    {
        var page = await PageAsync(source, SelectionOf(parsed), cancellationToken);
        var traces = new List<Trace>();
        foreach (var subject in page.Subjects.Take(parsed.GetValue(Whole) ? WholeMax : 0))
            traces.Add(await source.TraceAsync(subject.Target.Id, subject.Target.Kind, cancellationToken));
        var exitCode = page.Subjects.Count == 0 && page.Next is null ? ExitCode.NotFound : traces.TrueForAll(t => t.IsWhole) ? ExitCode.Done : ExitCode.Incomplete;
        if (parsed.GetValue(Whole) ? Common.AnswerJson(parsed, new TracedPage(page, traces)) : Common.AnswerJson(parsed, page))
            return exitCode;
        Show(page);
        foreach (var trace in traces)
        {
            Console.Out.WriteLine();
            TraceText.Show(Console.Out, trace);
        }
        return exitCode;
    }

    /// <summary>A page ends where enough was read, with nothing found it may be: one that is worth showing, or the end.</summary>
    private static async Task<TracePage> PageAsync(ISource source, TraceSelection selection, CancellationToken cancellationToken)
    {
        using var progress = new Progress("read up to sequence");
        var page = await source.TracesAsync(selection, cancellationToken);
        while (page is { Subjects.Count: 0, Next: { } next })
        {
            progress.Report(long.Parse(next, System.Globalization.CultureInfo.InvariantCulture), 0);
            page = await source.TracesAsync(selection with { After = next }, cancellationToken);
        }
        return page;
    }

    private static void Show(TracePage page)
    {
        if (page.Subjects.Count == 0)
            Console.Out.WriteLine("Nothing was recorded of it.");
        else
        {
            var table = Tables.New("what", "id", "from", "until", "events", "which");
            foreach (var s in page.Subjects)
            {
                string[] cells =
                [
                    s.Target.Kind.ToString(), s.Target.Id, Tables.Time(s.First), Tables.Time(s.Last), $"{s.Events}", Tables.Plain($"{string.Join(' ', s.What.Take(3))}{(s.What.Count > 3 ? " …" : "")}"),
                ];
                table.AddRow([.. cells.Select(Markup.Escape)]);
            }
            Tables.Write(table);
        }
        if (page.Next is { } more)
            Console.Out.WriteLine($"More: the same with --after {more}");
    }

    private sealed record TracedPage(TracePage Page, IReadOnlyList<Trace> Traces);
}
