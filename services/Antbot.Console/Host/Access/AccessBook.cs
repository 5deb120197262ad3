using System.Security.Cryptography;
using System.Text;
using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.Access;

/// <summary>
/// The tokens of the record, as far as they are known here. What is known is read on from where it stood before a token is looked for, at
/// most once a second: so long one that was revoked at another Console may still be let in.
/// </summary>
internal sealed class AccessBook(IEventStore store, EventCodec codec, TimeProvider clock) : IDisposable
{
    private const int TokenLengthMax = 512;

    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private (AccessState State, long Version) _known = (AccessState.Initial, 0);
    private long? _readAt;

    /// <summary>What the record has of a token. Nobody finds the token from it.</summary>
    public static string HashOf(string token) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)));

    public static string NewToken() => $"antbot_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32))}";

    /// <summary>Null where no token is known that would be let in. A store that cannot be read lets nobody in: it throws.</summary>
    public async Task<Caller?> FindAsync(string token, CancellationToken cancellationToken)
    {
        if (token.Length is 0 or > TokenLengthMax)
            return null;
        var hash = Encoding.ASCII.GetBytes(HashOf(token));
        AccessToken? found = null;
        foreach (var known in (await ReadAsync(anew: false, cancellationToken)).Tokens.Values)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, Encoding.ASCII.GetBytes(known.Token)))
                found = known;
        }
        return found is null || found.HasExpired(clock.GetUtcNow()) ? null : new Caller(found.Name, found.Role);
    }

    /// <param name="anew">Whether what was read a moment ago will not do.</param>
    public async Task<AccessState> ReadAsync(bool anew, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            if (!anew && _readAt is { } at && clock.GetElapsedTime(at) < Fresh)
                return _known.State;
            await foreach (var stored in store.ReadStreamAsync(Streams.Access, _known.Version + 1, cancellationToken))
                _known = (AccessDecider.Behaviour.Fold.Apply(_known.State, codec.Decode(stored)), stored.Version);
            _readAt = clock.GetTimestamp();
            return _known.State;
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public void Dispose() => _oneAtATime.Dispose();
}
