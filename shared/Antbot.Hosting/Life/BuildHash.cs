using System.Reflection;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.Hosting.Life;

/// <summary>What this process runs, by what the compiler made of it: the same sources give the same hash, and a change of one line another.</summary>
internal static class BuildHash
{
    private const string Ours = "Antbot.";

    private static readonly Lazy<string> Hash = new(() => Of(Assembly.GetEntryAssembly() ?? typeof(BuildHash).Assembly));

    public static string Value => Hash.Value;

    /// <summary>Of an assembly, and of all of ours that it is made with.</summary>
    public static string Of(Assembly entry)
    {
        var found = new SortedDictionary<string, Guid>(StringComparer.Ordinal);
        var waiting = new Stack<Assembly>([entry, typeof(BuildHash).Assembly]);
        while (waiting.TryPop(out var assembly))
        {
            if (!found.TryAdd(assembly.GetName().Name!, assembly.ManifestModule.ModuleVersionId))
                continue;
            foreach (var name in assembly.GetReferencedAssemblies().Where(n => n.Name!.StartsWith(Ours, StringComparison.Ordinal)))
                waiting.Push(Assembly.Load(name));
        }
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', found.Select(a => $"{a.Key} {a.Value:N}")))));
    }
}
