using System.Text.Json;
using Antbot.Integration.Tests.Forensics;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary><c>antbot replay</c> as an analyst and a script meet it.</summary>
public sealed class ReplayVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-replay-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private static string History => Corpus.Histories.First(h => Path.GetFileName(h).StartsWith("seed-", StringComparison.Ordinal));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Nothing_is_decided_otherwise_than_it_was_neither_from_an_export_nor_from_a_store()
    {
        var said = await AntbotProcess.RunAsync(_folder, "replay", "--export", History, "--json");
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        var exported = JsonDocument.Parse(said.Output).RootElement.GetProperty("Report");
        Assert.Equal((0, true), (exported.GetProperty("Different").GetInt32(), exported.GetProperty("Decisions").GetInt32() > 10));

        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "store", "create")).ExitCode);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "import", History)).ExitCode);
        said = await AntbotProcess.RunAsync(_folder, "replay", "--json");
        Assert.Equal(0, said.ExitCode);
        Assert.Equal(exported.GetRawText(), JsonDocument.Parse(said.Output).RootElement.GetProperty("Report").GetRawText());
        said = await AntbotProcess.RunAsync(_folder, "replay");
        Assert.Contains("None would be made otherwise by this build.", said.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_be_decided_otherwise_under_other_settings_is_told_and_is_an_exit_code_of_its_own()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "limits.json"), """{"Risk": {"OrderNotionalMax": 0.01}}""", Cancel);
        var said = await AntbotProcess.RunAsync(_folder, "replay", "--export", History, "--with", "limits.json", "--json");
        Assert.Equal(7, said.ExitCode);
        var report = JsonDocument.Parse(said.Output).RootElement.GetProperty("Report");
        var told = report.GetProperty("Differences").EnumerateArray().ToList();
        Assert.Equal(report.GetProperty("Different").GetInt32(), told.Count);
        Assert.All(told, d => Assert.Equal(("exposure_reserved", "risk_denied"), (d.GetProperty("Was")[0].GetProperty("Type").GetString(), d.GetProperty("Is")[0].GetProperty("Type").GetString())));
        Assert.All(told, d => Assert.True(d.GetProperty("Stake").GetProperty("Notional").GetDecimal() > 0));

        said = await AntbotProcess.RunAsync(_folder, "replay", "--export", History, "--with", "limits.json");
        Assert.Equal(7, said.ExitCode);
        Assert.Contains("WOULD BE MADE OTHERWISE with these settings", said.Output, StringComparison.Ordinal);
        Assert.Contains("was exposure reserved", said.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await AntbotProcess.RunAsync(_folder, "replay", "--export", History, "--with", "limits.json", "--service", "validation")).ExitCode);
    }

    [Theory]
    [InlineData(2, "replay", "--service", "nobody")]
    [InlineData(2, "replay", "--stream", "no stream")]
    [InlineData(2, "replay", "--trade", "xyz")]
    [InlineData(2, "replay", "--since", "yesterday")]
    [InlineData(2, "replay", "--limit", "-1")]
    [InlineData(2, "replay", "--with", "bad.json")]
    [InlineData(1, "replay", "--with", "missing.json")]
    [InlineData(1, "replay", "--export", "missing.jsonl")]
    [InlineData(1, "replay", "--export", "short.jsonl")]
    [InlineData(1, "replay")]
    [InlineData(5, "replay", "--export", "history.jsonl", "--trade", "ffffffffffffffffffffffffffffffff")]
    [InlineData(5, "replay", "--export", "history.jsonl", "--until", "2001-01-01")]
    public async Task What_cannot_be_done_is_said_in_one_line(int exitCode, params string[] arguments)
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "bad.json"), """{"Risk": {"Everything": true}}""", Cancel);
        await File.WriteAllLinesAsync(Path.Combine(_folder, "short.jsonl"), (await File.ReadAllLinesAsync(History, Cancel))[..^1], Cancel);
        File.Copy(History, Path.Combine(_folder, "history.jsonl"));
        var said = await AntbotProcess.RunAsync(_folder, arguments);
        Assert.Equal((exitCode, ""), (said.ExitCode, said.Output));
        Assert.StartsWith("antbot: ", said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stopped_while_it_waits_for_more_it_says_how_far_it_has_come()
    {
        using var process = AntbotProcess.Start(AntbotProcess.CommandLine, _folder, "replay", "--export", "-", "--json");
        var lines = await File.ReadAllLinesAsync(History, Cancel);
        await process.StandardInput.WriteLineAsync(lines[0]);
        // More than any pipe holds, and no end: once it is written, it is being read.
        foreach (var line in Enumerable.Repeat(lines.Skip(1).SkipLast(1), 10).SelectMany(l => l))
            await process.StandardInput.WriteLineAsync(line);
        await process.StandardInput.FlushAsync(Cancel);
        AntbotProcess.Signal(process, "INT");
        var output = await process.StandardOutput.ReadToEndAsync(Cancel);
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(130, process.ExitCode);
        Assert.True(JsonDocument.Parse(output).RootElement.GetProperty("Report").GetProperty("Stopped").GetBoolean());
    }
}
