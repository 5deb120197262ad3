using System.Text.RegularExpressions;

namespace Antbot.Chaos.Tests;

/// <summary>The crash points of the code, by their whole names, read from the code itself: the table knows nothing of what it kills.</summary>
internal static partial class PointsInCode
{
    private const string OfWhoeverDecides = "{behaviour.Consumer}";

    /// <param name="folders">With everything below them.</param>
    public static IReadOnlySet<string> In(params string[] folders)
    {
        var texts = folders
            .SelectMany(f => Directory.EnumerateFiles(f, "*.cs", SearchOption.AllDirectories))
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .ToDictionary(f => f, File.ReadAllText, StringComparer.Ordinal);
        var deciders = texts.Values.SelectMany(t => Behaviour().Matches(t).Select(m => m.Groups["name"] is { Success: true } name ? name.Value : ConsumerIn(t))).ToList();
        return texts.SelectMany(t => Reach().Matches(t.Value).SelectMany(m => Named(m.Groups["point"].Value, t.Key, texts, deciders))).ToHashSet(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Named(string point, string file, Dictionary<string, string> texts, List<string> deciders)
    {
        var text = Text().Match(point) is { Success: true } quoted ? quoted.Groups["text"].Value : throw new InvalidOperationException($"{file} reaches a crash point by {point}, which is not said where it is reached.");
        if (text.StartsWith(OfWhoeverDecides, StringComparison.Ordinal))
            return deciders.Select(d => text.Replace(OfWhoeverDecides, d, StringComparison.Ordinal));
        return [OfAClass().Replace(text, m => ConsumerIn(texts.First(t => Path.GetFileNameWithoutExtension(t.Key) == m.Groups["class"].Value).Value))];
    }

    private static string ConsumerIn(string text) => Consumer().Match(text) is { Success: true } found ? found.Groups["name"].Value : throw new InvalidOperationException($"No consumer is named in: {text}");

    [GeneratedRegex("""\.Reach\((?<point>[^;]*)\);""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Reach();

    [GeneratedRegex("""^\$?"(?<text>[^"]+)"$""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Text();

    [GeneratedRegex("""\{(?<class>[A-Za-z]+)\.Consumer\}""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex OfAClass();

    [GeneratedRegex("""static Behaviour<\w+> \w+(\([^)]*\) =>| \{ get; \} =)\s*new\(\s*("(?<name>[a-z-]+)"|Consumer),""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Behaviour();

    [GeneratedRegex("""const string Consumer = "(?<name>[a-z-]+)";""", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1_000)]
    private static partial Regex Consumer();
}
