using System.Collections;
using Microsoft.Extensions.Configuration;

namespace Antbot.Hosting;

/// <summary>
/// Where settings come from: variables that begin with <c>ANTBOT_</c>, and the command line over them. A secret may be in a file:
/// <c>ANTBOT_VENUE__SECRET_FILE=/run/secrets/venue</c> is read into <c>ANTBOT_VENUE__SECRET</c>. What neither says may be said by a
/// name of the operating documents: <see cref="DocumentNames"/>.
/// </summary>
internal static class HostConfiguration
{
    public const string Prefix = "ANTBOT_";

    public const string FileSuffix = "_FILE";
    private const int FileBytesMax = 64 * 1024;
    private const int NearMiss = 2;

    public static Dictionary<string, string?> Read(string[] arguments, IDictionary environment, List<string> faults)
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(environment.Cast<DictionaryEntry>()
                .Where(e => ((string)e.Key).StartsWith(Prefix, StringComparison.OrdinalIgnoreCase))
                .Select(e => KeyValuePair.Create(((string)e.Key)[Prefix.Length..].Replace("__", ConfigurationPath.KeyDelimiter, StringComparison.Ordinal), (string?)e.Value))
                .DistinctBy(e => e.Key, StringComparer.OrdinalIgnoreCase))
            .AddCommandLine(arguments)
            .Build();
        var settings = configuration.AsEnumerable().Where(s => s.Value is not null).ToDictionary(s => s.Key, s => s.Value, StringComparer.OrdinalIgnoreCase);
        foreach (var (key, file) in settings.Where(s => IsFile(s.Key)).ToList())
        {
            settings.Remove(key);
            var plain = key[..^FileSuffix.Length];
            if (settings.ContainsKey(plain))
                faults.Add($"{BoundOptions.Variable("", plain)} is given both as it is and as a file; give one.");
            else if (string.IsNullOrEmpty(file))
                faults.Add($"{BoundOptions.Variable("", key)} names no file.");
            else if (ReadFile(BoundOptions.Variable("", key), file, faults) is { } content)
                settings[plain] = content;
        }
        return settings;
    }

    /// <summary>What is in a section that is read here and belongs to none of its options; and what looks like a slip in a name.</summary>
    /// <param name="isWhole">No other process reads from the same environment: a section that is not read here is read nowhere.</param>
    public static IEnumerable<string> FindUnknown(IReadOnlyDictionary<string, string?> settings, IReadOnlyCollection<OptionsUse> uses, IEnumerable<string> modules, bool isWhole)
    {
        var known = uses.GroupBy(u => u.Section, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(g => g.Key, g => g.SelectMany(u => BoundOptions.Properties(u.Options).Select(BoundOptions.KeyOf)).ToList(), StringComparer.OrdinalIgnoreCase);
        foreach (var module in modules)
            known.TryAdd(module, []);
        foreach (var key in settings.Keys.Order(StringComparer.OrdinalIgnoreCase))
        {
            var parts = key.Split(ConfigurationPath.KeyDelimiter);
            if (parts.Length == 1)
            {
                if (!known[""].Exists(k => BoundOptions.IsSame(k, key)) && known[""].Find(k => Distance(k, key) <= NearMiss) is { } near)
                    yield return $"{BoundOptions.Variable("", key)} is not known. Is {BoundOptions.Variable("", near)} meant?";
            }
            else if (!known.TryGetValue(parts[0], out var options))
            {
                // Another's section is of no matter here; a slip in the name of one of ours would leave its defaults in force.
                if (known.Keys.FirstOrDefault(s => s.Length > NearMiss && Distance(s, parts[0]) <= NearMiss) is { } section)
                    yield return $"{BoundOptions.Variable("", key)} is not known. Is {BoundOptions.Variable(section, parts[1])} meant?";
                else if (isWhole)
                    yield return $"{BoundOptions.Variable("", key)} is not known: there is no section {parts[0].ToUpperInvariant()}. There are {string.Join(", ", known.Keys.Where(k => k.Length > 0).Select(k => k.ToUpperInvariant()).Order(StringComparer.Ordinal))}.";
            }
            else if (!options.Exists(o => BoundOptions.IsSame(o, parts[1])))
            {
                var near = options.MinBy(o => Distance(o, parts[1]));
                yield return $"{BoundOptions.Variable("", key)} is not known{(near is null ? "" : $"; the nearest is {BoundOptions.Variable(parts[0], near)}")}.";
            }
        }
    }

    /// <summary>Only what is read here: <c>ANTBOT_SIGNING_KEY_FILE</c> is another's.</summary>
    private static bool IsFile(string key) => key.EndsWith(FileSuffix, StringComparison.OrdinalIgnoreCase)
        && (key.Contains(ConfigurationPath.KeyDelimiter, StringComparison.Ordinal)
            || BoundOptions.Properties(typeof(PlatformOptions)).Any(p => string.Equals(BoundOptions.KeyOf(p) + FileSuffix, key, StringComparison.OrdinalIgnoreCase)));

    internal static string? ReadFile(string variable, string file, List<string> faults)
    {
        try
        {
            if (new FileInfo(file).Length <= FileBytesMax)
                return File.ReadAllText(file).Trim();
            faults.Add($"{variable}: '{file}' is larger than {FileBytesMax / 1024} KiB.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            faults.Add($"{variable}: the file cannot be read: {e.Message}");
        }
        return null;
    }

    /// <summary>How many letters have to be changed, added or left out.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var (diagonal, left) = (row[0], row[0] = i);
            for (var j = 1; j <= b.Length; j++)
            {
                var cost = char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1;
                left = Math.Min(Math.Min(left, row[j]) + 1, diagonal + cost);
                (diagonal, row[j]) = (row[j], left);
            }
        }
        return row[^1];
    }
}
