using System.CommandLine;
using Antbot.EventStore.Proof;

namespace Antbot.Cli.Commands;

internal static class CheckpointCommand
{
    public static Command Build()
    {
        var keyFile = Common.KeyFile();
        var checkpoints = Common.Checkpoints();
        var every = new Option<int?>("--every") { Description = "Goes on until it is stopped, and signs once in so many seconds (1 to 86400) where anything has come." };
        every.Validators.Add(result =>
        {
            if (result.GetValue(every) is < 1 or > 86_400)
                result.AddError("--every takes 1 to 86400 seconds.");
        });
        var command = new Command("checkpoint", "Signs where the history stands, outside the database and in it.") { keyFile, checkpoints, every };
        command.SetAction((parsed, cancellationToken) => Common.WithStoreAsync(
            parsed,
            create: false,
            async store =>
            {
                using var key = SigningKey.LoadOrCreate(parsed.GetValue(keyFile)!);
                var file = new CheckpointFile(parsed.GetValue(checkpoints)!);
                if (parsed.GetValue(every) is { } seconds)
                {
                    Console.Error.WriteLine($"Signs every {seconds} s with key {key.Public.Id}, and keeps it in '{file.Location}'. Ctrl-C ends it.");
                    await new Checkpointer(store.Ledger, key, file, TimeProvider.System).RunAsync(TimeSpan.FromSeconds(seconds), e => Console.Error.WriteLine($"antbot: {e.Message}"), cancellationToken);
                    return ExitCode.Done;
                }
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
