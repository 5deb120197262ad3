using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.EventStore;
using Antbot.EventStore.Proof;
using Antbot.Forensics;
using Antbot.Incidents.Bundles;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.Cli.Commands;

/// <summary>An incident in one file, for another machine.</summary>
internal static class IncidentBundleCommand
{
    public static Command Build()
    {
        var id = IncidentCommand.Id();
        var output = new Option<string>("--out", "-o") { Description = "The file to write, a zip. An existing file is not overwritten.", Required = true };
        var logs = new Option<string?>("--logs") { Description = "A folder whose logs (*.log) and metrics (*.prom, *.metrics) go in, too, without what looks like a secret: such as .local or .local/up." };
        var keyFile = Common.KeyFile();
        var checkpoints = Common.Checkpoints();
        var command = new Command("bundle", """
            Writes an incident into one file that another machine opens offline: its events with the proof that signed checkpoints vouch for each, the report, dead letters, builds and
            hashes of settings, logs, and a signed manifest with the hash of every member. 'antbot verify --bundle' verifies it with the public key alone; trade, trace, changes, incident and replay read it with --bundle.
            """) { id, output, logs, keyFile, checkpoints, Common.Archives };
        command.SetAction((parsed, cancellationToken) => Common.RunAsync(parsed, async () =>
        {
            var address = SourceOptions.StoreOf(parsed);
            await using var store = await Common.OpenHistoryAsync(address, Common.ArchiveFolderOf(parsed), cancellationToken);
            await using var models = await ReadModelsAddress.OpenAsync(address, store, cancellationToken);
            var codec = new EventCodec(StreamKinds.Registry);
            await StoreSource.CatchUpAsync(store, models, cancellationToken);
            var incident = await FindAsync(parsed.GetValue(id)!, new IncidentStories(store, codec, models), cancellationToken);
            using var key = KeyOf(parsed.GetValue(keyFile)!);
            if (key is not null)
                await CheckpointAsync(store.Ledger, key, parsed.GetValue(checkpoints)!, cancellationToken);
            var folder = parsed.GetValue(logs) is { } path ? new DirectoryInfo(path) : null;
            var blobs = StoreAddress.OpenBlobs(address);
            using var progress = new Progress("bundling");
            var file = parsed.GetValue(output)!;
            var manifest = await NewFile.WriteAsync(file, async to => await new BundleMaker(store, codec, models, blobs, TimeProvider.System, folder, key).WriteAsync(incident, to, progress.Report, cancellationToken)
                ?? throw NoSuchIncident(parsed.GetValue(id)!), ownerOnly: true);
            progress.Dispose();
            if (blobs is IAsyncDisposable opened)
                await opened.DisposeAsync();
            Common.Answer(parsed, manifest, $"{manifest.Members.Count:N0} members are in '{file}'{(key is null ? ", which nobody signed: there is no key" : $", signed by key {key.Public.Id}")}. 'antbot verify --bundle' verifies it anywhere.");
            foreach (var left in manifest.Left)
                await Console.Error.WriteLineAsync($"antbot: not in it: {Tables.Plain(left)}");
            return ExitCode.Done;
        }));
        return command;
    }

    /// <summary>Of what came since the last one nothing goes in: an incident is bundled while it is fresh.</summary>
    private static async Task CheckpointAsync(ILedger ledger, SigningKey key, string file, CancellationToken cancellationToken)
    {
        try
        {
            await new Checkpointer(ledger, key, new CheckpointFile(file), TimeProvider.System).CheckpointAsync(cancellationToken);
        }
        catch (Exception e) when (e is EventStoreException or IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"antbot: no checkpoint was signed, so that what came since the last one is not in it: {e.Message}");
        }
    }

    /// <summary>Null where there is none: a bundle is no occasion to make one.</summary>
    private static SigningKey? KeyOf(string file)
    {
        var named = Environment.GetEnvironmentVariable(SigningKey.FileVariable) is { Length: > 0 } other ? other : file;
        return File.Exists(named) || Environment.GetEnvironmentVariable(SigningKey.KeyVariable) is { Length: > 0 } ? SigningKey.LoadOrCreate(file) : null;
    }

    private static async Task<Guid> FindAsync(string id, IncidentStories stories, CancellationToken cancellationToken) => await stories.ResolveAsync(id, cancellationToken) switch
    {
        [var only] => only,
        [] => throw NoSuchIncident(id),
        _ => throw new CommandException("NotUnique", $"More than one incident begins with {id}; give more digits."),
    };

    private static CommandException NoSuchIncident(string id) => new("NotFound", $"There is no incident {id}.", ExitCode.NotFound);
}
