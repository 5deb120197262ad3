using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.ReadModels;
using Spectre.Console;

namespace Antbot.Cli.Commands;

internal static class ReconcileCommand
{
    public static Command Build()
    {
        var account = new Option<string>("--account") { Description = "Whose account.", DefaultValueFactory = _ => "main" };
        var explain = new Option<bool>("--explain") { Description = "With each difference its cause, the venue's own words, and what was done about it." };
        account.Validators.Add(result => Common.Check(result, AccountId.Fault));
        var command = new Command("reconcile", $"""
            How an account stands beside the venue: every difference that is open, and the last that were settled.

            Reconciliation holds the two together all the time; this shows what it found. With --json it is the last thousand that were settled, and how many there were before them.
            Exit code {ExitCode.Failed} where a difference is open or the venue is not heard.
            """) { account, explain };
        command.SetAction((parsed, cancellationToken) => SourceOptions.WithSourceAsync(parsed, async source =>
        {
            var report = await source.ReconciliationAsync(new AccountId(parsed.GetValue(account)!), whole: parsed.GetValue(Common.Json), cancellationToken);
            if (!Common.AnswerJson(parsed, report))
                Show(report, parsed.GetValue(explain));
            return report.Open.Count == 0 && report.UnheardSince is null ? ExitCode.Done : ExitCode.Failed;
        }));
        return command;
    }

    private static void Show(ReconciliationReport report, bool explain)
    {
        Console.Out.WriteLine(report switch
        {
            { UnheardSince: { } since } => $"{report.Account}: the venue has not been heard since {since:u}: {Tables.Plain(report.Trouble ?? "")}",
            { StartedAt: { } started } => $"{report.Account}: last found reconciled after a start at {started:u}; {Count(report.Open.Count)} open.",
            _ => $"{report.Account}: the first look at the whole account is not complete; {Count(report.Open.Count)} open.",
        });
        if (report.Uncompared is { } why)
            Console.Out.WriteLine($"At that start not all balances were compared: {Tables.Plain(why)}.");
        foreach (var (asset, amount) in report.Unprotected ?? [])
            Console.Out.WriteLine($"{amount} {Tables.Plain(asset)} lay there when the account was first looked at. No trade explains that and no stop of ours protects it: it was taken for its owner's own.");
        if (explain)
            Explain(report);
        else
            List(report);
        if (report.MoreSettled > 0)
            Console.Out.WriteLine($"{report.MoreSettled} more were settled before these: antbot reconcile --json");
    }

    private static void List(ReconciliationReport report)
    {
        if (report.Open.Count + report.Settled.Count == 0)
            return;
        var table = Tables.New("found", "settled", "kind", "subject", "what");
        foreach (var d in report.Open.Concat(report.Settled))
        {
            string[] cells = [Tables.Time(d.FoundAt), d.SettledAt is { } at ? Tables.Time(at) : "open", d.Kind.ToString(), d.Subject, Tables.Plain(d.What.Length > 90 ? $"{d.What[..89]}…" : d.What)];
            table.AddRow([.. cells.Select(Markup.Escape)]);
        }
        Tables.Write(table);
        Console.Out.WriteLine("Why, and what was done: antbot reconcile --explain");
    }

    private static void Explain(ReconciliationReport report)
    {
        foreach (var d in report.Open.Concat(report.Settled))
        {
            Console.Out.WriteLine();
            Console.Out.WriteLine($"{d.Kind} {d.Subject}: {Tables.Plain(d.What)}");
            Console.Out.WriteLine($"  found    {d.FoundAt:u}, {(d.SettledAt is { } at ? $"settled {(at - d.FoundAt).TotalSeconds:0.0} s later" : "still open")}");
            if (d.Trade is { } trade)
                Console.Out.WriteLine($"  trade    {trade}");
            Console.Out.WriteLine($"  cause    {d.Cause}");
            if (d.Evidence.Length > 0)
                Console.Out.WriteLine($"  venue    {Tables.Plain(d.Evidence)}");
            foreach (var correction in d.Corrections)
                Console.Out.WriteLine($"  done     {Tables.Plain(correction)}");
            if (d.Corrections.Count == 0)
                Console.Out.WriteLine("  done     nothing yet");
            if (d.MoreCorrections > 0)
                Console.Out.WriteLine($"  done     {d.MoreCorrections} more: antbot reconcile --json");
        }
    }

    private static string Count(int open) => open == 1 ? "1 difference" : $"{open} differences";
}
