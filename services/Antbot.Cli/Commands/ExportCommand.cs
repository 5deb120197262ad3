using System.CommandLine;
using System.Globalization;
using Antbot.Cli.Sources;
using Antbot.Contracts;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Cli.Commands;

internal static class ExportCommand
{
    public static Command Build()
    {
        var output = new Option<string>("--out", "-o") { Description = "The file to write; '-' is the standard output. An existing file is not overwritten.", Required = true };
        var trade = Some("--trade", "This trade's events alone, of all streams; may be given several times.", TradeId.Fault);
        var stream = Some("--stream", "This stream's events alone, such as account-main.", StreamId.Fault);
        var sequence = Some("--sequence", "The event with this sequence alone.", text => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number > 0 ? null : "A sequence is a whole number above zero.");
        var command = new Command("export", "Writes the whole history as JSON lines, with every number and proof, for another store or an offline verification; or an excerpt: some events, and the proof that a signed checkpoint vouches for each.") { output, trade, stream, sequence };
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(
            parsed,
            create: false,
            async store =>
            {
                var file = parsed.GetValue(output)!;
                var (trades, streams, sequences) = (parsed.GetValue(trade)!, parsed.GetValue(stream)!, parsed.GetValue(sequence)!);
                if (trades.Length + streams.Length + sequences.Length > 0)
                {
                    var found = await FindAsync(store, trades, streams, sequences, cancellationToken);
                    // A stream that goes on always has some that nothing signed vouches for yet.
                    var signed = (await store.Ledger.ReadCheckpointsAsync(cancellationToken)).Select(c => c.Position).DefaultIfEmpty().Max();
                    var positions = sequences.Length > 0 || found.All(p => p > signed) ? found : found.Where(p => p <= signed).ToHashSet();
                    var excerpt = await WriteAsync(file, "excerpting", (to, progress) => Excerpter.WriteAsync(store.Ledger, positions, to, progress, cancellationToken));
                    if (file != "-")
                        Common.Answer(parsed, excerpt, $"{excerpt.Events:N0} events of store {excerpt.StoreId}, with {excerpt.Links:N0} links to {excerpt.Checkpoints} signed checkpoints, are in '{file}'. 'antbot verify --export' verifies it anywhere.");
                    if (positions.Count < found.Count)
                        Console.Error.WriteLine($"antbot: {found.Count - positions.Count:N0} that came after the last checkpoint, which is at position {signed:N0}, were left out; 'antbot checkpoint' makes one.");
                    return ExitCode.Done;
                }
                var summary = await WriteAsync(file, "exporting", (to, progress) => Exporter.ExportAsync(store.Ledger, to, progress, cancellationToken));
                if (file != "-")
                    Common.Answer(parsed, summary, $"Exported {summary.Events:N0} events of store {summary.StoreId} and {summary.Checkpoints} checkpoints to '{file}'.");
                if (summary.UnsealedLeftOut)
                    Console.Error.WriteLine("antbot: events that nobody has sealed yet were left out; 'antbot seal' adopts them.");
                return ExitCode.Done;
            },
            cancellationToken));
        return command;
    }

    private static Option<string[]> Some(string name, string what, Func<string, string?> fault)
    {
        var option = new Option<string[]>(name) { Description = what };
        option.Validators.Add(result =>
        {
            foreach (var why in result.Tokens.Select(t => fault(t.Value)).OfType<string>())
                result.AddError(why);
        });
        return option;
    }

    /// <summary>Where in the ledger the events are that were asked for.</summary>
    private static async Task<HashSet<long>> FindAsync(IEventStore store, string[] trades, string[] streams, string[] sequences, CancellationToken cancellationToken)
    {
        var found = new List<StoredEvent>();
        foreach (var trade in trades)
        {
            var events = await store.FindByCorrelationAsync(trade, StoreLimits.PageSizeMax, cancellationToken);
            if (events.Count == StoreLimits.PageSizeMax)
                throw new CommandException("TooMany", $"Trade {trade} has more than {StoreLimits.PageSizeMax:N0} events; name its streams.");
            found.AddRange(events.Count > 0 ? events : throw NotFound($"Nothing is recorded of trade {trade}."));
        }
        foreach (var stream in streams)
        {
            var before = found.Count;
            await foreach (var stored in store.ReadStreamAsync(new StreamId(stream), cancellationToken: cancellationToken))
                found.Add(stored);
            if (found.Count == before)
                throw NotFound($"Nothing is recorded in stream {stream}.");
        }
        foreach (var sequence in sequences.Select(s => long.Parse(s, CultureInfo.InvariantCulture)))
        {
            if (await store.ReadPageAsync(sequence - 1, 1, cancellationToken) is not [{ } stored] || stored.Sequence != sequence)
                throw NotFound($"No event has sequence {sequence}.");
            found.Add(stored);
        }
        return found.Find(e => e.Position == 0) is { } unsealed
            ? throw new CommandException("Unsealed", $"The event of sequence {unsealed.Sequence} was appended by somebody else, and nobody has sealed it yet; 'antbot seal' adopts it.", ExitCode.Unsealed)
            : found.Select(e => e.Position).ToHashSet();
    }

    private static CommandException NotFound(string what) => new("NotFound", what, ExitCode.NotFound);

    private static async Task<T> WriteAsync<T>(string file, string doing, Func<Stream, Action<long, long>?, Task<T>> write)
    {
        if (file == "-")
            return await write(Console.OpenStandardOutput(), null);
        using var progress = new Progress(doing);
        return await ToFileAsync(file, to => write(to, progress.Report));
    }

    /// <summary>Under its name there is only ever a whole export.</summary>
    private static async Task<T> ToFileAsync<T>(string file, Func<Stream, Task<T>> write)
    {
        if (File.Exists(file))
            throw new IOException($"'{file}' is there already and an export overwrites nothing; choose another name.");
        var aside = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            T summary;
            await using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20))
            {
                summary = await write(stream);
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
