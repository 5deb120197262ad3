using System.Buffers;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <param name="Links">Of all events from each that was asked for to the checkpoint behind it.</param>
public sealed record ExcerptSummary(Guid StoreId, int Events, long Links, int Checkpoints);

/// <summary>
/// Some events of a history with the proof that they are in it: every link from each of them to the next signed checkpoint. Of the events
/// between them it shows their numbers and a hash.
/// </summary>
public static class Excerpter
{
    /// <param name="positions">Of the events that are to be shown.</param>
    public static async Task<ExcerptSummary> WriteAsync(ILedger ledger, IReadOnlySet<long> positions, Stream output, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        var head = await ledger.ReadHeadAsync(cancellationToken);
        var sections = SectionsOf(positions, [.. (await ledger.ReadCheckpointsAsync(cancellationToken)).OrderBy(c => c.Position)]);
        var buffer = new ArrayBufferWriter<byte>(ExportFormat.FlushBytes * 2);
        ExportFormat.WriteHeader(buffer, ExportFormat.Excerpt, head.StoreId, sections.Count, positions.Count);
        foreach (var (_, checkpoint) in sections)
            ExportFormat.WriteCheckpoint(buffer, checkpoint);
        var (shown, links, all) = (0, 0L, sections.Sum(s => s.End.Position - s.Begin + 1));
        var last = (Position: 0L, Hash: Array.Empty<byte>());
        foreach (var (begin, end) in sections)
        {
            await foreach (var link in ledger.ReadLinksAsync(begin - 1, cancellationToken))
            {
                if (link.Position > end.Position)
                    break;
                if (link is { Event: null, Archived: { } archived } && positions.Contains(link.Position))
                    throw archived.Fault();
                if (link is { Event: null, Archived: null })
                    throw new EventStoreException(StoreFault.Corrupt, $"The event at position {link.Position} is gone; an excerpt of this history could not be verified. Run 'antbot verify'.");
                if (positions.Contains(link.Position))
                {
                    ExportFormat.WriteLink(buffer, link);
                    shown++;
                }
                else
                {
                    ExportFormat.WriteBare(buffer, link);
                }
                (links, last) = (links + 1, (link.Position, link.Hash));
                if (buffer.WrittenCount < ExportFormat.FlushBytes)
                    continue;
                await ExportFormat.FlushAsync(buffer, output, cancellationToken);
                progress?.Invoke(links, all);
            }
        }
        ExportFormat.WriteEnd(buffer, last.Position, last.Hash);
        await ExportFormat.FlushAsync(buffer, output, cancellationToken);
        await output.FlushAsync(cancellationToken);
        progress?.Invoke(links, all);
        return new ExcerptSummary(head.StoreId, shown, links, sections.Count);
    }

    /// <summary>From the first event that is asked for to the checkpoint behind it, and anew from the first one behind that.</summary>
    private static List<(long Begin, Checkpoint End)> SectionsOf(IReadOnlySet<long> positions, IReadOnlyList<Checkpoint> checkpoints)
    {
        var sections = new List<(long Begin, Checkpoint End)>();
        var next = 0;
        foreach (var position in positions.Order())
        {
            if (sections.Count > 0 && position <= sections[^1].End.Position)
                continue;
            while (next < checkpoints.Count && checkpoints[next].Position < position)
                next++;
            if (next == checkpoints.Count)
                throw new EventStoreException(StoreFault.Invalid, $"Nothing is signed yet that proves the event at position {position}: the last checkpoint is at position {(next == 0 ? 0 : checkpoints[^1].Position)}. 'antbot checkpoint' makes one.");
            sections.Add((position, checkpoints[next]));
        }
        return sections;
    }
}
