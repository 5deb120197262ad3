using Xunit;

namespace Antbot.Architecture.Tests;

/// <summary>What must not compile does not, shown with projects that try.</summary>
public sealed class CompilerRuleTests(PlantedBuild build) : IClassFixture<PlantedBuild>
{
    private const string BannedSymbol = "RS0030";
    private const string MissingCase = "CS8509";

    [Theory]
    [InlineData(PlantedSources.Core)]
    [InlineData(PlantedSources.Kernel)]
    public void Clock_chance_threads_and_IO_do_not_compile_in_a_core_and_in_the_kernel(string project)
    {
        var lines = Lines(project, BannedSymbol);
        Assert.True(lines.Count > 0, build.Output);
        Assert.Equal(Says(project, PlantedSources.Marked(project)), Says(project, lines));
    }

    [Fact]
    public void What_is_no_core_may_use_them()
    {
        Assert.Empty(Lines(PlantedSources.Host, BannedSymbol));
        // It was compiled all the same: its uses break other rules of the code base.
        Assert.Contains(build.Errors, e => e.Project == PlantedSources.Host);
    }

    [Fact]
    public void A_switch_with_a_missing_case_does_not_compile()
    {
        var lines = Lines(PlantedSources.Switches, MissingCase);
        Assert.True(lines.Count > 0, build.Output);
        Assert.Equal(Says(PlantedSources.Switches, PlantedSources.Marked(PlantedSources.Switches)), Says(PlantedSources.Switches, lines));
    }

    private static List<string> Says(string project, IEnumerable<int> lines) => [.. lines.Select(line => PlantedSources.Line(project, line))];

    private List<int> Lines(string project, string code) =>
        [.. build.Errors.Where(e => e.Project == project && e.Code == code).Select(e => e.Line).Distinct().Order()];
}
