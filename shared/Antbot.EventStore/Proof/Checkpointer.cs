using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Signs where the chain stands, first outside the database and then in it.</summary>
public sealed class Checkpointer(ILedger ledger, SigningKey key, CheckpointFile file, TimeProvider clock)
{
    /// <summary>Of the last one that is known to be in the database too.</summary>
    private long? _kept;

    /// <summary>Called after each turn that went well, whether or not there was anything to sign.</summary>
    public Action? Done { get; init; }

    /// <returns>The new checkpoint, or null where nothing has come since the last one.</returns>
    public async Task<Checkpoint?> CheckpointAsync(CancellationToken cancellationToken = default)
    {
        using var turn = await file.TakeTurnAsync(cancellationToken);
        var last = file.Newest();
        // What the database has is looked through once, and again only when somebody else has added one.
        var kept = last is not null && last.Position == _kept ? null : await ledger.ReadCheckpointsAsync(cancellationToken);
        last ??= kept?.LastOrDefault();
        var head = await ledger.ReadHeadAsync(cancellationToken);
        if (last is not null && (last.StoreId != head.StoreId || last.Position > head.Position))
        {
            throw new EventStoreException(
                StoreFault.Corrupt,
                $"The last checkpoint is at position {last.Position} of store {last.StoreId}; this is store {head.StoreId} at position {head.Position}. Run 'antbot verify' before anything else.");
        }
        // A crash may have come between the file and the database. Of the others, what the database lacks was removed, and that must stay to be seen.
        if (last is not null && kept?.All(k => k.Position != last.Position) is true)
            await ledger.SaveCheckpointAsync(last, cancellationToken);
        _kept = last?.Position;
        if (head.Position == (last?.Position ?? 0))
            return null;
        var checkpoint = CheckpointStatement.Sign(head, last, clock.GetUtcNow(), key);
        file.Append(checkpoint);
        await ledger.SaveCheckpointAsync(checkpoint, cancellationToken);
        _kept = checkpoint.Position;
        return checkpoint;
    }

    /// <summary>Checkpoints at this pace, and once more when it is stopped.</summary>
    public async Task RunAsync(TimeSpan every, Action<Exception> onTrouble, CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(every, clock);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken))
                await TryAsync(onTrouble, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            await TryAsync(onTrouble, CancellationToken.None);
        }
    }

    private async Task TryAsync(Action<Exception> onTrouble, CancellationToken cancellationToken)
    {
        try
        {
            await CheckpointAsync(cancellationToken);
            Done?.Invoke();
        }
        catch (EventStoreException e)
        {
            onTrouble(e);
        }
    }
}
