using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Antbot.Chaos.Checking;

/// <summary>The hash chain over the history, recomputed from the rows alone.</summary>
internal static class Chain
{
    public static IEnumerable<string> FaultsOf(Store store)
    {
        var events = store.Events.GroupBy(e => e.Sequence).ToDictionary(g => g.Key, g => g.First());
        var previous = Genesis(store.Id);
        long position = 0;
        foreach (var link in store.Ledger.OrderBy(l => l.Position))
        {
            if (link.Position != ++position)
                yield return $"the link at position {position} is missing: the next is {link.Position}";
            position = link.Position;
            if (!link.Previous.AsSpan().SequenceEqual(previous))
                yield return $"the link at position {position} does not follow the one before it";
            previous = link.Hash;
            if (!events.TryGetValue(link.Sequence, out var e))
                yield return $"the event of position {position} (sequence {link.Sequence}) is gone";
            else if (e.Id != link.EventId || e.Correlation != link.Correlation)
                yield return $"the event of position {position} is not the one that the link names";
            else if (FaultOf(link, e) is { } fault)
                yield return fault;
        }
        var linked = store.Ledger.Select(l => l.Sequence).ToHashSet();
        foreach (var e in store.Events.Where(e => !linked.Contains(e.Sequence)))
            yield return $"event {e.Id} of {e.Stream} (sequence {e.Sequence}) is in no link";
        foreach (var twice in store.Ledger.GroupBy(l => l.Sequence).Where(g => g.Count() > 1))
            yield return $"sequence {twice.Key} is in {twice.Count()} links";
    }

    public static byte[] Genesis(Guid store) => SHA256.HashData([.. "antbot:ledger:01"u8, .. store.ToByteArray(bigEndian: true)]);

    public static byte[] LinkHash(LedgerRow link, EventRow e)
    {
        using var hash = new Hash();
        hash.Add(link.Previous);
        hash.Add(ContentHash(e));
        hash.Add(link.Position);
        hash.Add(link.Sequence);
        hash.Add(e.Version);
        hash.Add([link.Foreign ? (byte)1 : (byte)0]);
        return hash.Done();
    }

    private static string? FaultOf(LedgerRow link, EventRow e)
    {
        try
        {
            return LinkHash(link, e).AsSpan().SequenceEqual(link.Hash) ? null : $"event {e.Type} of {e.Stream} at position {link.Position} is not what was recorded";
        }
        catch (FormatException unusual)
        {
            return $"event {e.Type} of {e.Stream} at position {link.Position} cannot be hashed: {unusual.Message}";
        }
    }

    private static byte[] ContentHash(EventRow e)
    {
        using var hash = new Hash();
        hash.Add("antbot:event:1"u8);
        hash.Add(e.Id.ToByteArray(bigEndian: true));
        hash.Add(e.At);
        hash.Add([e.Archived switch { false => 0, true => 1, null => 2 }]);
        foreach (var text in new[] { e.Stream, e.Type, e.ClrType, e.Tenant, e.Correlation, e.Causation, e.Actor })
            hash.AddWithLength(text is null ? null : Encoding.UTF8.GetBytes(text));
        hash.AddWithLength(e.Headers is null ? null : PlainJson.Of(e.Headers));
        hash.AddWithLength(PlainJson.Of(e.Data));
        hash.AddWithLength(e.Binary);
        return hash.Done();
    }

    private sealed class Hash : IDisposable
    {
        private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        public void Add(ReadOnlySpan<byte> bytes) => _hash.AppendData(bytes);

        public void Add(long number)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteInt64BigEndian(bytes, number);
            _hash.AppendData(bytes);
        }

        /// <summary>Absent is not empty.</summary>
        public void AddWithLength(byte[]? bytes)
        {
            Span<byte> length = stackalloc byte[4];
            BinaryPrimitives.WriteInt32BigEndian(length, bytes?.Length ?? -1);
            _hash.AppendData(length);
            _hash.AppendData(bytes ?? []);
        }

        public byte[] Done() => _hash.GetHashAndReset();

        public void Dispose() => _hash.Dispose();
    }
}
