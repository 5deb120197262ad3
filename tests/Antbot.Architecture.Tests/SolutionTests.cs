using Antbot.Contracts.Messages;
using Xunit;

namespace Antbot.Architecture.Tests;

public sealed class SolutionTests
{
    private const int PageWordsMax = 700;

    [Fact]
    public void Every_project_is_in_the_solution_and_every_entry_is_a_project()
    {
        var entries = Repository.SolutionEntries(File.ReadAllText(Path.Combine(Repository.Root, "Antbot.Services.sln")));
        Assert.Equal(Repository.ProjectFiles(), entries.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void An_entry_of_the_solution_is_read_and_a_folder_is_none() => Assert.Equal(
        ["shared/A/A.csproj"],
        Repository.SolutionEntries("""
            Project("{2150E333-8FDC-42A3-9474-1A3956D46DE8}") = "shared", "shared", "{4F52FD11-658E-A102-6CD3-7D7C16FFA15B}"
            EndProject
            Project("{FAE04EC0-301F-11D3-BF4B-00C04F79EFBC}") = "A", "shared\A\A.csproj", "{F10C55D4-5F46-4471-85FE-8E8D95194228}"
            EndProject
            """));

    /// <summary>Purity and the banned symbols go by the name: a core under another name would escape them.</summary>
    [Fact]
    public void Every_project_in_a_Core_folder_bears_the_name_that_the_rules_go_by() => Assert.Empty(MisnamedCores(Repository.ProjectFiles()));

    [Fact]
    public void A_core_under_another_name_is_caught()
    {
        string[] good = ["services/Antbot.Risk/Core/Antbot.Risk.Core.csproj", "services/Antbot.Risk/Host/Antbot.Risk.csproj", "tests/Antbot.Core.Tests/Antbot.Core.Tests.csproj"];
        string[] bad = ["services/Antbot.Risk/Core/Antbot.Risk.csproj", "services/Antbot.Risk/Core/Rules/Antbot.Risk.Rules.csproj", "services/Antbot.Risk/Host/Antbot.Risk.Core.csproj"];
        Assert.Equal(bad, MisnamedCores(good.Concat(bad)));
    }

    [Fact]
    public void Every_service_says_on_one_page_what_it_is_for()
    {
        var services = Directory.EnumerateDirectories(Path.Combine(Repository.Root, "services"), "Antbot.*").Select(Path.GetFileName).ToList();
        Assert.NotEmpty(services);
        Assert.All(services, s => Assert.True(HasPage(Path.Combine(Repository.Root, "services", s!)), $"services/{s} has no README.md that says what it is for"));
    }

    [Fact]
    public void The_page_of_a_service_is_one_page()
    {
        var pages = Directory.EnumerateDirectories(Path.Combine(Repository.Root, "services"), "Antbot.*").Where(s => Directory.Exists(Path.Combine(s, "Host"))).ToDictionary(s => s, s => File.ReadAllText(Path.Combine(s, "README.md")));
        Assert.NotEmpty(pages);
        Assert.All(pages, p => Assert.True(IsOnePage(p.Value), $"{p.Key}/README.md has more than {PageWordsMax} words: the rest belongs into docs/"));
        Assert.False(IsOnePage(string.Join(' ', Enumerable.Repeat("word", PageWordsMax + 1))));
    }

    [Theory]
    [MemberData(nameof(Endpoints))]
    public void The_page_of_a_service_names_every_message_that_comes_to_it(string endpoint)
    {
        var page = Path.Combine(Repository.Root, "services", $"Antbot.{char.ToUpperInvariant(endpoint[0])}{endpoint[1..]}", "README.md");
        var consumes = File.ReadLines(page).SkipWhile(l => !l.Contains("**Consumes**", StringComparison.Ordinal)).TakeWhile(l => !l.Contains("**Emits**", StringComparison.Ordinal)).ToList();
        Assert.All(Routes.All.Where(r => r.Value.Contains(endpoint)), r => Assert.Contains($"`{r.Key.Name}`", string.Join(' ', consumes), StringComparison.Ordinal));
    }

    public static TheoryData<string> Endpoints => [.. Routes.Endpoints];

    [Fact]
    public void A_service_without_its_page_is_caught()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-page-").FullName;
        try
        {
            Assert.False(HasPage(folder));
            File.WriteAllText(Path.Combine(folder, "README.md"), "# Risk\n");
            Assert.False(HasPage(folder));
            File.WriteAllText(Path.Combine(folder, "README.md"), "# Risk\n\nDecides whether a trade may be made, and how large it may be, before it is made.\n");
            Assert.True(HasPage(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>A service's core stands in its Core folder under its name, and nothing else does either.</summary>
    private static List<string> MisnamedCores(IEnumerable<string> paths) =>
        [.. paths.Where(p => Project.ServiceOf(p) is { } service
            && (p.Contains("/Core/", StringComparison.Ordinal) || p.EndsWith(".Core.csproj", StringComparison.Ordinal))
            && p != $"services/{service}/Core/{service}.Core.csproj")];

    private static bool IsOnePage(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries).Length <= PageWordsMax;

    /// <summary>A page with a heading and at least a sentence under it.</summary>
    private static bool HasPage(string folder)
    {
        var page = Path.Combine(folder, "README.md");
        return File.Exists(page) && File.ReadAllLines(page) is [['#', ' ', ..], .. var rest] && rest.Sum(line => line.Length) >= 60;
    }
}
