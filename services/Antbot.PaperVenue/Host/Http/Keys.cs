using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.PaperVenue.Http;

/// <summary>Who asks, and what they may.</summary>
internal sealed record Caller(int Account, Permissions Permissions)
{
    public static Caller Nobody { get; } = new(0, Permissions.None);
}

/// <summary>Who may sign, and whether what is signed is signed right and in time.</summary>
internal sealed class Keys(TimeProvider clock)
{
    private const int DefaultWindow = 5_000;
    private const int MaxWindow = 60_000;
    private const int MaxAhead = 1_000;

    private readonly ConcurrentDictionary<string, Known> _known = new(StringComparer.Ordinal);

    /// <param name="Secret">Of HMAC; null for a key that is told by its public half.</param>
    private sealed record Known(ApiKey Key, Caller Caller, byte[]? Secret, byte[]? PublicKey);

    public IEnumerable<(ApiKey Key, int Account)> All => _known.Values.Select(k => (k.Key, k.Caller.Account));

    public void Add(ApiKey key, int account) => _known[key.Key] = new Known(
        key,
        new Caller(account, key.Permissions),
        key.Secret.Length > 0 ? Encoding.UTF8.GetBytes(key.Secret) : null,
        key.PublicKey is { } pem && Ed25519.TryReadPublicKey(pem, out var publicKey) ? publicKey : null);

    public bool Remove(string key) => _known.TryRemove(key, out _);

    public ApiKey? FindKey(string key) => _known.GetValueOrDefault(key)?.Key;

    /// <summary>The owner of a key, whether or not anything is signed with it.</summary>
    public Caller OwnerOf(string? key) => Find(key).Caller;

    public bool IsEd25519(string? key) => Find(key).PublicKey is not null;

    /// <summary>Who signed this just now.</summary>
    public Caller Verify(string? key, Parameters parameters)
    {
        var known = Find(key);
        var signature = parameters.Need("signature");
        var payload = Encoding.UTF8.GetBytes(parameters.Signed);
        if (!(known.PublicKey is { } publicKey ? IsSignedBy(publicKey, payload, signature) : IsAuthentic(known.Secret!, payload, signature)))
            throw new ApiException(-1022, "Signature for this request is not valid.");
        VerifyTime(parameters);
        return known.Caller;
    }

    public void VerifyTime(Parameters parameters)
    {
        var window = parameters.FindWhole("recvWindow") ?? DefaultWindow;
        if (window is < 1 or > MaxWindow)
            throw new ApiException(-1131, $"recvWindow must be less than {MaxWindow}");
        var timestamp = parameters.NeedWhole("timestamp");
        // Microseconds are taken too, and are a thousand times as many.
        if (timestamp > 100_000_000_000_000)
            timestamp /= 1_000;
        var now = clock.GetUtcNow().ToUnixTimeMilliseconds();
        if (timestamp >= now + MaxAhead)
            throw new ApiException(-1021, $"Timestamp for this request was {MaxAhead}ms ahead of the server's time.");
        if (now - timestamp > window)
            throw new ApiException(-1021, "Timestamp for this request is outside of the recvWindow.");
    }

    private static bool IsAuthentic(byte[] secret, byte[] payload, string signature)
    {
        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, payload, right);
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        return signature.Length == given.Length * 2
            && Convert.FromHexString(signature, given, out _, out var written) == OperationStatus.Done && written == given.Length
            && CryptographicOperations.FixedTimeEquals(right, given);
    }

    private static bool IsSignedBy(byte[] publicKey, byte[] payload, string signature)
    {
        Span<byte> given = stackalloc byte[Ed25519.SignatureBytes];
        return signature.Length <= 128 && Convert.TryFromBase64String(signature, given, out var written) && written == given.Length
            && Ed25519.Verify(publicKey, payload, given);
    }

    private Known Find(string? key)
    {
        if (string.IsNullOrEmpty(key) || !KeyFile.IsKey(key))
            throw new ApiException(-2014, "API-key format invalid.", 401);
        return _known.TryGetValue(key, out var known) ? known : throw NotAllowed();
    }

    public static ApiException NotAllowed() => new(-2015, "Invalid API-key, IP, or permissions for action.", 401);
}
