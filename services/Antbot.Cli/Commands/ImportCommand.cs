using System.CommandLine;
using Antbot.EventStore.Proof;

namespace Antbot.Cli.Commands;

internal static class ImportCommand
{
    public static Command Build()
    {
        var file = new Argument<string>("file") { Description = "The export to bring in; '-' is the standard input." };
        var command = new Command("import", "Brings an export into an empty store, keeping every number and proof. One that was broken off is finished by running it again.") { file };
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(
            parsed,
            create: true,
            async store =>
            {
                var name = parsed.GetValue(file)!;
                await using var input = name == "-" ? Console.OpenStandardInput() : File.OpenRead(name);
                ImportSummary summary;
                using (var progress = new Progress("importing"))
                    summary = await Importer.ImportAsync(store.Ledger, input, done => progress.Report(done, 0), cancellationToken);
                Common.Answer(
                    parsed,
                    summary,
                    $"Imported {summary.Imported:N0} events of store {summary.StoreId}{(summary.AlreadyThere > 0 ? $" ({summary.AlreadyThere:N0} were there already)" : "")} and {summary.Checkpoints} checkpoints.");
                return ExitCode.Done;
            },
            cancellationToken));
        return command;
    }
}
