using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Sqlite;
using Antbot.Integration.Tests.Forensics;
using Antbot.Reconciliation;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary><c>antbot store archive</c>, and what the other commands say with the archives and without.</summary>
public sealed class ArchiveVerbTests : IAsyncLifetime
{
    private static readonly Guid Incident = new("11111111111111111111111111111111");
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(IncidentOpened).Assembly));

    private string _from = "";
    private string _until = "";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-archive-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "import", Corpus.Histories.First(h => Path.GetFileName(h).StartsWith("seed-", StringComparison.Ordinal)))).ExitCode);
        await OpenIncidentAsync();
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "checkpoint")).ExitCode);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_is_archived_is_told_with_the_archives_and_refused_without()
    {
        // The order book of this account was never kept: it came with an import.
        string[] archive = ["store", "archive", "--older-than", "7d", "--out", "archives", "--without", $"{OrderBook.Name} of reconciliation-main"];
        var trades = (await JsonAsync("trades")).GetProperty("Items").EnumerateArray().ToList();
        var trade = trades.First(t => t.GetProperty("Phase").GetString() is "Closed" or "Rejected" or "Denied" or "Expired" or "Failed").GetProperty("Id").GetString()!;
        string[][] questions = [["changes", "--since", _from, "--until", _until], ["incident", "report", $"{Incident:N}"], ["at", "100"], ["diff", "20", "100"], ["trade", trade], ["trade", trade, "--step"], ["trace", trade]];
        var before = new List<Said>();
        foreach (var question in questions)
            before.Add(Timeless(await AntbotProcess.RunAsync(_folder, [.. question, "--json"])));
        await SayAsync("incident", "bundle", $"{Incident:N}", "--out", "before.zip");

        Assert.Contains("would be archived. Nothing was done.", (await AntbotProcess.RunAsync(_folder, [.. archive, "--dry-run"])).Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "archives")));
        // The read models of this store have come as far as it has: nobody is waited for.
        var made = await JsonAsync([.. archive, "--by", "anna", "--reason", "a test"]);
        var file = made.GetProperty("Made").EnumerateArray().Single().GetProperty("File").GetString()!;
        Assert.True(made.GetProperty("Events").GetInt64() > 10);

        for (var i = 0; i < questions.Length; i++)
        {
            var after = Timeless(await AntbotProcess.RunAsync(_folder, [.. questions[i], "--json", "--archives", "archives"]));
            Assert.Equal((before[i].ExitCode, before[i].Output), (after.ExitCode, after.Output));
        }
        // Without them what they need of it is named, and nothing is told as if it were all.
        foreach (var question in questions[..2])
        {
            Assert.DoesNotContain(file, before[Array.IndexOf(questions, question)].Output, StringComparison.Ordinal);
            Assert.Contains(file, (await SayAsync([.. question, "--json"])).Output, StringComparison.Ordinal);
        }
        // So it is with a bundle, which another machine opens that has no archives: what would prove nothing is not made.
        await SayAsync("incident", "bundle", $"{Incident:N}", "--out", "with.zip", "--archives", "archives");
        var without = await AntbotProcess.RunAsync(_folder, "incident", "bundle", $"{Incident:N}", "--out", "without.zip");
        Assert.Equal((5, false), (without.ExitCode, File.Exists(Path.Combine(_folder, "without.zip"))));
        Assert.Contains(file, without.Error, StringComparison.Ordinal);
        string[] bundled = ["incident", "report", $"{Incident:N}", "--json", "--bundle"];
        var reports = new List<string>();
        foreach (var bundle in new[] { "before.zip", "with.zip" })
        {
            Assert.StartsWith("Intact: ", (await SayAsync("verify", "--bundle", bundle)).Output, StringComparison.Ordinal);
            reports.Add(Timeless(await SayAsync([.. bundled, bundle])).Output);
        }
        Assert.Equal(reports[0], reports[1]);

        var refused = await AntbotProcess.RunAsync(_folder, "at", "100");
        Assert.Equal((5, ""), (refused.ExitCode, refused.Output));
        Assert.Contains(file, refused.Error, StringComparison.Ordinal);

        var watched = await SayAsync("watch", "--after", "0", "--count", "20", "--json");
        Assert.Equal(20, watched.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
        Assert.Contains($"are in the archive '{file}' and not told here", watched.Error, StringComparison.Ordinal);

        Assert.Contains("taken on the word of 1 archives", (await SayAsync("verify")).Output, StringComparison.Ordinal);
        Assert.DoesNotContain("on the word of", (await SayAsync("verify", "--archives", "archives")).Output, StringComparison.Ordinal);
        Assert.Contains("Intact: ", (await SayAsync("verify", "--export", Path.Combine("archives", file))).Output, StringComparison.Ordinal);
        Assert.Contains("more are in archives", (await SayAsync("store", "growth")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "export", "--out", "whole.jsonl", "--archives", "archives")).ExitCode);
        Assert.Equal(5, (await AntbotProcess.RunAsync(_folder, "export", "--out", "part.jsonl")).ExitCode);
        Assert.False(File.Exists(Path.Combine(_folder, "part.jsonl")));
        var partly = await SayAsync("views", "rebuild");
        Assert.Contains($"events of the archive '{file}', which could not be read", partly.Error, StringComparison.Ordinal);
        Assert.Contains(file, (await SayAsync("status")).Output, StringComparison.Ordinal);
        var whole = await SayAsync("views", "rebuild", "--archives", "archives");
        Assert.DoesNotContain(file, whole.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(file, (await SayAsync("status")).Output, StringComparison.Ordinal);
        Assert.Equal(trades.Count, (await JsonAsync("trades")).GetProperty("Items").GetArrayLength());

        File.Delete(Path.Combine(_folder, "archives", file));
        var tampered = await AntbotProcess.RunAsync(_folder, "verify", "--archives", "archives");
        Assert.Equal(3, tampered.ExitCode);
        Assert.Contains(file, tampered.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("store", "archive", "--out", "a")]
    [InlineData("store", "archive", "--older-than", "6d", "--out", "a")]
    [InlineData("store", "archive", "--older-than", "90", "--out", "a")]
    [InlineData("store", "archive", "--older-than", "90d", "--before", "2026-01-01", "--out", "a")]
    [InlineData("store", "archive", "--before", "2999-01-01", "--out", "a")]
    [InlineData("store", "archive", "--older-than", "90d")]
    [InlineData("trade", "0123", "--archives", "a", "--console", "http://127.0.0.1:1")]
    public async Task What_is_asked_for_wrongly_is_said_in_one_line(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.Equal((2, ""), (said.ExitCode, said.Output));
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(_folder, "a")));
    }

    /// <summary>Without when it was told.</summary>
    private static Said Timeless(Said said)
    {
        var told = System.Text.Json.Nodes.JsonNode.Parse(said.Output);
        if (told is System.Text.Json.Nodes.JsonObject report)
            report.Remove("MadeAt");
        return said with { Output = told?.ToJsonString() ?? "" };
    }

    /// <summary>Of all that went on in the history.</summary>
    private async Task OpenIncidentAsync()
    {
        await using var store = await SqliteEventStore.OpenAsync(new SqliteStoreOptions { Path = Path.Combine(_folder, ".local", "antbot.db") }, Cancel);
        var events = await store.ReadPageAsync(0, 10_000, Cancel);
        var (from, until) = (events.Min(e => e.Timestamp), events.Max(e => e.Timestamp));
        (_from, _until) = (from.ToString("O"), until.ToString("O"));
        var opened = Codec.Encode(new IncidentOpened(Incident, IncidentSource.Person, "", "orders hang", "anna", until, from, until, []));
        await store.AppendAsync(Some.Append(Streams.Incident(Incident), opened) with { At = until }, Cancel);
    }

    private async Task<Said> SayAsync(params string[] arguments)
    {
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.True(said.ExitCode == 0, said.Output + said.Error);
        return said;
    }

    private async Task<JsonElement> JsonAsync(params string[] arguments) => JsonDocument.Parse((await SayAsync([.. arguments, "--json"])).Output).RootElement;
}
