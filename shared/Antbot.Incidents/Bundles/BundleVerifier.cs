using System.Text;
using System.Text.Json;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <param name="SignedBy">The key that signed the manifest; null where nobody did, or nobody could say.</param>
/// <param name="Faults">What is wrong with it, but for its events.</param>
/// <param name="Events">What is wrong with these; null where there are none, or it was not come so far.</param>
public sealed record BundleReport(BundleManifest? Manifest, string? SignedBy, IReadOnlyList<string> Faults, VerifyReport? Events, IReadOnlyList<string> Notices)
{
    public bool IsIntact => Faults.Count == 0 && Events?.IsIntact != false;

    /// <summary>Whoever makes a bundle makes its parts fit together: only a signature says that it is ours.</summary>
    public bool IsProven => IsIntact && SignedBy is not null;
}

/// <summary>Says whether a bundle is as it was made, with nothing but the public key.</summary>
public static class BundleVerifier
{
    private const int JsonDepthMax = 64;

    /// <param name="key">Null where none is known: then only that its parts fit together is shown.</param>
    public static async Task<BundleReport> VerifyAsync(string path, PublicKey? key, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        var (faults, notices) = (new List<string>(), new List<string>());
        BundleReader reader;
        try
        {
            reader = BundleReader.Open(path);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            return new BundleReport(null, null, [e.Message], null, notices);
        }
        using (reader)
        {
            var signedBy = CheckSignature(reader, key, faults, notices);
            var all = reader.Manifest.Members.Sum(m => m.Bytes);
            var done = 0L;
            foreach (var member in reader.Manifest.Members)
            {
                await CheckAsync(reader, member, faults, cancellationToken);
                progress?.Invoke(done += member.Bytes, all);
            }
            var events = await CheckEventsAsync(reader, key, faults, cancellationToken);
            notices.AddRange(reader.Manifest.Left);
            notices.AddRange(events?.Notices ?? []);
            return new BundleReport(reader.Manifest, signedBy, faults, events, notices);
        }
    }

    private static string? CheckSignature(BundleReader reader, PublicKey? key, List<string> faults, List<string> notices)
    {
        if (reader.Signature is not { } signature)
        {
            notices.Add("Nobody signed its manifest: its events are proven by themselves, and all else in it by nothing.");
            return null;
        }
        if (key is null)
        {
            notices.Add("No public key was given: the signature of its manifest was not checked. --public-key names its file.");
            return null;
        }
        if (IsSigned(reader.ManifestBytes, signature, key))
            return key.Id;
        faults.Add($"Its manifest was changed, or signed by another key than {key.Id}.");
        return null;
    }

    /// <summary>In one spelling only: base64's last character can hold bits that mean nothing.</summary>
    private static bool IsSigned(byte[] manifest, byte[] signature, PublicKey key)
    {
        var text = Encoding.Latin1.GetString(signature);
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var count) && Convert.ToBase64String(bytes, 0, count) == text && key.Verify(BundleManifest.Statement(manifest), bytes.AsSpan(0, count));
    }

    private static async Task CheckAsync(BundleReader reader, BundleMember member, List<string> faults, CancellationToken cancellationToken)
    {
        try
        {
            if (!member.Name.EndsWith(".json", StringComparison.Ordinal))
            {
                await reader.CopyAsync(member, Stream.Null, cancellationToken);
                return;
            }
            using var json = JsonDocument.Parse(await reader.ReadAsync(member.Name, BundleLimits.WholeBytesMax, cancellationToken), new JsonDocumentOptions { MaxDepth = JsonDepthMax });
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            faults.Add(e.Message);
        }
        catch (JsonException e)
        {
            faults.Add($"'{member.Name}' is not JSON ({EventWords.Plain(e.Message, 200)}).");
        }
    }

    private static async Task<VerifyReport?> CheckEventsAsync(BundleReader reader, PublicKey? key, List<string> faults, CancellationToken cancellationToken)
    {
        // What is not as it was put in is said already.
        if (faults.Count > 0 || !reader.Has(BundleContent.Events))
            return null;
        using var input = new MemoryStream(await reader.ReadAsync(BundleContent.Events, BundleLimits.WholeBytesMax, cancellationToken));
        var report = await ExportVerifier.VerifyAsync(input, new VerifyOptions { Key = key }, cancellationToken);
        if (report.IsIntact && report.StoreId != reader.Manifest.StoreId)
            faults.Add($"Its events are of store {report.StoreId}, and its manifest says {reader.Manifest.StoreId}.");
        return report;
    }
}
