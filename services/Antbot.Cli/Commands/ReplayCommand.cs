using System.CommandLine;
using System.Diagnostics;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.EventStore;
using Antbot.EventStore.Proof;
using Antbot.Forensics;
using Antbot.Incidents.Bundles;
using Spectre.Console;

namespace Antbot.Cli.Commands;

internal static class ReplayCommand
{
    private const int DifferencesMax = 100_000;

    /// <param name="Seconds">How long it took.</param>
    private sealed record Answer(string Of, double Seconds, RedecisionReport Report);

    public static Command Build()
    {
        var export = new Option<string?>("--export") { Description = "Decide again what is in this export instead of a store; needs nothing else. '-' reads the standard input." };
        var with = new Option<string?>("--with") { Description = "As if the settings had been these: a JSON file with parts of Risk, Validation and Execution, such as {\"Risk\": {\"OrderNotionalMax\": 250}}." };
        var stream = new Option<string?>("--stream") { Description = "Only the decisions in this stream, such as account-main." };
        var service = new Option<string?>("--service") { Description = $"Only this service's: {string.Join(", ", StreamKinds.All.Select(k => k.Service))}." };
        var trade = new Option<string?>("--trade") { Description = "Only those about the trade with this id." };
        var since = Instants.Option("--since", "Only those made at or after this time.");
        var until = Instants.Option("--until", "Only those made at or before this time.");
        var limit = new Option<int>("--limit", "-n") { Description = "How many differences are told; all are counted.", DefaultValueFactory = _ => 100 };
        service.AcceptOnlyFromAmong([.. StreamKinds.All.Select(k => k.Service)]);
        stream.Validators.Add(result => Common.Check(result, StreamId.Fault));
        trade.Validators.Add(result => Common.Check(result, TradeId.Fault));
        limit.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > DifferencesMax)
                result.AddError($"--limit is 0 to {DifferencesMax}.");
        });
        var command = new Command("replay", "Makes every recorded decision again with what it was made on, and tells those that would be made otherwise now. Exit code 7 where there are any.")
        {
            export, SourceOptions.Bundle, with, stream, service, trade, since, until, limit, Common.Archives,
        };
        command.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, async () =>
        {
            var options = new RedecisionOptions
            {
                With = parsed.GetValue(with) is { } file ? Read(file) : Overrides.None, Stream = parsed.GetValue(stream), Service = parsed.GetValue(service), Trade = parsed.GetValue(trade),
                Since = parsed.GetValue(since), Until = parsed.GetValue(until), DifferencesMax = parsed.GetValue(limit),
            };
            var began = Stopwatch.GetTimestamp();
            var (of, report) = parsed.GetValue(export) is { } exported ? await OfExportAsync(exported, options, cancellationToken)
                : parsed.GetValue(SourceOptions.Bundle) is { } bundle ? await OfBundleAsync(bundle, options, cancellationToken)
                : await OfStoreAsync(parsed, options, cancellationToken);
            if (options.IsNarrowed && report is { Decisions: 0, Stopped: false })
                throw new CommandException("NotFound", $"None of the decisions in {of} is what was asked for; {report.Events:N0} events were read.", ExitCode.NotFound);
            var answer = new Answer(of, Math.Round(Stopwatch.GetElapsedTime(began).TotalSeconds, 3), report);
            if (!Common.AnswerJson(parsed, answer))
                Show(answer, options);
            return report.Stopped ? ExitCode.Stopped : report.Different > 0 ? ExitCode.Different : ExitCode.Done;
        }));
        return command;
    }

    private static async Task<(string, RedecisionReport)> OfStoreAsync(ParseResult parsed, RedecisionOptions options, CancellationToken cancellationToken)
    {
        var address = Common.AddressOfStore(parsed);
        await using var store = await Common.OpenHistoryAsync(address, Common.ArchiveFolderOf(parsed), cancellationToken);
        var all = (await store.Ledger.ReadHeadAsync(cancellationToken)).Position;
        using var progress = new Progress("deciding again");
        return (StoreAddress.Describe(address), await Redecision.RunAsync(HistoryPages.Of(store, cancellationToken), options, done => progress.Report(done, all), cancellationToken));
    }

    private static async Task<(string, RedecisionReport)> OfExportAsync(string file, RedecisionOptions options, CancellationToken cancellationToken)
    {
        await using var input = file == "-" ? Console.OpenStandardInput() : File.OpenRead(file);
        using var progress = new Progress("deciding again");
        var report = await Redecision.RunAsync(new ExportReader(input).ReadPagesAsync(HistoryPages.Size, cancellationToken), options, done => progress.Report(done, 0), cancellationToken);
        return (file == "-" ? "the standard input" : $"export '{file}'", report);
    }

    private static async Task<(string, RedecisionReport)> OfBundleAsync(string file, RedecisionOptions options, CancellationToken cancellationToken)
    {
        using var bundle = BundleReader.Open(file);
        await using var store = await BundleStore.OpenAsync(bundle, cancellationToken);
        using var progress = new Progress("deciding again");
        return ($"bundle '{file}'", await Redecision.RunAsync(store.PagesAsync(HistoryPages.Size), options, done => progress.Report(done, 0), cancellationToken));
    }

    private static Overrides Read(string file)
    {
        try
        {
            return Overrides.Parse(File.ReadAllBytes(file));
        }
        catch (FormatException e)
        {
            throw new CommandException("Usage", $"'{file}' cannot be taken for settings. {e.Message}", ExitCode.Usage, e);
        }
    }

    private static void Show(Answer answer, RedecisionOptions options)
    {
        var (report, out_) = (answer.Report, Console.Out);
        var table = Tables.New("service", "decisions", "different", "cannot be decided again");
        foreach (var s in report.Services)
            table.AddRow(s.Service, $"{s.Decisions:N0}", $"{s.Different:N0}", $"{s.Impossible:N0}");
        Tables.Write(table);
        foreach (var reason in report.Reasons)
            out_.WriteLine($"{reason.Decisions:N0} of {reason.Service} cannot be decided again. {Tables.Plain(reason.Reason)} (The first: {Tables.Plain(reason.First)}.)");
        foreach (var d in report.Differences)
            Show(d);
        if (report.Differences.Count < report.Different)
            out_.WriteLine($"These are the first {report.Differences.Count:N0}; --limit tells more.");
        var rate = report.Decisions / Math.Max(0.001, answer.Seconds);
        out_.WriteLine($"{(report.Stopped ? "STOPPED. " : "")}{report.Decisions - report.Impossible:N0} decisions of {answer.Of} were made again in {answer.Seconds:0.0} s ({rate:N0} a second); {report.Others:N0} of {report.Events:N0} events are none.");
        out_.WriteLine(report.Different == 0
            ? $"None would be made otherwise {(options.With.Any ? "with these settings" : "by this build")}."
            : $"{report.Different:N0} WOULD BE MADE OTHERWISE {(options.With.Any ? "with these settings" : "by this build")}, of {report.AtStake.Trades:N0} trades with a notional of {report.AtStake.Notional:0.##} and a result of {report.AtStake.Realised:+0.00;-0.00;0.00}.");
    }

    private static void Show(Redecided d)
    {
        var out_ = Console.Out;
        var stake = d.Stake is { } s ? $"  trade {s.Trade[..12]}, notional {s.Notional:0.##}{(s.Realised is { } won ? $", P&L {won:+0.00;-0.00;0.00}" : "")}" : "";
        out_.WriteLine($"#{d.Sequence} {d.At.UtcDateTime:yyyy-MM-dd HH:mm:ss.ffffff} {d.Service} on {d.Input}, {d.Stream} v{d.Version}{stake}");
        out_.WriteLine($"    was {Names(d.Was)}");
        out_.WriteLine($"    is  {(d.Refusal is { } refusal ? $"refused: {Tables.Plain(refusal)}" : d.Is.Count == 0 ? "nothing" : Names(d.Is))}");
        foreach (var change in d.Changes)
            out_.WriteLine($"        {Tables.Plain(change)}");
    }

    private static string Names(IReadOnlyList<NamedEvent> events) => string.Join(", ", events.Select(e => e.Type.Replace('_', ' ')));
}
