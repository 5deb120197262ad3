using Antbot.EventStore.Archives;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

public sealed record VerifyOptions
{
    /// <summary>The key whose signatures count; without it signatures are not checked, and the report says so.</summary>
    public PublicKey? Key { get; init; }

    /// <summary>The checkpoints outside the database.</summary>
    public CheckpointFile? Outside { get; init; }

    /// <summary>Begins at the last checkpoint that is outside and signed, where there is one.</summary>
    public bool FromLastCheckpoint { get; init; }

    /// <summary>Where the archives are; without it what they have is taken on their records' word, and the report says so.</summary>
    public ArchiveFolder? Archives { get; init; }

    public int FindingsMax { get; init; } = 100;

    public Action<long, long>? Progress { get; init; }
}

/// <summary>
/// Walks the whole chain once, recomputing every hash from the rows, and compares it with the stream heads and with the signed
/// checkpoints inside and outside the database.
/// </summary>
public sealed class LedgerVerifier(ILedger ledger)
{
    private const int ProgressEvery = 1_000;

    public async Task<VerifyReport> VerifyAsync(VerifyOptions options, CancellationToken cancellationToken = default)
    {
        var findings = new Findings(options.FindingsMax);
        // Before the head: a checkpoint that is made meanwhile must not seem to be ahead of the history. They go on while they are read: what
        // is outside at first must be inside then, and what is inside must be outside at last.
        var outsideAtFirst = options.Outside?.Read();
        var inside = await ledger.ReadCheckpointsAsync(cancellationToken);
        var outside = options.Outside?.Read();
        var head = await ledger.ReadHeadAsync(cancellationToken);
        var checkpoints = new CheckpointCheck(head.StoreId, inside, outside, options, findings, outsideAtFirst: outsideAtFirst);
        var start = options.FromLastCheckpoint ? checkpoints.LastTrusted : null;
        // The checkpoint's own link is read too: it must still be there, and still be the one that was signed.
        var walk = start is null ? new ChainWalk(findings, 0, ChainLink.Genesis(head.StoreId)) : new ChainWalk(findings, start.Position - 1, null);

        var archives = new ArchiveCheck(options.Archives, findings);
        var toDo = head.Position - walk.Position;
        try
        {
            await foreach (var link in ledger.ReadLinksAsync(walk.Position, cancellationToken))
            {
                // What came after we began is for the next time.
                if (link.Position > head.Position && walk.Position >= head.Position)
                    break;
                walk.Step(link);
                checkpoints.Compare(link);
                await archives.CompareAsync(link, cancellationToken);
                if (walk.Checked % ProgressEvery == 0)
                    options.Progress?.Invoke(walk.Checked, toDo);
            }
        }
        catch (EventStoreException e) when (e.Fault is StoreFault.Corrupt or StoreFault.Damaged)
        {
            // A row that is no event at all, in an engine whose columns hold anything: nothing behind it can be read in order.
            findings.Add(new Finding(FindingKind.EventAltered, walk.Position + 1, null, null, null, null, e.Message));
        }
        checkpoints.Finish(walk.Position);
        archives.Finish();
        options.Progress?.Invoke(walk.Checked, toDo);

        foreach (var mismatch in await ledger.FindHeadMismatchesAsync(options.FindingsMax, cancellationToken))
            findings.Add(new Finding(FindingKind.HeadMismatch, 0, null, null, mismatch.Stream, null, $"stream {mismatch.Stream}: {mismatch.What}"));
        var unsealed = await ledger.FindUnsealedAsync(options.FindingsMax, cancellationToken);
        return new VerifyReport
        {
            StoreId = head.StoreId,
            FromPosition = start?.Position ?? 0,
            ToPosition = walk.Position,
            EventsChecked = walk.Checked,
            CheckpointsChecked = checkpoints.Checked,
            ProvenThrough = checkpoints.ProvenThrough,
            EventsArchived = archives.Events,
            Findings = findings.InOrder(),
            Unsealed = [.. unsealed.Select(e => $"sequence {e.Sequence}: event {e.EventId}, {e.Stream} version {e.Version}, '{e.Type}'")],
            Notices = [.. checkpoints.Notices, .. archives.Notices],
        };
    }
}

/// <summary>Keeps the earliest findings and no more than a limit of them: a destroyed table must not fill the memory.</summary>
internal sealed class Findings(int max)
{
    private readonly List<Finding> _found = [];

    public void Add(Finding finding)
    {
        if (_found.Count < max)
            _found.Add(finding);
    }

    public IReadOnlyList<Finding> InOrder() => [.. _found.OrderBy(f => f.Position == 0 ? long.MaxValue : f.Position)];
}
