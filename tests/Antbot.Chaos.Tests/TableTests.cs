using Antbot.Chaos.Running;
using Xunit;

namespace Antbot.Chaos.Tests;

public sealed class TableTests
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

    /// <summary>A point that somebody adds to the code is not left out in silence; by its whole name, for the same place is another death in each that has it.</summary>
    [Fact]
    public void Every_crash_point_in_the_code_has_its_cases()
    {
        var root = Programs.Own().Root;
        var inCode = PointsInCode.In(Path.Combine(root, "services"), Path.Combine(root, "shared"));
        Assert.Equal(inCode.Where(p => !IsOfACommand(p)).Order(StringComparer.Ordinal), Cases.Points.Order(StringComparer.Ordinal));
        Assert.All(Cases.Points, p => Assert.Single(Cases.All, c => c.Name == $"kill-{p.Replace('.', '-')}"));
        // Those are a command's, which nobody starts again by himself and which no switch can end: its own tests end it at each of them.
        var killed = File.ReadAllText(Path.Combine(root, "tests", "Antbot.Integration.Tests", "Archives", "ArchiverTests.cs"));
        Assert.All(inCode.Where(IsOfACommand), p => Assert.Contains($"[InlineData(\"{p}\")]", killed, StringComparison.Ordinal));

        static bool IsOfACommand(string point) => point.StartsWith("archive.", StringComparison.Ordinal);
    }

    /// <summary>Whoever reads the code reads all of it: otherwise a point would have no case, and the test above would pass.</summary>
    [Fact]
    public void Crash_points_are_found_by_their_whole_names_however_they_are_reached()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-points-").FullName;
        try
        {
            Write("OneDecider", """public const string Consumer = "one"; public static Behaviour<A> With(B b) => new(Consumer, Fold);""");
            Write("Other", """public static Behaviour<A> Behaviour { get; } = new(  "other", Fold);""");
            Write("Calls", """CrashPoints.Reach($"{behaviour.Consumer}.after-append"); crashPoints.Reach("small.after-append"); _crashPoints.Reach("field.before-name"); parts.CrashPoints.Reach($"{OneDecider.Consumer}.before-send");""");
            Assert.Equal(["field.before-name", "one.after-append", "one.before-send", "other.after-append", "small.after-append"], PointsInCode.In(folder).Order(StringComparer.Ordinal));
            Write("Calls", "crashPoints.Reach(place);");
            Assert.Contains("place", Assert.Throws<InvalidOperationException>(() => PointsInCode.In(folder)).Message, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        void Write(string name, string text) => File.WriteAllText(Path.Combine(folder, $"{name}.cs"), text);
    }

    /// <summary>What the code is read for is what it is known to have: whoever decides dies at each place of the pipeline.</summary>
    [Fact]
    public void Everybody_who_decides_dies_at_every_point_of_the_pipeline()
    {
        string[] deciders = ["coordinator", "validation", "risk", "execution", "reconciliation", "dead-letters", "replays", "incidents", "access"];
        string[] expected =
        [
            .. deciders.SelectMany(w => new[] { $"{w}.before-append", $"{w}.after-append", $"{w}.after-publish" }),
            "signal.before-append", "signal.after-append", "execution.before-send", "execution.after-send", "dead-letters.after-send",
        ];
        Assert.Equal(expected.Order(StringComparer.Ordinal), Cases.Points.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_service_is_parted_from_both_servers()
    {
        foreach (var server in new[] { "postgres", "rabbitmq" })
            Assert.Equal(Programs.Services.Order(StringComparer.Ordinal), Cases.Pairs.Where(p => p.To == server).Select(p => p.From).Order(StringComparer.Ordinal));
    }
}
