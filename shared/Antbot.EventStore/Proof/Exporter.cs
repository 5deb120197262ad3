using System.Buffers;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

public sealed record ExportSummary(Guid StoreId, long Events, long LastPosition, int Checkpoints, bool UnsealedLeftOut);

/// <summary>Writes a store's whole history with its proofs. Memory stays flat however long it is.</summary>
public static class Exporter
{
    public static async Task<ExportSummary> ExportAsync(ILedger ledger, Stream output, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        var head = await ledger.ReadHeadAsync(cancellationToken);
        var checkpoints = (await ledger.ReadCheckpointsAsync(cancellationToken)).Where(c => c.Position <= head.Position).ToArray();
        var buffer = new ArrayBufferWriter<byte>(ExportFormat.FlushBytes * 2);
        ExportFormat.WriteHeader(buffer, ExportFormat.Whole, head.StoreId, checkpoints.Length);
        // Before the events, so that whoever verifies can compare as it reads.
        foreach (var checkpoint in checkpoints)
            ExportFormat.WriteCheckpoint(buffer, checkpoint);
        var (events, last) = (0L, 0L);
        var hash = ChainLink.Genesis(head.StoreId);
        await foreach (var link in ledger.ReadLinksAsync(0, cancellationToken))
        {
            if (link.Position > head.Position)
                break;
            if (link is { Event: null, Archived: { } archived })
                throw archived.Fault();
            if (link.Event is null)
                throw new EventStoreException(StoreFault.Corrupt, $"The event at position {link.Position} is gone; an export of this history could not be verified. Run 'antbot verify'.");
            ExportFormat.WriteLink(buffer, link);
            (events, last, hash) = (events + 1, link.Position, link.Hash);
            if (buffer.WrittenCount < ExportFormat.FlushBytes)
                continue;
            await ExportFormat.FlushAsync(buffer, output, cancellationToken);
            progress?.Invoke(events, head.Position);
        }
        ExportFormat.WriteEnd(buffer, last, hash);
        await ExportFormat.FlushAsync(buffer, output, cancellationToken);
        await output.FlushAsync(cancellationToken);
        progress?.Invoke(events, head.Position);
        var unsealed = await ledger.FindUnsealedAsync(1, cancellationToken);
        return new ExportSummary(head.StoreId, events, last, checkpoints.Length, unsealed.Count > 0);
    }
}
