using System.Reflection;
using System.Text.RegularExpressions;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Conformance;

public sealed partial class NumbersTests
{
    [Fact]
    public async Task The_documented_numbers_are_those_of_the_suite_without_a_gap()
    {
        var page = await File.ReadAllLinesAsync(Path.Combine(RepositoryFolder.Root, "docs", "venues.md"), TestContext.Current.CancellationToken);
        var documented = page.Select(l => Row().Match(l)).Where(m => m.Success).Select(m => m.Groups["number"].Value).ToList();
        var tried = typeof(VenueConformance).GetMethods().Where(m => m.GetCustomAttribute<FactAttribute>() is not null).Select(m => m.Name.Split('_')[0]).Order(StringComparer.Ordinal).ToList();
        Assert.Equal(tried, documented);
        Assert.Equal(Enumerable.Range(1, tried.Count).Select(n => $"V{n:00}"), tried);
    }

    [GeneratedRegex(@"^\| (?<number>V\d\d) \| [^|]+ \| [^|]+ \|$", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking)]
    private static partial Regex Row();
}
