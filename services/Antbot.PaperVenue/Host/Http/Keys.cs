using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.PaperVenue.Http;

/// <summary>Who may sign, and whether what is signed is signed right and in time.</summary>
internal sealed class Keys(TimeProvider clock)
{
    private const int DefaultWindow = 5_000;
    private const int MaxWindow = 60_000;
    private const int MaxAhead = 1_000;

    private readonly ConcurrentDictionary<string, (int Account, byte[] Secret)> _known = new(StringComparer.Ordinal);

    public void Add(ApiKey key, int account) => _known[key.Key] = (account, Encoding.UTF8.GetBytes(key.Secret));

    public void Remove(string key) => _known.TryRemove(key, out _);

    public int AccountOf(string? key) => Find(key).Account;

    /// <summary>The account that signed this just now.</summary>
    public int Verify(string? key, Parameters parameters)
    {
        var (account, secret) = Find(key);
        var signature = parameters.Need("signature");
        Span<byte> right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(parameters.Signed), right);
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes];
        var wellFormed = signature.Length == given.Length * 2
            && Convert.FromHexString(signature, given, out _, out var written) == OperationStatus.Done && written == given.Length;
        if (!wellFormed || !CryptographicOperations.FixedTimeEquals(right, given))
            throw new ApiException(-1022, "Signature for this request is not valid.");
        VerifyTime(parameters);
        return account;
    }

    private void VerifyTime(Parameters parameters)
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

    private (int Account, byte[] Secret) Find(string? key)
    {
        if (string.IsNullOrEmpty(key) || !KeyFile.IsKey(key))
            throw new ApiException(-2014, "API-key format invalid.", 401);
        return _known.TryGetValue(key, out var known) ? known : throw new ApiException(-2015, "Invalid API-key, IP, or permissions for action.", 401);
    }
}
