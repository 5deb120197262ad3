using System.Runtime.CompilerServices;
using System.Text;
using Antbot.Contracts.Events;
using Antbot.Kernel.Proof;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;

namespace Antbot.Simulation.World;

public static partial class Bugs
{
    private class OverLedger(ILedger inner) : ILedger
    {
        public Task<LedgerHead> ReadHeadAsync(CancellationToken cancellationToken = default) => inner.ReadHeadAsync(cancellationToken);

        public virtual IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, CancellationToken cancellationToken = default) => inner.ReadLinksAsync(afterPosition, cancellationToken);

        public Task<IReadOnlyList<HeadMismatch>> FindHeadMismatchesAsync(int limit, CancellationToken cancellationToken = default) => inner.FindHeadMismatchesAsync(limit, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> FindUnsealedAsync(int limit, CancellationToken cancellationToken = default) => inner.FindUnsealedAsync(limit, cancellationToken);

        public Task<SealSummary> SealAsync(int limit, long afterSequence = long.MinValue, CancellationToken cancellationToken = default) => inner.SealAsync(limit, afterSequence, cancellationToken);

        public Task<IReadOnlyList<Checkpoint>> ReadCheckpointsAsync(CancellationToken cancellationToken = default) => inner.ReadCheckpointsAsync(cancellationToken);

        public Task SaveCheckpointAsync(Checkpoint checkpoint, CancellationToken cancellationToken = default) => inner.SaveCheckpointAsync(checkpoint, cancellationToken);

        public Task ImportAsync(Guid storeId, IReadOnlyList<LedgerLink> links, CancellationToken cancellationToken = default) => inner.ImportAsync(storeId, links, cancellationToken);
    }

    /// <summary>As two that commit at once without the lock would: each link is right by itself, and stands beside another.</summary>
    private sealed class ForkedLedger(ILedger inner) : OverLedger(inner)
    {
        private const long Every = 40;

        public override async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            var before = Array.Empty<byte>();
            await foreach (var link in base.ReadLinksAsync(afterPosition, cancellationToken))
            {
                yield return link.Position % Every == 0
                    ? link with { PreviousHash = before, Hash = ChainLink.Hash(before, link.Event!.ContentHash(), link.Position, link.Sequence, link.Event.Version, link.Foreign) }
                    : link;
                before = link.PreviousHash;
            }
        }
    }

    private sealed class TornLedger(ILedger inner) : OverLedger(inner)
    {
        private const long Lost = 50;

        public override async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var link in base.ReadLinksAsync(afterPosition, cancellationToken))
            {
                if (link.Position != Lost)
                    yield return link;
            }
        }
    }

    /// <summary>As whoever holds the database could do it.</summary>
    private sealed class RewrittenLedger(ILedger inner) : OverLedger(inner)
    {
        private static readonly string Reserved = StoredNameAttribute.Of(typeof(ExposureReserved));

        public override async IAsyncEnumerable<LedgerLink> ReadLinksAsync(long afterPosition = 0, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            await foreach (var link in base.ReadLinksAsync(afterPosition, cancellationToken))
                yield return link.Event is { } e && e.Type == Reserved ? link with { Event = e with { Data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(e.Data.Span).Replace("\"Reserved\":", "\"Reserved\":1", StringComparison.Ordinal)) } } : link;
        }
    }
}
