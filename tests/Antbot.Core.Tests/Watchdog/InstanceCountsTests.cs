using Antbot.Watchdog.Core;
using Xunit;

namespace Antbot.Core.Tests.Watchdog;

public sealed class InstanceCountsTests
{
    private static readonly string[] Scalable = ["risk", "validation"];
    private static readonly string[] Single = ["venue"];

    [Fact]
    public void Counts_are_read_and_whatever_is_not_named_has_none()
    {
        var (counts, faults) = InstanceCounts.Parse("validation=3, risk=2", Scalable, Single);
        Assert.Empty(faults);
        Assert.Equal([("risk", 2), ("validation", 3)], counts.Select(c => (c.Key, c.Value)).Order());
        Assert.Empty(InstanceCounts.Parse("", Scalable, Single).Counts);
    }

    [Theory]
    [InlineData("venue=2", "cannot be scaled")]
    [InlineData("validaton=2", "no service")]
    [InlineData("risk=0", "between 1 and 32")]
    [InlineData("risk=99", "between 1 and 32")]
    [InlineData("risk=x", "between 1 and 32")]
    [InlineData("risk", "service=number")]
    [InlineData("risk=1 risk=2", "twice")]
    public void What_is_wrong_is_said(string text, string said) =>
        Assert.Contains(said, Assert.Single(InstanceCounts.Parse(text, Scalable, Single).Faults), StringComparison.Ordinal);

    [Fact]
    public void Every_fault_is_named() => Assert.Equal(3, InstanceCounts.Parse("a=1 b=1 risk=no", Scalable, Single).Faults.Count);
}
