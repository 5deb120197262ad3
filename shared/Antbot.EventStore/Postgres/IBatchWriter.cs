namespace Antbot.EventStore.Postgres;

/// <summary>Takes a batch to the server and commits it. Not for two callers at once.</summary>
internal interface IBatchWriter : IAsyncDisposable
{
    /// <summary>True from the moment the batch may have been committed: from then on a failure leaves the outcome in doubt.</summary>
    bool WasSent { get; }

    Task<AppendAnswer> AppendAsync(AppendBatch batch, CancellationToken cancellationToken);

    /// <summary>Lets go of what failed; the next batch opens another connection.</summary>
    ValueTask ResetAsync();
}

/// <summary>Nothing of the batch was committed, because somebody else was there first or got in the way; the same batch may go through now.</summary>
internal sealed class OvertakenException(string message, Exception? inner = null) : Exception(message, inner);
