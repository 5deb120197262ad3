using System.Text.RegularExpressions;
using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

public sealed partial class TableTests
{
    [Fact]
    public void Whatever_spoils_its_servers_runs_after_those_that_share_them_and_none_is_left_out()
    {
        var order = Cases.InRunningOrder(Cases.All).ToList();
        Assert.Equal(Cases.All.Select(c => c.Name).Order(), order.Select(c => c.Name).Order());
        Assert.All(order.Zip(order.Skip(1)).Where(p => (p.First.Layout, p.First.Standalone) == (p.Second.Layout, p.Second.Standalone)), p => Assert.False(p.First.Spoils && !p.Second.Spoils));
        Assert.Equal(order.Select(c => (c.Layout, c.Standalone)).Distinct().Count(), 1 + order.Zip(order.Skip(1)).Count(p => (p.First.Layout, p.First.Standalone) != (p.Second.Layout, p.Second.Standalone)));
    }

    [Fact]
    public void Every_case_has_a_name_of_its_own() => Assert.Equal(Cases.All.Count, Cases.All.Select(c => c.Name).Distinct(StringComparer.Ordinal).Count());

    /// <summary>A point that somebody adds to the code is not left out in silence.</summary>
    [Fact]
    public void Every_crash_point_in_the_code_has_its_cases()
    {
        var root = Programs.Own().Root;
        var inCode = new[] { "services", "shared" }
            .SelectMany(f => Directory.EnumerateFiles(Path.Combine(root, f), "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => Reached().Matches(File.ReadAllText(f)).Select(m => m.Groups["place"].Value))
            .ToHashSet(StringComparer.Ordinal);
        var inTable = Cases.Points.Select(p => p.Split('.')[1]).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(inCode.Order(StringComparer.Ordinal), inTable.Order(StringComparer.Ordinal));
    }

    /// <summary>Not each of them somewhere, but each of them in every service that has it.</summary>
    [Fact]
    public void Every_service_that_takes_messages_dies_at_every_point_of_the_pipeline()
    {
        string[] workers = ["coordinator", "validation", "risk", "execution", "reconciliation"];
        string[] expected =
        [
            .. workers.SelectMany(w => new[] { $"{w}.before-append", $"{w}.after-append", $"{w}.after-publish" }),
            "signal.before-append", "signal.after-append", "execution.before-send", "execution.after-send",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Cases.Points.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_service_is_parted_from_both_servers()
    {
        foreach (var server in new[] { "postgres", "rabbitmq" })
            Assert.Equal(Programs.Services.Order(StringComparer.Ordinal), Cases.Pairs.Where(p => p.To == server).Select(p => p.From).Order(StringComparer.Ordinal));
    }

    [GeneratedRegex("""CrashPoints\.Reach\(\$?"[^"]*\.(?<place>[a-z-]+)"\)""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Reached();
}
