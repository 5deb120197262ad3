using System.Security.Cryptography;
using System.Text.Json;

namespace Antbot.Hosting;

/// <summary>
/// The settings that a process was given, as one hash: what was not given is the build's own. A secret is in it only as being there, and
/// where a process stands is left out: two of a service that are set alike are alike.
/// </summary>
internal static class ConfigurationHash
{
    private static readonly HashSet<string> Places = new(StringComparer.OrdinalIgnoreCase) { nameof(PlatformOptions.Listen), nameof(PlatformOptions.Instance) };

    public static string Of(IReadOnlyDictionary<string, string?> settings)
    {
        // Sorted here and not made canonical: a setting may hold what no event may, such as a NUL.
        var told = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value) in settings.Where(s => s.Value is not null && !Places.Contains(s.Key)))
            told[name.ToUpperInvariant()] = SecretTexts.Without(name, value!);
        return Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(told)));
    }
}
