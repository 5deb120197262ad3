using System.Runtime.CompilerServices;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>The proof beside the events.</summary>
public sealed partial class SqliteEventStore
{
    /// <summary>Sealed or read in one go; what is more goes into the next, so that nobody waits long for a turn.</summary>
    private const int LedgerPage = 500;

    public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) => _readers.ReadAsync(SqliteLedger.Head, cancellationToken);

    public async IAsyncEnumerable<LedgerLink> ReadLinksAsync(
        long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var after = afterPosition;
        while (true)
        {
            var page = await _readers.ReadAsync(s => SqliteLedger.Links(s, after, LedgerPage), cancellationToken);
            foreach (var link in page.Links)
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return link;
                after = link.Position;
            }
            // What came before the damaged row has been handed out: whoever follows the chain knows where it is.
            if (page.Damage is { } damage)
                throw damage;
            if (page.Links.Count == 0)
                yield break;
        }
    }

    public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) =>
        _readers.ReadAsync<IReadOnlyList<HeadMismatch>>(s => SqliteHeads.FindMismatches(s, limit), cancellationToken);

    public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) =>
        _readers.ReadAsync<IReadOnlyList<StoredEvent>>(s => SqliteLedger.Unsealed(s, limit), cancellationToken);

    public async Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default)
    {
        StoreChecks.Page(limit);
        var (linked, refused, after) = (0, new List<SealRefusal>(), afterSequence);
        while (linked < limit)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var page = await WriteAsync(s => SqliteLedger.Seal(s, after, LedgerPage, limit - linked), cancellationToken);
            if (page.Linked > 0)
                _signal.Announce();
            linked += page.Linked;
            refused.AddRange(page.Refused);
            if (page.IsLast)
                break;
            after = page.Last;
        }
        return new SealSummary(linked, [.. refused.Take(SealSummary.RefusedMax)]);
    }

    public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) =>
        _readers.ReadAsync<IReadOnlyList<Checkpoint>>(SqliteLedger.Checkpoints, cancellationToken);

    public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        return WriteAsync(s => SqliteLedger.Save(s, checkpoint), cancellationToken);
    }

    public async Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default)
    {
        ImportChecks.Page(links);
        if (links.Count == 0)
            return;
        await WriteAsync(s => SqliteImport.Run(s, storeId, links), cancellationToken);
        _signal.Announce();
    }
}
