using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Bundles;

/// <summary>One file that holds all of an incident: a zip, so that anybody can look into it, with a manifest of what must be in it.</summary>
internal sealed class BundleWriter(Stream output, DateTimeOffset madeAt) : IDisposable
{
    private readonly ZipArchive _zip = new(output, ZipArchiveMode.Create, leaveOpen: true);
    private readonly List<BundleMember> _members = [];

    public bool HasRoom => _members.Count < BundleLimits.MembersMax;

    /// <param name="most">So many bytes: what nobody could open is not written.</param>
    public async Task AddAsync(string name, long most, Func<Stream, Task> write)
    {
        if (BundleLimits.NameFault(name) is { } fault)
            throw new ArgumentException(fault, nameof(name));
        await using var into = Open(name);
        using var hashed = new HashedStream(into, most);
        await write(hashed);
        _members.Add(new BundleMember(name, hashed.Bytes, hashed.Finish()));
    }

    public Task AddAsync(string name, byte[] content) => AddAsync(name, BundleLimits.WholeBytesMax, to => to.WriteAsync(content).AsTask());

    /// <param name="key">Signs the manifest; null where there is none.</param>
    public async Task<BundleManifest> FinishAsync(BundleManifest manifest, SigningKey? key)
    {
        var whole = manifest with { Members = [.. _members] };
        var json = whole.Write();
        // What nobody could open is not written.
        if ((whole.Fault() ?? (json.Length > BundleLimits.ManifestBytesMax ? $"its manifest has {json.Length:N0} bytes, of {BundleLimits.ManifestBytesMax:N0} at most" : null)) is { } fault)
            throw new EventStoreException(StoreFault.Invalid, $"Such a bundle could not be opened: {fault}. Open an incident of a shorter period, or of some trades.");
        await using (var into = Open(BundleManifest.Name))
            await into.WriteAsync(json);
        if (key is not null)
        {
            await using var into = Open(BundleManifest.SignatureName);
            await into.WriteAsync(Encoding.ASCII.GetBytes(Convert.ToBase64String(key.Sign(BundleManifest.Statement(json)))));
        }
        return whole;
    }

    public void Dispose() => _zip.Dispose();

    private Stream Open(string name)
    {
        var entry = _zip.CreateEntry(name, CompressionLevel.Optimal);
        entry.LastWriteTime = madeAt.Year is >= 1980 and <= 2107 ? madeAt : entry.LastWriteTime;
        return entry.Open();
    }

    /// <summary>Passes on what is written, and knows its hash.</summary>
    private sealed class HashedStream(Stream to, long most) : Stream
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public long Bytes { get; private set; }

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public string Finish() => Convert.ToHexStringLower(_hash.GetHashAndReset());

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Count(buffer);
            to.Write(buffer);
        }

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Count(buffer.Span);
            await to.WriteAsync(buffer, cancellationToken);
        }

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush() => to.Flush();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private void Count(ReadOnlySpan<byte> buffer)
        {
            if ((Bytes += buffer.Length) > most)
                throw new EventStoreException(StoreFault.Invalid, $"A member of the bundle comes to more than {most:N0} bytes. Open an incident of a shorter period, or of some trades.");
            _hash.AppendData(buffer);
        }

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                _hash.Dispose();
            base.Dispose(disposing);
        }
    }
}
