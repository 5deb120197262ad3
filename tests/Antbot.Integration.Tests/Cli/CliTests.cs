using System.Text.Json;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Proof;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>The antbot command as an operator meets it.</summary>
public sealed class CliTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-cli-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Database => Path.Combine(_folder, ".local", "antbot.db");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("verfy")]
    [InlineData("verify", "--bogus")]
    [InlineData("export")]
    [InlineData("import")]
    public async Task Wrong_usage_is_exit_code_2_and_says_what_was_wrong(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.Equal(2, said.ExitCode);
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_stores_address_may_come_from_a_file()
    {
        var (named, file) = (Path.Combine(_folder, "named.db"), Path.Combine(_folder, "address"));
        await File.WriteAllTextAsync(file, $"sqlite:{named}\n", Cancel);
        var said = await AntbotProcess.RunAsync(_folder, [("STORE_FILE", file)], ["store", "create"]);
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.True(File.Exists(named));

        said = await AntbotProcess.RunAsync(_folder, [("STORE_FILE", Path.Combine(_folder, "nothing"))], ["verify"]);
        Assert.Equal(2, said.ExitCode);
        Assert.StartsWith("antbot: ANTBOT_STORE_FILE names a file that cannot be read", said.Error, StringComparison.Ordinal);

        said = await AntbotProcess.RunAsync(_folder, [("STORE_FILE", file), ("STORE", "sqlite:other.db")], ["verify"]);
        Assert.Equal(2, said.ExitCode);
        Assert.StartsWith("antbot: ANTBOT_STORE is given both as it is and as a file", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_not_made_by_looking_at_it()
    {
        var said = await AntbotProcess.RunAsync(_folder, "verify");
        Assert.Equal(1, said.ExitCode);
        Assert.Contains("antbot.db", said.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Database));

        said = await AntbotProcess.RunAsync(_folder, "store", "info", "--json", "--store", "Host=127.0.0.1;Port=1;Username=u;Password=top-secret");
        Assert.Equal(1, said.ExitCode);
        Assert.DoesNotContain("top-secret", said.Error + said.Output, StringComparison.Ordinal);
        Assert.Equal("Unavailable", JsonDocument.Parse(said.Error).RootElement.GetProperty("Error").GetString());
    }

    [Fact]
    public async Task Checkpoints_are_made_for_as_long_as_it_is_asked_to_and_once_more_at_the_end()
    {
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create")).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, "checkpoint", "--every", "0")).ExitCode);
        var file = new CheckpointFile(Path.Combine(_folder, ".local", "checkpoints.jsonl"));
        using var signing = AntbotProcess.Start(AntbotProcess.CommandLine, _folder, "checkpoint", "--every", "1");
        await AppendAsync();
        await Eventually.HoldsAsync(() => file.Read().Checkpoints.Count == 1, "a checkpoint is made");
        await AppendAsync();
        await Eventually.HoldsAsync(() => file.Read().Checkpoints.Count == 2, "another one is made");
        AntbotProcess.Signal(signing, "TERM");
        await signing.WaitForExitAsync(Cancel);
        Assert.Equal(0, signing.ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "verify", "--from-checkpoint")).ExitCode);

        async Task AppendAsync()
        {
            await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_folder, ".local", "antbot.db") }, Cancel);
            await store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        }
    }

    [Fact]
    public async Task A_history_is_made_checkpointed_verified_exported_and_imported_elsewhere()
    {
        await FillAsync(40);
        var checkpoint = await AntbotProcess.RunAsync(_folder, "checkpoint");
        Assert.Equal((0, ""), (checkpoint.ExitCode, checkpoint.Error));
        Assert.Contains("Nothing has come", (await AntbotProcess.RunAsync(_folder, "checkpoint")).Output, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(_folder, ".local", "signing.key")));

        var growth = await AntbotProcess.RunAsync(_folder, "store", "growth");
        Assert.Equal((0, ""), (growth.ExitCode, growth.Error));
        Assert.StartsWith("40 events in ", growth.Output, StringComparison.Ordinal);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, "store", "growth", "--bytes-max", "0")).ExitCode);

        var verified = await AntbotProcess.RunAsync(_folder, "verify");
        Assert.Equal((0, ""), (verified.ExitCode, verified.Error));
        Assert.Contains("Intact: 40 events", verified.Output, StringComparison.Ordinal);
        Assert.Contains("1 checkpoints", verified.Output, StringComparison.Ordinal);

        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "export", "--out", "history.jsonl")).ExitCode);
        Assert.Equal(1, (await AntbotProcess.RunAsync(_folder, "export", "--out", "history.jsonl")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "verify", "--export", "history.jsonl")).ExitCode);
        // Without a key, or where nothing is signed, only that its parts fit together is shown.
        var (elsewhere, other) = (Directory.CreateDirectory(Path.Combine(_folder, "elsewhere")).FullName, Path.Combine("..", "history.jsonl"));
        var unproven = await AntbotProcess.RunAsync(elsewhere, "verify", "--export", other);
        Assert.Equal((4, true), (unproven.ExitCode, unproven.Output.StartsWith("NOT PROVEN: 40 events", StringComparison.Ordinal)));
        Assert.Contains("no signature was checked", unproven.Output, StringComparison.Ordinal);
        Assert.Equal(4, (await AntbotProcess.RunAsync(elsewhere, "verify", "--export", other, "--json")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(elsewhere, "verify", "--export", other, "--public-key", Path.Combine("..", ".local", "signing.key.pub"))).ExitCode);
        var excerpt = await AntbotProcess.RunAsync(_folder, "export", "--out", "excerpt.jsonl", "--sequence", "7", "--sequence", "9");
        Assert.Equal((0, ""), (excerpt.ExitCode, excerpt.Error));
        Assert.Contains("Intact: 2 events", (await AntbotProcess.RunAsync(_folder, "verify", "--export", "excerpt.jsonl")).Output, StringComparison.Ordinal);
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "export", "--out", "none.jsonl", "--trade", new string('a', 32))).ExitCode);
        Assert.Equal(2, (await AntbotProcess.RunAsync(_folder, "export", "--out", "none.jsonl", "--sequence", "-1")).ExitCode);
        Assert.False(File.Exists(Path.Combine(_folder, "none.jsonl")));
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "import", "history.jsonl", "--store", "sqlite:other/store.db")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "verify", "--store", "sqlite:other/store.db", "--from-checkpoint")).ExitCode);

        var (here, there) = (await AntbotProcess.RunAsync(_folder, "export", "-o", "-"), await AntbotProcess.RunAsync(_folder, "export", "-o", "-", "--store", "sqlite:other/store.db"));
        Assert.Equal(here.Output, there.Output);
        Assert.Equal(File.ReadAllText(Path.Combine(_folder, "history.jsonl")), here.Output);
    }

    /// <summary>Prevents an excerpt that can never be had, because its stream goes on.</summary>
    [Fact]
    public async Task Of_a_stream_that_goes_on_all_is_excerpted_that_is_signed_and_the_rest_is_told()
    {
        var stream = Some.Stream();
        await FillAsync(3);
        await AppendAsync();
        var none = await AntbotProcess.RunAsync(_folder, "export", "--out", "excerpt.jsonl", "--stream", stream.Value);
        Assert.Equal(1, none.ExitCode);
        Assert.Contains("'antbot checkpoint' makes one", none.Error, StringComparison.Ordinal);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "checkpoint")).ExitCode);
        await AppendAsync();
        var partly = await AntbotProcess.RunAsync(_folder, "export", "--out", "excerpt.jsonl", "--stream", stream.Value);
        Assert.Equal(0, partly.ExitCode);
        Assert.StartsWith("antbot: 1 that came after the last checkpoint, which is at position 4, were left out", partly.Error, StringComparison.Ordinal);
        Assert.Contains("Intact: 1 events", (await AntbotProcess.RunAsync(_folder, "verify", "--export", "excerpt.jsonl")).Output, StringComparison.Ordinal);

        async Task AppendAsync()
        {
            await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_folder, ".local", "antbot.db") }, Cancel);
            await store.AppendAsync(Some.Append(stream), Cancel);
        }
    }

    /// <summary>Whoever has an export can add to it: it once was called intact for the checkpoints before that.</summary>
    [Fact]
    public async Task What_is_behind_the_last_signed_checkpoint_of_an_export_is_not_proven()
    {
        await FillAsync(20);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "checkpoint")).ExitCode);
        await FillAsync(3);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "export", "--out", "history.jsonl")).ExitCode);
        var unproven = await AntbotProcess.RunAsync(_folder, "verify", "--export", "history.jsonl");
        Assert.Equal(4, unproven.ExitCode);
        Assert.StartsWith("NOT PROVEN behind position 20: ", unproven.Output, StringComparison.Ordinal);
        Assert.Contains("the 3 events behind it, up to position 23,", unproven.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("Intact:", unproven.Output, StringComparison.Ordinal);
        Assert.Equal(20, JsonDocument.Parse((await AntbotProcess.RunAsync(_folder, "verify", "--export", "history.jsonl", "--json")).Output).RootElement.GetProperty("ProvenThrough").GetInt64());
        // It is the store's own, so that signing it is all that it lacks.
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "checkpoint")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "export", "--out", "signed.jsonl")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "verify", "--export", "signed.jsonl")).ExitCode);
    }

    [Fact]
    public async Task Tampering_is_exit_code_3_and_names_the_first_bad_event()
    {
        await FillAsync(20);
        await AntbotProcess.RunAsync(_folder, "checkpoint");
        Execute("""update mt_events set data = '{"Forged":true}' where seq_id in (7, 9)""");

        var said = await AntbotProcess.RunAsync(_folder, "verify");
        Assert.Equal(3, said.ExitCode);
        Assert.Contains("EventAltered at position 7", said.Output, StringComparison.Ordinal);
        var json = JsonDocument.Parse((await AntbotProcess.RunAsync(_folder, "verify", "--json")).Output).RootElement;
        Assert.False(json.GetProperty("IsIntact").GetBoolean());
        Assert.Equal(7, json.GetProperty("Findings")[0].GetProperty("Position").GetInt64());
        Assert.Equal("EventAltered", json.GetProperty("Findings")[0].GetProperty("Kind").GetString());
    }

    [Fact]
    public async Task Events_of_a_stranger_are_unsealed_and_not_an_accusation_until_they_are_sealed()
    {
        await FillAsync(5);
        Execute("insert into mt_streams (id, version) values ('stranger', 1)");
        Execute("""insert into mt_events (seq_id, id, stream_id, version, data, type) values (99, '6f9619ff-8b86-4011-b42d-00c04fc964ff', 'stranger', 1, '{"X":1}', 'noted')""");

        var unsealed = await AntbotProcess.RunAsync(_folder, "verify");
        Assert.Equal(4, unsealed.ExitCode);
        Assert.Contains("sequence 99", unsealed.Output, StringComparison.Ordinal);
        Assert.Contains("Sealed 1 events", (await AntbotProcess.RunAsync(_folder, "seal")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "verify")).ExitCode);
    }

    [Fact]
    public async Task What_contradicts_the_history_is_not_sealed_and_is_exit_code_3()
    {
        await FillAsync(5);
        Execute("update mt_events set id = '6f9619ff-8b86-4011-b42d-00c04fc964ff' where seq_id = 2");
        Execute("insert into mt_streams (id, version) values ('stranger', 1)");
        Execute("""insert into mt_events (seq_id, id, stream_id, version, data, type) values (99, '7f9619ff-8b86-4011-b42d-00c04fc964ff', 'stranger', 1, '{"X":1}', 'noted')""");

        var said = await AntbotProcess.RunAsync(_folder, "seal");
        Assert.Equal(3, said.ExitCode);
        Assert.Contains("Sealed 1 events", said.Output, StringComparison.Ordinal);
        Assert.Contains("sequence 2,", said.Error, StringComparison.Ordinal);
        var json = JsonDocument.Parse((await AntbotProcess.RunAsync(_folder, "seal", "--json")).Output).RootElement;
        Assert.Equal((0, 2), (json.GetProperty("Sealed").GetInt32(), json.GetProperty("Refused")[0].GetProperty("Sequence").GetInt32()));
        Assert.Equal(3, (await AntbotProcess.RunAsync(_folder, "verify")).ExitCode);
    }

    private async Task FillAsync(int events)
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Database }, Cancel);
        for (var i = 0; i < events; i++)
            Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(new($"order-{i % 4}")), Cancel));
    }

    private void Execute(string sql)
    {
        using var session = SqliteSession.Open(Database, SqliteAccess.Write, TimeSpan.FromSeconds(5));
        session.Execute("PRAGMA foreign_keys=OFF");
        session.Execute(sql);
    }
}
