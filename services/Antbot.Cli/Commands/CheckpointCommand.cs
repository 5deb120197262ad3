using System.CommandLine;
using Antbot.Cli.Sources;
using Antbot.EventStore.Proof;
using Antbot.EventStore.Proof.Publishing;
using Antbot.Runtime.Store;
using Antbot.Runtime.Telemetry;

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
        var publish = new Option<string[]>("--publish")
        {
            Description = $"With --every: a place that the newest checkpoint is brought to as well, out of reach of whoever could rewrite history here; may be given several times. https://host/path (a POST; the variable {CheckpointPlace.Token} or the file that {CheckpointPlace.Token}_FILE names is its bearer), s3:https://host/bucket/prefix?region=name (with {CheckpointPlace.AccessKey} and {CheckpointPlace.SecretKey}, or their files), file:path.",
        };
        publish.Validators.Add(result =>
        {
            foreach (var fault in result.Tokens.Select(t => CheckpointPlace.Fault(t.Value)).OfType<string>())
                result.AddError(fault);
        });
        var publishEvery = new Option<int>("--publish-every") { Description = "How often, in seconds (60 to 86400).", DefaultValueFactory = _ => 3_600 };
        publishEvery.Validators.Add(result =>
        {
            if (result.GetValue(publishEvery) is < 60 or > 86_400)
                result.AddError("--publish-every takes 60 to 86400 seconds.");
        });
        var groupKey = new Option<bool>("--group-key") { Description = "The key's file may be read by its group, as a secret is that is mounted for one container alone." };
        var heartbeat = new Option<string?>("--heartbeat") { Description = "With --every: a file that is written after each turn: 'ok', or what is wrong. A health check looks at it, and at how old it is." };
        var command = new Command("checkpoint", "Signs where the history stands, outside the database and in it.") { keyFile, checkpoints, every, publish, publishEvery, groupKey, heartbeat };
        command.Validators.Add(result =>
        {
            if ((result.GetValue(publish) is { Length: > 0 } || result.GetValue(heartbeat) is not null) && result.GetValue(every) is null)
                result.AddError("--publish and --heartbeat go with --every.");
        });
        command.SetAction((parsed, cancellationToken) =>
        {
            var log = parsed.GetValue(every) is null ? null : Common.LogOf("notary", typeof(CheckpointCommand));
            return Common.WithStoreAsync(
                parsed,
                create: false,
                async store =>
                {
                    using var key = SigningKey.LoadOrCreate(parsed.GetValue(keyFile)!, parsed.GetValue(groupKey));
                    var file = new CheckpointFile(parsed.GetValue(checkpoints)!);
                    if (parsed.GetValue(every) is { } seconds && log is not null)
                    {
                        using var http = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false });
                        CheckpointPlace[] places = [.. parsed.GetValue(publish)!.Select(p => PlaceOf(p, http))];
                        log.Say($"Signs every {seconds} s with key {key.Public.Id}, and keeps it in '{file.Location}'. Ctrl-C ends it.");
                        var publisher = new CheckpointPublisher(file, places, TimeSpan.FromSeconds(parsed.GetValue(publishEvery)), TimeProvider.System, log.Warn);
                        await SignAsync(store.Ledger, key, file, TimeSpan.FromSeconds(seconds), publisher, places.Length > 0, new Heartbeat(parsed.GetValue(heartbeat), log.Warn), log, cancellationToken);
                        return ExitCode.Done;
                    }
                    var made = await new Checkpointer(store.Ledger, key, file, TimeProvider.System).CheckpointAsync(cancellationToken);
                    Common.Answer(
                        parsed,
                        new { Made = made is not null, made?.Position, Key = key.Public.Id, File = file.Location },
                        made is null ? "Nothing has come since the last checkpoint." : $"Checkpoint at position {made.Position:N0}, signed by key {key.Public.Id}, kept in '{file.Location}'.");
                    return ExitCode.Done;
                },
                cancellationToken,
                log);
        });
        return command;
    }

    /// <summary>None of the two ends by itself: if one fails, that is the end, and not a silence.</summary>
    private static async Task SignAsync(ILedger ledger, SigningKey key, CheckpointFile file, TimeSpan every, CheckpointPublisher publisher, bool publishes, Heartbeat heartbeat, ProcessLog log, CancellationToken cancellationToken)
    {
        heartbeat.Beat(null);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var signing = new Checkpointer(ledger, key, file, TimeProvider.System) { Done = () => heartbeat.Beat(publisher.Trouble) }.RunAsync(
            every,
            e =>
            {
                log.Warn(e.Message);
                heartbeat.Beat(e.Message);
            },
            stop.Token);
        var publishing = publisher.RunAsync(signing, stop.Token);
        await Task.WhenAny(publishes ? [signing, publishing] : [signing]);
        await stop.CancelAsync();
        await Task.WhenAll(signing, publishing);
    }

    private static CheckpointPlace PlaceOf(string address, HttpClient http)
    {
        try
        {
            return CheckpointPlace.Of(address, http, Secret, TimeProvider.System);
        }
        catch (ArgumentException e)
        {
            throw new CommandException("Usage", e.Message, ExitCode.Usage, e);
        }
    }

    private static string? Secret(string name) => Environment.GetEnvironmentVariable($"{name}_FILE") is { Length: > 0 } file
        ? Common.ReadSecret(file)
        : Environment.GetEnvironmentVariable(name) is not { Length: > 0 } given ? null
        : Common.IsSecret(given) ? given : throw new CommandException("Usage", $"{name} holds no key or token: visible ASCII characters are wanted.", ExitCode.Usage);
}
