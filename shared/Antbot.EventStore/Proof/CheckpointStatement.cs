using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>What a checkpoint's signature covers, in one fixed spelling, and the hash that chains checkpoints to one another.</summary>
public static class CheckpointStatement
{
    public static byte[] Of(Checkpoint c) => Encoding.UTF8.GetBytes(string.Create(
        CultureInfo.InvariantCulture,
        $"antbot:checkpoint:1\n{c.StoreId:D}\n{c.Position}\n{c.Sequence}\n{Convert.ToHexStringLower(c.Hash)}\n{c.At.ToUnixMicroseconds()}\n{Convert.ToHexStringLower(c.Previous)}\n{c.KeyId}\n"));

    public static byte[] HashOf(Checkpoint c)
    {
        var statement = Of(c);
        var all = new byte[statement.Length + c.Signature.Length];
        statement.CopyTo(all, 0);
        c.Signature.CopyTo(all, statement.Length);
        return SHA256.HashData(all);
    }

    public static Checkpoint Sign(LedgerHead head, Checkpoint? previous, DateTimeOffset at, SigningKey key)
    {
        var unsigned = new Checkpoint(head.StoreId, head.Position, head.Sequence, head.Hash, at.Cut(), previous is null ? [] : HashOf(previous), key.Public.Id, []);
        return unsigned with { Signature = key.Sign(Of(unsigned)) };
    }

    public static bool IsSignedBy(Checkpoint c, PublicKey key) => c.KeyId == key.Id && key.Verify(Of(c), c.Signature);
}
