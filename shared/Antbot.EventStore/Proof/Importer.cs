using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

public sealed record ImportSummary(Guid StoreId, long Imported, long AlreadyThere, long LastPosition, int Checkpoints);

/// <summary>
/// Brings an export into an empty store, or on top of the beginning of the same history, so that an import that was broken off
/// can be run again. Every hash is recomputed before anything of its page is written.
/// </summary>
public static class Importer
{
    private const int PageEvents = 2_000;
    private const int PageBytes = 4 * 1024 * 1024;

    public static async Task<ImportSummary> ImportAsync(ILedger ledger, Stream input, Action<long>? progress = null, CancellationToken cancellationToken = default)
    {
        var reader = new ExportReader(input);
        await reader.ReadHeaderAsync(cancellationToken);
        var head = await ledger.ReadHeadAsync(cancellationToken);
        if (head.Position > 0 && head.StoreId != reader.StoreId)
            throw new EventStoreException(StoreFault.Invalid, $"The export is of store {reader.StoreId}; the target is store {head.StoreId} and not empty. Import into an empty store.");
        var findings = new Findings(1);
        var walk = new ChainWalk(findings, 0, Kernel.Proof.ChainLink.Genesis(reader.StoreId));
        var (page, bytes, imported) = (new List<LedgerLink>(), 0, 0L);
        await foreach (var link in reader.ReadLinksAsync(cancellationToken))
        {
            walk.Step(link);
            if (findings.InOrder() is [var bad, ..])
                throw reader.Damaged(bad.What);
            if (link.Position <= head.Position)
            {
                if (link.Position == head.Position && !link.Hash.AsSpan().SequenceEqual(head.Hash))
                    throw Differs(head.Position);
                continue;
            }
            page.Add(link);
            bytes += link.Event!.Data.Length;
            if (page.Count < PageEvents && bytes < PageBytes)
                continue;
            await ledger.ImportAsync(reader.StoreId, page, cancellationToken);
            imported += page.Count;
            (page, bytes) = ([], 0);
            progress?.Invoke(imported);
        }
        reader.CheckEnd(walk);
        if (walk.Position < head.Position)
            await CheckIsPartAsync(ledger, walk, cancellationToken);
        await ledger.ImportAsync(reader.StoreId, page, cancellationToken);
        imported += page.Count;
        progress?.Invoke(imported);
        foreach (var checkpoint in reader.Checkpoints)
            await ledger.SaveCheckpointAsync(checkpoint, cancellationToken);
        return new ImportSummary(reader.StoreId, imported, walk.Checked - imported, walk.Position, reader.Checkpoints.Count);
    }

    /// <summary>An export that ends before the target does holds nothing new; but it must be the beginning of this history, and not of another of the same store.</summary>
    private static async Task CheckIsPartAsync(ILedger ledger, ChainWalk walk, CancellationToken cancellationToken)
    {
        if (walk.Position == 0)
            return;
        await foreach (var link in ledger.ReadLinksAsync(walk.Position - 1, cancellationToken))
        {
            if (link.Position == walk.Position && link.Hash.AsSpan().SequenceEqual(walk.Hash))
                return;
            break;
        }
        throw Differs(walk.Position);
    }

    private static EventStoreException Differs(long position) =>
        new(StoreFault.Invalid, $"The target's history differs from the export's at or before position {position}. Import into an empty store.");
}
