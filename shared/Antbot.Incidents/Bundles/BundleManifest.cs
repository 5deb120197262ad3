using System.Text;
using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <param name="Sha256">Of what is in it, in hexadecimal digits.</param>
public sealed record BundleMember(string Name, long Bytes, string Sha256);

/// <summary>What is in a bundle, and what is not.</summary>
/// <param name="AntbotBundle">The version of the format.</param>
/// <param name="Build">Of whoever made it.</param>
/// <param name="Runtime">On which it was made.</param>
/// <param name="Left">What was left out, and why.</param>
public sealed record BundleManifest(
    int AntbotBundle, string Incident, Guid StoreId, DateTimeOffset Since, DateTimeOffset Until, DateTimeOffset MadeAt, string Build, string Runtime, IReadOnlyList<BundleMember> Members, IReadOnlyList<string> Left)
{
    public const int Version = 1;
    public const string Name = "manifest.json";
    public const string SignatureName = "manifest.sig";

    private const int LeftMax = 1_000;

    /// <summary>What its signature covers.</summary>
    public static byte[] Statement(ReadOnlySpan<byte> manifest) => Encoding.UTF8.GetBytes($"antbot:bundle:{Version}\n{BlobHash.Of(manifest)}\n");

    public byte[] Write() => JsonSerializer.SerializeToUtf8Bytes(this, EventCodec.Json);

    /// <exception cref="EventStoreException">It is none, or says something that no bundle has.</exception>
    public static BundleManifest Read(byte[] json)
    {
        BundleManifest manifest;
        try
        {
            manifest = JsonSerializer.Deserialize<BundleManifest>(json, EventCodec.Json) ?? throw new JsonException("it is null");
        }
        catch (Exception e) when (e is JsonException or NotSupportedException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw BundleLimits.Refused($"its manifest cannot be read ({EventWords.Plain(e.Message, 200)})");
        }
        return manifest.Fault() is { } fault ? throw BundleLimits.Refused(fault) : manifest;
    }

    /// <summary>Why nobody reads it, or null.</summary>
    public string? Fault()
    {
        if (AntbotBundle != Version)
            return $"its format is version {AntbotBundle}; this build reads {Version}";
        if (Incident is null || Build is null || Runtime is null || Members is null || Left is null || Left.Contains(null!) || Members.Contains(null!))
            return "its manifest lacks what every bundle has";
        if (Left.Count > LeftMax)
            return $"it names {Left.Count:N0} things that were left out, of {LeftMax:N0} at most";
        if (Members.Count > BundleLimits.MembersMax)
            return $"it announces {Members.Count} members, of which a bundle has {BundleLimits.MembersMax} at most";
        if (Members.FirstOrDefault(m => BundleLimits.NameFault(m.Name) is not null || m.Bytes < 0 || m.Bytes > BundleLimits.MemberBytesMax || m.Sha256 is not { Length: 64 } || !m.Sha256.All(char.IsAsciiHexDigitLower)) is { } bad)
            return $"its manifest announces the member '{EventWords.Plain(bad.Name ?? "", 100)}' of {bad.Bytes} bytes, which no bundle has";
        if (Members.DistinctBy(m => m.Name).Count() != Members.Count)
            return "its manifest announces a member twice";
        // Each of them is small enough: their sum cannot overflow.
        return Members.Sum(m => m.Bytes) > BundleLimits.TotalBytesMax ? $"its members come to more than {BundleLimits.TotalBytesMax:N0} bytes" : null;
    }
}

/// <summary>What a bundle has at most: whoever sends one may mean harm.</summary>
internal static class BundleLimits
{
    public const int MembersMax = 2_000;
    public const int NameLengthMax = 120;
    public const int ManifestBytesMax = 2 * 1024 * 1024;
    public const int DirectoryBytesMax = 1024 * 1024;
    public const long FileBytesMax = 1024L * 1024 * 1024;
    public const long MemberBytesMax = 1024L * 1024 * 1024;
    public const long TotalBytesMax = 2 * 1024L * 1024 * 1024;

    /// <summary>Of what is read into memory as a whole.</summary>
    public const int WholeBytesMax = 256 * 1024 * 1024;

    /// <summary>Why nothing in a bundle is called that, or null.</summary>
    public static string? NameFault(string? name) => name is { Length: >= 1 and <= NameLengthMax } && name.Split('/').All(part => part.Length > 0 && part[0] != '.' && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_'))
        ? null
        : $"'{EventWords.Plain(name ?? "", 100)}' is no name of a member";

    public static EventStoreException Refused(string what) => new(StoreFault.Corrupt, $"The bundle is refused: {what}.");
}
