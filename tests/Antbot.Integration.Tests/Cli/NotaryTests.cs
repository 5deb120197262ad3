using System.Diagnostics;
using System.Runtime.Versioning;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary><c>antbot checkpoint --every</c> as it runs in a container: with a key that is mounted, and a heartbeat that <c>deploy/heartbeat.sh</c> looks at.</summary>
[UnsupportedOSPlatform("windows")]
public sealed class NotaryTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-notary-").FullName;
    private Process? _notary;

    private string Heartbeat => Path.Combine(_folder, "heartbeat");

    private string Published => Path.Combine(_folder, "published", "checkpoints.jsonl");

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        if (_notary is { HasExited: false })
            _notary.Kill();
        _notary?.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task It_signs_publishes_and_says_whether_it_is_well()
    {
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create")).ExitCode);
        await AppendAsync();
        var key = Path.Combine(_folder, "signing-key");
        SigningKey.LoadOrCreate(key).Dispose();
        File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.GroupRead);
        (string, string)[] settings = [("SIGNING_KEY_FILE", key), ("CHECKPOINTS", Path.Combine(_folder, "data", "checkpoints.jsonl"))];
        // What is there already is published at once; the first one of all is waited for a minute.
        Assert.Equal((6, 0), ((await AntbotProcess.RunAsync(_folder, settings, ["checkpoint"])).ExitCode, (await AntbotProcess.RunAsync(_folder, settings, ["checkpoint", "--group-key"])).ExitCode));
        _notary = AntbotProcess.Start(
            AntbotProcess.CommandLine, _folder, settings,
            ["checkpoint", "--every", "1", "--publish", $"file:{Published}", "--publish-every", "60", "--group-key", "--heartbeat", Heartbeat]);
        await Eventually.HoldsAsync(() => IsWellAsync("180"), "it is well");
        await Eventually.HoldsAsync(() => File.Exists(Published), "a checkpoint is published");
        var verified = await AntbotProcess.RunAsync(_folder, [("PUBLIC_KEY_FILE", SigningKey.PublicFileOf(key)), ("CHECKPOINTS", Published)], ["verify"]);
        Assert.True(verified.ExitCode == 0, verified.Output);
        Assert.Contains("1 checkpoints", verified.Output, StringComparison.Ordinal);

        // Who looks at it alone is told of what is wrong; who asks only whether it lives is not.
        await WhileItStandsStillAsync(async () =>
        {
            Directory.Move(Path.Combine(_folder, "data"), Path.Combine(_folder, "away"));
            await File.WriteAllTextAsync(Path.Combine(_folder, "data"), "in the way", Cancel);
        });
        await AppendAsync();
        await Eventually.HoldsAsync(async () => !await IsWellAsync("180"), "it says what is wrong");
        Assert.Contains("cannot be written", await File.ReadAllTextAsync(Heartbeat, Cancel), StringComparison.Ordinal);
        Assert.True(await IsWellAsync("180", "alive"));
        await WhileItStandsStillAsync(() =>
        {
            File.Delete(Path.Combine(_folder, "data"));
            Directory.Move(Path.Combine(_folder, "away"), Path.Combine(_folder, "data"));
            return Task.CompletedTask;
        });
        await Eventually.HoldsAsync(() => IsWellAsync("180"), "it is well again");

        AntbotProcess.Signal(_notary, "TERM");
        await _notary.WaitForExitAsync(Cancel);
        var said = (await _notary.StandardError.ReadToEndAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("Signs every 1 s with key ", LogLines.MessageOf(said[0], "notary"), StringComparison.Ordinal);
        Assert.Contains(said, l => LogLines.MessageOf(l, "notary").Contains("cannot be written", StringComparison.Ordinal) && LogLines.Check(l, "notary").GetProperty("level").GetString() == "Warning");
        await Eventually.HoldsAsync(async () => !await IsWellAsync("1", "alive"), "nobody has turns any more");
        Assert.True(await IsWellAsync("3600"));
        File.Delete(Heartbeat);
        Assert.False(await IsWellAsync("3600", "alive"));
    }

    [Theory]
    [InlineData("--heartbeat", "beat")]
    [InlineData("--publish", "file:x")]
    public async Task What_goes_on_alone_is_said_to_want_its_pace(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, ["checkpoint", .. arguments]);
        Assert.Equal(2, said.ExitCode);
        Assert.Contains("go with --every", said.Error, StringComparison.Ordinal);
    }

    /// <summary>In between it would make the folder itself.</summary>
    private async Task WhileItStandsStillAsync(Func<Task> change)
    {
        AntbotProcess.Signal(_notary!, "STOP");
        await change();
        AntbotProcess.Signal(_notary!, "CONT");
    }

    private async Task AppendAsync()
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_folder, ".local", "antbot.db") }, Cancel);
        await store.AppendAsync(Some.Append(Some.Stream()), Cancel);
    }

    private async Task<bool> IsWellAsync(params string[] arguments)
    {
        using var probe = Process.Start("bash", [Path.Combine(RepositoryFolder.Root, "deploy", "heartbeat.sh"), Heartbeat, .. arguments]);
        await probe.WaitForExitAsync(Cancel);
        return probe.ExitCode == 0;
    }
}
