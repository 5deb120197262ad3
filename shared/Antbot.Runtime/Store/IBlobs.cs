using System.Security.Cryptography;

namespace Antbot.Runtime.Store;

/// <summary>
/// Bodies that are too large for an event, each once, by the hash that the event has of it. They are added and never changed. Put first
/// and recorded then: what a crash leaves in between is found again by its hash.
/// </summary>
public interface IBlobs
{
    /// <param name="sha256">Of the body, in hexadecimal digits.</param>
    Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default);

    /// <summary>Null where there is none. One that is not what its hash says throws <see cref="StoreFault.Corrupt"/>.</summary>
    Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default);
}

public static class BlobHash
{
    public static string Of(ReadOnlySpan<byte> body) => Convert.ToHexStringLower(SHA256.HashData(body));

    /// <summary>What was read, where it is what was put.</summary>
    public static byte[] Checked(string sha256, byte[] body) => Of(body) == sha256
        ? body
        : throw new EventStoreException(StoreFault.Corrupt, $"The body {sha256} has been changed since it was put there: its hash is {Of(body)}.");
}

/// <summary>For the simulator and for tests.</summary>
public sealed class InMemoryBlobs : IBlobs
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, byte[]> _bodies = new(StringComparer.Ordinal);

    public Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        _bodies.TryAdd(sha256, BlobHash.Checked(sha256, body.ToArray()));
        return Task.CompletedTask;
    }

    public Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default) =>
        Task.FromResult(_bodies.TryGetValue(sha256, out var body) ? BlobHash.Checked(sha256, [.. body]) : null);
}
