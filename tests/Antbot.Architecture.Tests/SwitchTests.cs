using System.Text.RegularExpressions;
using Xunit;

namespace Antbot.Architecture.Tests;

/// <summary>The compiler refuses a switch expression that lacks a case; of a statement it would say nothing.</summary>
public sealed partial class SwitchTests
{
    [Fact]
    public void Every_switch_statement_says_what_becomes_of_the_rest()
    {
        var files = new[] { "services", "shared" }
            .SelectMany(f => Directory.EnumerateFiles(Path.Combine(Repository.Root, f), "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));
        var open = files.SelectMany(f => OpenSwitches(File.ReadAllText(f)).Select(line => $"{Path.GetRelativePath(Repository.Root, f)}:{line}"));
        Assert.Empty(open);
    }

    [Fact]
    public void A_statement_that_leaves_cases_open_is_found()
    {
        const string Source = """
            switch (a)
            {
                case 1:
                    switch (b)
                    {
                        case 2: break;
                        default: break;
                    }
                    break;
            }
            switch (c)
            {
                case 1: break;
                case var other: throw new X(other);
            }
            """;
        Assert.Equal([1], OpenSwitches(Source));
    }

    private static IEnumerable<int> OpenSwitches(string source)
    {
        foreach (Match match in Statement().Matches(source))
        {
            var (depth, isOpen) = (0, true);
            for (var i = source.IndexOf('{', match.Index); i < source.Length; i++)
            {
                depth += source[i] switch { '{' => 1, '}' => -1, _ => 0 };
                if (depth == 0)
                    break;
                // Its own, not that of a switch within it.
                if (depth == 1 && Rest().IsMatch(source.AsSpan(i)))
                    isOpen = false;
            }
            if (isOpen)
                yield return source.AsSpan(0, match.Index + match.Length).Count('\n') + 1;
        }
    }

    [GeneratedRegex(@"^[ ]*switch \(", RegexOptions.Multiline, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Statement();

    [GeneratedRegex(@"\A\n[ ]*(default:|case var \w+:)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Rest();
}
