using System.Text.Json.Nodes;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Events;

public sealed class StoredNamesTests
{
    private const string Filled = "planted_filled {Levels:[Decimal] OrderId:Guid Price:Decimal? Side:enum(Buy=0,Sell=1)}";
    private const string Closed = "planted_closed {Reason?:String?}";

    [Fact]
    public void The_events_of_this_build_are_the_ones_that_are_listed()
    {
        var listed = StoredNames.Parse(File.ReadLines(Path.Combine(AppContext.BaseDirectory, "stored-names.txt")));
        var registry = EventRegistry.From(StoredNames.ProductionAssemblies());
        var findings = StoredNames.Compare(listed, registry);
        Assert.True(findings.Count == 0, string.Join('\n', findings));
    }

    [Fact]
    public void Every_project_that_has_events_is_looked_at()
    {
        var folders = new[] { "services", "shared" }.Select(area => Path.Combine(RepositoryRoot(), area)).ToList();
        var cores = folders.SelectMany(f => Directory.EnumerateFiles(f, "*.Core.csproj", SearchOption.AllDirectories)).Select(Path.GetFileNameWithoutExtension);
        var withEvents = folders
            .SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories))
            .Where(file => File.ReadLines(file).Any(line => line.TrimStart().StartsWith("[StoredName(\"", StringComparison.Ordinal)))
            .Select(ProjectOf)
            .Distinct(StringComparer.Ordinal)
            .ToList();
        Assert.Contains("Antbot.Hosting", withEvents);

        Assert.Empty(cores.Concat(withEvents).Except(StoredNames.ProductionAssemblies().Select(a => a.GetName().Name), StringComparer.Ordinal));
    }

    [Fact]
    public void A_list_that_fits_is_left_in_peace() => Assert.Empty(Compare([Filled, Closed], Planted()));

    [Fact]
    public void A_name_that_vanished_is_caught()
    {
        var finding = Assert.Single(Compare([Filled, Closed, "planted_opened {Price:Decimal}"], Planted()));
        Assert.StartsWith("'planted_opened' has vanished", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void A_renamed_stored_name_is_caught_as_one_that_vanished_and_one_that_is_new()
    {
        var findings = Compare([Closed, Filled.Replace("planted_filled", "planted_executed", StringComparison.Ordinal)], Planted());
        Assert.Equal(2, findings.Count);
        Assert.StartsWith("'planted_executed' has vanished", findings[0], StringComparison.Ordinal);
        Assert.StartsWith("'planted_filled' is new", findings[1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_that_vanished_behind_an_upcaster_is_history()
    {
        string[] listed = [Filled, Closed, "planted_closed_v0 {}", "planted_closed_v1 {}"];
        var covered = Planted().Upcast("planted_closed_v0", "planted_closed_v1", body => body).Upcast("planted_closed_v1", "planted_closed", _ => new JsonObject { ["Reason"] = null });
        Assert.Empty(Compare(listed, covered));

        var brokenOff = Planted().Upcast("planted_closed_v0", "planted_closed_v1", body => body);
        var findings = Compare(listed, brokenOff);
        Assert.Equal(["'planted_closed_v0' has vanished", "'planted_closed_v1' has vanished"], findings.Select(f => f[..f.IndexOf(':', StringComparison.Ordinal)]));
    }

    [Fact]
    public void An_upcast_name_whose_line_was_taken_out_is_caught()
    {
        var finding = Assert.Single(Compare([Filled, Closed], Planted().Upcast("planted_opened", "planted_closed", body => body)));
        Assert.StartsWith("'planted_opened' is upcast and not listed", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_name_that_is_not_listed_is_caught_with_the_line_to_add()
    {
        var finding = Assert.Single(Compare([Filled], Planted()));
        Assert.Equal($"'planted_closed' is new. Add the line: {Closed}", finding);
    }

    [Theory]
    [InlineData("Price:Decimal?", "Price:Decimal")]
    [InlineData("Price:Decimal?", "Price:Int64?")]
    [InlineData("OrderId:Guid", "Id:Guid")]
    [InlineData("OrderId:Guid ", "")]
    [InlineData("Sell=1", "Sell=2")]
    [InlineData("Sell=1", "Sell=1,Short=2")]
    [InlineData("Levels:[Decimal]", "Levels:[String]")]
    public void A_name_that_moved_to_another_shape_is_caught(string now, string once)
    {
        Assert.Contains(now, Filled, StringComparison.Ordinal);
        var finding = Assert.Single(Compare([Filled.Replace(now, once, StringComparison.Ordinal), Closed], Planted()));
        Assert.StartsWith("'planted_filled' has another shape", finding, StringComparison.Ordinal);
    }

    [Fact]
    public void A_class_may_move_and_be_renamed_under_its_stored_name()
    {
        var moved = new EventRegistry().Add(typeof(PlantedFilled), typeof(Moved.ClosedElsewhere));
        Assert.Empty(Compare([Filled, Closed], moved));
    }

    [Fact]
    public void Nested_recursive_and_keyed_shapes_are_written_out() => Assert.Equal(
        "{Children:[itself]? Inner:{Count:Int32 Name:String} Rates:[String:Decimal?]}",
        StoredNames.ShapeOf(typeof(PlantedTree)));

    [Fact]
    public void A_list_that_names_an_event_twice_is_refused() =>
        Assert.Throws<ArgumentException>(() => StoredNames.Parse([Filled, "planted_filled {}"]));

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Antbot.Services.sln")))
            folder = folder.Parent ?? throw new InvalidOperationException("The tests do not run inside the repository.");
        return folder.FullName;
    }

    private static string? ProjectOf(string file)
    {
        for (var folder = Path.GetDirectoryName(file); folder is not null; folder = Path.GetDirectoryName(folder))
        {
            if (Directory.EnumerateFiles(folder, "*.csproj").FirstOrDefault() is { } project)
                return Path.GetFileNameWithoutExtension(project);
        }
        return null;
    }

    private static EventRegistry Planted() => new EventRegistry().Add(typeof(PlantedFilled), typeof(PlantedClosed));

    private static IReadOnlyList<string> Compare(IEnumerable<string> list, EventRegistry registry) =>
        StoredNames.Compare(StoredNames.Parse(list.Prepend("# a comment").Append("")), registry);

    private enum PlantedSide
    {
        Buy = 0,
        Sell = 1,
    }

    [StoredName("planted_filled")]
    private sealed record PlantedFilled(Guid OrderId, decimal? Price, PlantedSide Side, IReadOnlyList<decimal> Levels)
    {
        public bool IsSale => Side == PlantedSide.Sell;
    }

    [StoredName("planted_closed")]
    private sealed record PlantedClosed(string? Reason = null);

    private sealed record PlantedInner(string Name, int Count);

    private sealed record PlantedTree(IReadOnlyList<PlantedTree>? Children, PlantedInner Inner, IReadOnlyDictionary<string, decimal?> Rates);

    private static class Moved
    {
        [StoredName("planted_closed")]
        internal sealed record ClosedElsewhere(string? Reason = null);
    }
}
