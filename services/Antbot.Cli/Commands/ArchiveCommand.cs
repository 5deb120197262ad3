using System.CommandLine;
using System.CommandLine.Parsing;
using Antbot.Cli.Sources;
using Antbot.EventStore.Archives;
using Antbot.Forensics;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;

namespace Antbot.Cli.Commands;

/// <summary><c>store archive</c>: old streams that are over, moved to files that prove what they hold.</summary>
internal static class ArchiveCommand
{
    private static readonly Option<DateTimeOffset?> Before = Instants.Option("--before", "What was last appended to before this time.");
    private static readonly Option<string?> OlderThan = new("--older-than") { Description = $"What was last appended to so long ago, such as 90d; {Growth.Window.TotalDays:0}d at the least." };
    private static readonly Option<string> Out = new("--out", "-o") { Description = "The folder for the files. Keep it: what is archived is there and nowhere else.", Required = true };
    private static readonly Option<bool> DryRun = new("--dry-run") { Description = "Only say what would be archived." };
    private static readonly Option<string[]> Without = new("--without") { Description = "A follower of the history that is gone for good, whose place is not waited for; may be given several times." };
    private static readonly Option<string> Reason = new("--reason") { Description = "Why, for those who read it later.", DefaultValueFactory = _ => "old streams that are over" };
    private static readonly Option<string> By = new("--by") { Description = "Who says so. Default: the user of this terminal.", DefaultValueFactory = _ => Environment.UserName };
    private static readonly Option<string?> Key = new("--public-key") { Description = "The public key (PEM) whose checkpoints count. Default: the one beside the signing key." };
    private static readonly Option<string> KeyFile = Common.KeyFile();

    public static Command Build()
    {
        var command = new Command("archive", "Moves trades, dead letters and selections that are over to files that are verified before anything is taken out of the store. Can be stopped, and goes on where it was.")
        {
            Before, OlderThan, Out, DryRun, Without, Reason, By, Key, KeyFile,
        };
        Reason.Validators.Add(result => Common.Check(result, ControlCommands.ReasonFault));
        By.Validators.Add(result => Common.Check(result, ControlCommands.OperatorFault));
        command.Validators.Add(Check);
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(parsed, create: false, store => RunAsync(parsed, store, cancellationToken), cancellationToken));
        return command;
    }

    private static void Check(CommandResult result)
    {
        if (result.GetValue(Before) is null == result.GetValue(OlderThan) is null)
            result.AddError("How old? Say --before or --older-than.");
        else if (result.GetValue(OlderThan) is { } age && Instants.Ago(age) is null)
            result.AddError($"'{age}' is no age, such as 90d.");
        else if (result.GetValue(Before) > TimeProvider.System.GetUtcNow() - Growth.Window || (result.GetValue(OlderThan) is { } young && Instants.Ago(young) < Growth.Window))
            result.AddError($"What was appended to within the last {Growth.Window.TotalDays:0} days is not archived: it may still be asked for.");
    }

    private static async Task<int> RunAsync(ParseResult parsed, IEventStore store, CancellationToken cancellationToken)
    {
        var before = parsed.GetValue(Before) ?? TimeProvider.System.GetUtcNow() - Instants.Ago(parsed.GetValue(OlderThan)!)!.Value;
        if (VerifyCommand.FindKey(parsed.GetValue(Key), parsed.GetValue(KeyFile)!) is not { } key)
            throw new CommandException("NoKey", "Which checkpoints count? There is no public key beside the signing key; name one with --public-key.");
        if (store.Ledger is not IArchivingLedger ledger)
            throw new CommandException("Invalid", "Out of this store nothing can be archived.");
        using var looking = new Progress("looking for what is wanted");
        var choice = new ArchiveChoice(store, ledger) { Looked = looked => looking.Report(looked, 0) };
        var archiver = new Archiver(store, new ArchiveFolder(parsed.GetValue(Out)!), key, choice, TimeProvider.System);
        ArchiveRun run;
        using (var progress = new Progress("archiving"))
            run = await archiver.RunAsync(new ArchiveOrder(before, parsed.GetValue(Reason)!, parsed.GetValue(By)!, parsed.GetValue(Without)!, parsed.GetValue(DryRun)), (looked, _) => progress.Report(looked, 0), cancellationToken);
        Common.Answer(parsed, run, Describe(run, parsed.GetValue(Out)!));
        return ExitCode.Done;
    }

    private static string Describe(ArchiveRun run, string folder)
    {
        var lines = new List<string>();
        lines.AddRange(run.Resumed.Concat(run.Made).Select(m => $"{m.File}: {m.Streams:N0} streams, {m.Events:N0} events, SHA-256 {m.Sha256}{(m.Kept.Count > 0 ? $"; {m.Kept.Count:N0} streams stayed, because something had come to them" : "")}"));
        lines.Add(run.DryRun
            ? $"{run.Streams:N0} streams with {run.Events:N0} events would be archived. Nothing was done."
            : $"{run.Streams:N0} streams with {run.Events:N0} events are in {run.Made.Count:N0} files in '{folder}'{(run.Resumed.Count > 0 ? $", and {run.Resumed.Count:N0} that an earlier run had begun are finished" : "")}. Keep them: the store has these events no more.");
        if (run.Unsigned > 0)
            lines.Add($"{run.Unsigned:N0} wait for a checkpoint to vouch for them; 'antbot checkpoint' makes one.");
        lines.AddRange(run.HeldBack.Select(h => $"{h.Value:N0} wait for {Tables.Plain(h.Key)}, which has not come as far; --without it, if it is gone for good."));
        return string.Join(Environment.NewLine, lines);
    }
}
