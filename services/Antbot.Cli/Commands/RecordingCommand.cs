using System.CommandLine;
using System.Globalization;
using Antbot.Cli.Sources;
using Antbot.Venues.Recording;
using Symbol = Antbot.Contracts.Symbol;

namespace Antbot.Cli.Commands;

/// <summary>The recorded traffic with the venue.</summary>
internal static class RecordingCommand
{
    private const int ShownMax = 400;
    private const int TradeDigitsMin = 4;

    private static readonly Option<DateTimeOffset?> From = Instants.Option("--from", "Recorded at this time or later.");
    private static readonly Option<DateTimeOffset?> Until = Instants.Option("--to", "Recorded at this time or earlier.");
    private static readonly Option<string?> Trade = new("--trade") { Description = $"What was said of this trade's orders; the first {TradeDigitsMin} digits or more of its id will do." };
    private static readonly Option<string?> Order = new("--order") { Description = "What was said of the order with this client's id." };
    private static readonly Option<string?> OfSymbol = new("--symbol") { Description = "What was said of this symbol, its prices among it." };
    private static readonly Option<string?> Folder = new("--folder") { Description = $"Where the recording lies. Default: the variable {Recordings.Variable}, else what runs here says, else {Recordings.Default}." };
    private static readonly Option<int> Limit = new("--limit", "-n") { Description = $"How many records a page has, 1 to {RecordingQuery.LimitMax}.", DefaultValueFactory = _ => 50 };
    private static readonly Option<string?> After = new("--after") { Description = "Go on after this, which the page before names." };

    public static Command Build()
    {
        Trade.Validators.Add(result => Common.Check(result, text => text.Length is >= TradeDigitsMin and <= 32 && text.All(char.IsAsciiHexDigitLower) ? null : $"A trade id has 32 small hexadecimal digits; {TradeDigitsMin} at its beginning will do."));
        OfSymbol.Validators.Add(result => Common.Check(result, Symbol.Fault));
        Order.Validators.Add(result => Common.Check(result, Contracts.ClientOrderId.Fault));
        var command = new Command("recording", "The recorded traffic with the venue, the oldest first: every request with its answer, and what the market said. What is missing or damaged is told.") { From, Until, Trade, Order, OfSymbol, Folder, Limit, After };
        command.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, () => Task.FromResult(Show(parsed, cancellationToken))));
        return command;
    }

    private static int Show(ParseResult parsed, CancellationToken cancellationToken)
    {
        var query = new RecordingQuery(parsed.GetValue(From), parsed.GetValue(Until), parsed.GetValue(Trade), parsed.GetValue(Order), parsed.GetValue(OfSymbol), parsed.GetValue(After), parsed.GetValue(Limit));
        if (query.Fault is { } fault)
            throw new CommandException("Usage", fault, ExitCode.Usage);
        var page = Read(parsed.GetValue(Folder) ?? Recordings.Folder, query, cancellationToken);
        var exitCode = page.Records.Count > 0 ? ExitCode.Done : ExitCode.NotFound;
        if (Common.AnswerJson(parsed, page))
            return exitCode;
        foreach (var one in page.Records)
            Write(one);
        foreach (var notice in page.Notices)
            Console.Error.WriteLine($"antbot: {Tables.Plain(notice)}");
        if (page.Records.Count == 0)
            Console.Out.WriteLine("Nothing is recorded of it.");
        if (page.Next is { } next)
            Console.Out.WriteLine($"More: the same with --after {next}");
        return exitCode;
    }

    private static RecordingPage Read(string folder, RecordingQuery query, CancellationToken cancellationToken)
    {
        try
        {
            return new RecordingReader(folder).Read(query, cancellationToken);
        }
        catch (DirectoryNotFoundException)
        {
            throw new CommandException("NotFound", $"There is no folder '{folder}'. Say --folder with the one that the services record into.", ExitCode.NotFound);
        }
        catch (ArgumentException e)
        {
            throw new CommandException("Usage", e.Message, ExitCode.Usage, e);
        }
    }

    private static void Write(RecordedTraffic one)
    {
        var (r, out_) = (one.Record, Console.Out);
        var what = r.Kind switch
        {
            TrafficKind.Asked => $"{r.Route}: {r.Method} {r.Path}, {(r.Status is { } status ? $"status {status}" : "no answer")} after {r.Microseconds.GetValueOrDefault() / 1_000.0:0.0} ms, {r.Outcome}{(r.Order is null ? "" : $" [order {r.Order}]")}",
            TrafficKind.Heard => $"heard on {r.Stream}{(r.LeftOut > 0 ? $" ({r.LeftOut} before it were left out)" : "")}",
            TrafficKind.Stream => $"stream {r.Stream}: {r.Text}",
            TrafficKind.Missing => $"MISSING: {r.Text}",
            TrafficKind.Began => $"begins: {r.Text}",
            _ => "ended in order",
        };
        out_.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{r.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff}  {Tables.Plain($"{one.Service}/{one.Instance}  {what}")}"));
        if (r.Parameters is { Length: > 0 } parameters)
            out_.WriteLine($"    → {Cut(parameters, parameters.Length)}");
        if (r.Body is { } body)
            out_.WriteLine($"    ← {Cut(body.Text, body.Length)}{(body.Sha256 is { } hash ? $" (cut; SHA-256 of all: {Tables.Plain(hash)})" : "")}");
    }

    private static string Cut(string text, long length) => Tables.Plain(text.Length <= ShownMax ? text : $"{text[..ShownMax]}… (of {length:N0} bytes; --json tells what was kept)");
}
