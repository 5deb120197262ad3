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
        var command = new Command("export", "Writes the whole history as JSON lines, with every number and proof, for another store or an offline verification; or an excerpt: some events, and the proof that a signed checkpoint vouches for each.") { output, trade, stream, sequence, Common.Archives };
        command.SetAction((parsed, cancellationToken) => Common.WithHistoryAsync(
            parsed,
            async store =>
            {
                var file = parsed.GetValue(output)!;
                var (trades, streams, sequences) = (parsed.GetValue(trade)!, parsed.GetValue(stream)!, parsed.GetValue(sequence)!);
                if (trades.Length + streams.Length + sequences.Length > 0)
                {
                    var signed = (await store.Ledger.ReadCheckpointsAsync(cancellationToken)).Select(c => c.Position).DefaultIfEmpty().Max();
                    var positions = await FindAsync(store, trades, streams, signed, cancellationToken);
                    foreach (var one in sequences)
                        positions.Add(await FindAsync(store, long.Parse(one, CultureInfo.InvariantCulture), cancellationToken));
                    var excerpt = await WriteAsync(file, "excerpting", (to, progress) => Excerpter.WriteAsync(store.Ledger, positions, to, progress, cancellationToken));
                    if (file != "-")
                        Common.Answer(parsed, excerpt, $"{excerpt.Events:N0} events of store {excerpt.StoreId}, with {excerpt.Links:N0} links to {excerpt.Checkpoints} signed checkpoints, are in '{file}'. 'antbot verify --export' verifies it anywhere.");
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

    /// <summary>Where in the ledger the events of trades and streams are; those that nothing signed stands behind yet are left out, and told.</summary>
    private static async Task<HashSet<long>> FindAsync(IEventStore store, string[] trades, string[] streams, long signed, CancellationToken cancellationToken)
    {
        var found = new HashSet<long>();
        foreach (var trade in trades)
        {
            var events = await store.FindByCorrelationAsync(trade, StoreLimits.PageSizeMax, cancellationToken);
            if (events.Count == StoreLimits.PageSizeMax)
                throw new CommandException("TooMany", $"Trade {trade} has {StoreLimits.PageSizeMax:N0} events or more; name its streams.");
            found.UnionWith(events.Count > 0 ? events.Select(PositionOf) : throw NotFound($"Nothing is recorded of trade {trade}."));
        }
        foreach (var stream in streams)
        {
            if (await store.ReadVersionAsync(new StreamId(stream), cancellationToken) == 0)
                throw NotFound($"Nothing is recorded in stream {stream}.");
            await foreach (var stored in store.ReadStreamAsync(new StreamId(stream), cancellationToken: cancellationToken))
                found.Add(PositionOf(stored));
        }
        // Where nothing at all is signed, or one event was asked for, that is refused with what to do.
        if (found.Any(p => p <= signed) && found.RemoveWhere(p => p > signed) is > 0 and var left)
            Console.Error.WriteLine($"antbot: {left:N0} that came after the last checkpoint, which is at position {signed:N0}, were left out; 'antbot checkpoint' makes one.");
        return found;
    }

    private static async Task<long> FindAsync(IEventStore store, long sequence, CancellationToken cancellationToken) =>
        await store.ReadPageAsync(sequence - 1, 1, cancellationToken) is [{ } stored] && stored.Sequence == sequence ? PositionOf(stored) : throw NotFound($"No event has sequence {sequence}.");

    private static long PositionOf(StoredEvent stored) => stored.Position > 0
        ? stored.Position
        : throw new CommandException("Unsealed", $"The event of sequence {stored.Sequence} was appended by somebody else, and nobody has sealed it yet; 'antbot seal' adopts it.", ExitCode.Unproven);

    private static CommandException NotFound(string what) => new("NotFound", what, ExitCode.NotFound);

    private static async Task<T> WriteAsync<T>(string file, string doing, Func<Stream, Action<long, long>?, Task<T>> write)
    {
        if (file == "-")
            return await write(Console.OpenStandardOutput(), null);
        using var progress = new Progress(doing);
        return await NewFile.WriteAsync(file, to => write(to, progress.Report));
    }
}
