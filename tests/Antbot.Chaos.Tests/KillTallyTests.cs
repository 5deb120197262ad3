using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>A run of thousands of kills is interrupted and goes on.</summary>
public sealed class KillTallyTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-tally-").FullName;

    private string File => Path.Combine(_folder, "chaos", "kills.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void What_was_done_before_is_gone_on_from_and_what_was_finished_is_begun_afresh()
    {
        Assert.Null(KillTally.Read(File, 100));
        var tally = KillTally.Empty(7) with { Kills = 40, Batches = 1, Trades = 200, ByVictim = new Dictionary<string, int> { ["risk"] = 40 }, Failures = ["one"] };
        tally.Write(File);
        (tally with { Kills = 80, Batches = 2 }).Write(File);
        var read = KillTally.Read(File, 100)!;
        Assert.Equal((7, 80, 2, 200L, 40, "one"), (read.Seed, read.Kills, read.Batches, read.Trades, read.ByVictim["risk"], Assert.Single(read.Failures)));
        Assert.Null(KillTally.Read(File, 80));
        Assert.Single(Directory.GetFiles(Path.GetDirectoryName(File)!));
    }

    /// <summary>Two runs over one goal: the second begins where the first was interrupted, with what it counted.</summary>
    [Fact]
    public void Batches_of_two_runs_add_up()
    {
        KillTally.Empty(7).After(new Dictionary<string, int> { ["risk"] = 3, ["venue"] = 1 }, trades: 12, failure: null).Write(File);
        var second = KillTally.Read(File, 6)!.After(new Dictionary<string, int> { ["risk"] = 1, ["postgres"] = 1 }, trades: 8, failure: "one");
        second.Write(File);
        Assert.Equal((6, 2, 20L), (second.Kills, second.Batches, second.Trades));
        Assert.Equal(["postgres 1", "risk 4", "venue 1"], second.ByVictim.Select(v => $"{v.Key} {v.Value}"));
        Assert.Equal("one", Assert.Single(second.Failures));
        Assert.Null(KillTally.Read(File, 6));
    }

    [Fact]
    public void Three_batches_in_a_row_without_a_kill_are_enough()
    {
        var nobody = new Dictionary<string, int>();
        var tally = KillTally.Empty(7).After(nobody, 1, "a").After(nobody, 1, "b");
        Assert.False(tally.IsHopeless);
        Assert.True(tally.After(nobody, 1, "c").IsHopeless);
        Assert.False(tally.After(new Dictionary<string, int> { ["risk"] = 1 }, 1, failure: null).After(nobody, 1, "c").IsHopeless);
    }

    [Fact]
    public void What_is_no_tally_is_named_and_not_written_over()
    {
        KillTally.Empty(7).Write(File);
        System.IO.File.WriteAllText(File, "{");
        Assert.Contains(File, Assert.Throws<ChaosException>(() => KillTally.Read(File, 100)).Message, StringComparison.Ordinal);
    }
}
