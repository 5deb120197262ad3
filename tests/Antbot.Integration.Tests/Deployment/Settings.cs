using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Antbot.Hosting;
using Antbot.Standalone;

namespace Antbot.Integration.Tests.Deployment;

/// <summary>Which variables each process reads, asked of the code.</summary>
internal static partial class Settings
{
    /// <summary>What stands for many settings, one for each service.</summary>
    private const string Services = "ANTBOT_CONSOLE__SERVICES";

    private const string FileSuffix = "_FILE";

    /// <summary>The services that are hosted as modules, by the name they have here.</summary>
    public static IReadOnlyDictionary<string, IServiceModule> Modules => PlatformModules.Make().ToDictionary(m => m.Name, StringComparer.Ordinal);

    private static readonly ConcurrentDictionary<string, HashSet<string>> Known = new(StringComparer.Ordinal);

    public static bool Reads(string process, string variable)
    {
        var known = Known.GetOrAdd(process, static name => name switch
        {
            "venue" => InSource("services/Antbot.PaperVenue/Host"),
            "cli" or "schema" or "notary" or "gate" => [.. InSource("services/Antbot.Cli"), Antbot.EventStore.Proof.SigningKey.FileVariable],
            _ => InTemplate(Modules[name]),
        });
        return known.Contains(variable)
            || (variable.EndsWith(FileSuffix, StringComparison.Ordinal) && known.Contains(variable[..^FileSuffix.Length]))
            || (known.Contains(Services) && variable.StartsWith($"{Services}__", StringComparison.Ordinal));
    }

    private static HashSet<string> InTemplate(IServiceModule module) => [.. TemplateLine().Matches(ConfigurationTemplate.RenderModules([module])).Select(m => m.Groups["name"].Value)];

    /// <summary>Programs that are no modules name their variables in their sources; the store's is named where stores are.</summary>
    private static HashSet<string> InSource(string folder) =>
    [
        Antbot.EventStore.StoreAddress.Variable,
        .. Directory.EnumerateFiles(Path.Combine(RepositoryFolder.Root, folder), "*.cs", SearchOption.AllDirectories)
            .Where(f => !f.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .SelectMany(f => Literal().Matches(File.ReadAllText(f)).Select(m => m.Groups["name"].Value)),
    ];

    [GeneratedRegex("^#(?<name>ANTBOT_[A-Z0-9_]+)=", RegexOptions.Multiline | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex TemplateLine();

    [GeneratedRegex("\"(?<name>ANTBOT_[A-Z0-9_]+)\"", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Literal();
}
