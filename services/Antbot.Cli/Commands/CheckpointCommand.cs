using System.CommandLine;
using Antbot.EventStore.Proof;

namespace Antbot.Cli.Commands;

internal static class CheckpointCommand
{
    public static Command Build()
    {
        var keyFile = Common.KeyFile();
        var checkpoints = Common.Checkpoints();
        var command = new Command("checkpoint", "Signs where the history stands, outside the database and in it.") { keyFile, checkpoints };
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(
            parsed,
            create: false,
            async store =>
            {
                using var key = SigningKey.LoadOrCreate(parsed.GetValue(keyFile)!);
                var file = new CheckpointFile(parsed.GetValue(checkpoints)!);
                var made = await new Checkpointer(store.Ledger, key, file, TimeProvider.System).CheckpointAsync(cancellationToken);
                Common.Answer(
                    parsed,
                    new { Made = made is not null, made?.Position, Key = key.Public.Id, File = file.Location },
                    made is null ? "Nothing has come since the last checkpoint." : $"Checkpoint at position {made.Position:N0}, signed by key {key.Public.Id}, kept in '{file.Location}'.");
                return ExitCode.Done;
            },
            cancellationToken));
        return command;
    }
}
