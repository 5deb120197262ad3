using System.Security.Cryptography;
using System.Text.Json;
using Antbot.Kernel.Proof;

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
        var told = settings.Where(s => s.Value is not null && !Places.Contains(s.Key)).ToDictionary(s => s.Key.ToUpperInvariant(), s => SecretTexts.Without(s.Key, s.Value!), StringComparer.Ordinal);
        return Convert.ToHexStringLower(SHA256.HashData(CanonicalJson.From(JsonSerializer.SerializeToUtf8Bytes(told))));
    }
}
