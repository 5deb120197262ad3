using System.CommandLine;
using Antbot.EventStore.Proof;

namespace Antbot.Cli.Commands;

internal static class ExportCommand
{
    public static Command Build()
    {
        var output = new Option<string>("--out", "-o") { Description = "The file to write; '-' is the standard output. An existing file is not overwritten.", Required = true };
        var command = new Command("export", "Writes the whole history as JSON lines, with every number and proof, for another store or an offline verification.") { output };
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(
            parsed,
            create: false,
            async store =>
            {
                var file = parsed.GetValue(output)!;
                var summary = file == "-"
                    ? await Exporter.ExportAsync(store.Ledger, Console.OpenStandardOutput(), cancellationToken: cancellationToken)
                    : await ToFileAsync(store.Ledger, file, cancellationToken);
                if (file != "-")
                    Common.Answer(parsed, summary, $"Exported {summary.Events:N0} events of store {summary.StoreId} and {summary.Checkpoints} checkpoints to '{file}'.");
                if (summary.UnsealedLeftOut)
                    Console.Error.WriteLine("antbot: events that nobody has sealed yet were left out; 'antbot seal' adopts them.");
                return ExitCode.Done;
            },
            cancellationToken));
        return command;
    }

    /// <summary>Under its name there is only ever a whole export.</summary>
    private static async Task<ExportSummary> ToFileAsync(Runtime.Store.ILedger ledger, string file, CancellationToken cancellationToken)
    {
        if (File.Exists(file))
            throw new IOException($"'{file}' is there already and an export overwrites nothing; choose another name.");
        var aside = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            ExportSummary summary;
            using (var progress = new Progress("exporting"))
            {
                await using var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20);
                summary = await Exporter.ExportAsync(ledger, stream, progress.Report, cancellationToken);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, file, overwrite: false);
            return summary;
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
