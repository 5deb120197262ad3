using System.Diagnostics;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>
/// The one connection that writes, and the turns on it. Whatever fails is rolled back and told; the connection is made anew where
/// it cannot be trusted any more, so that the store goes on when the cause is gone.
/// </summary>
internal sealed class SqliteWriter(SqliteFile file, SqliteSession session, SqliteStoreOptions options, AppendSignal signal) : IDisposable
{
    /// <summary>Longer than those who wait for the write lock pause between two attempts.</summary>
    private static readonly TimeSpan Courtesy = TimeSpan.FromMilliseconds(3);

    private static readonly TimeSpan CourtesyLasts = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly SqliteCheckpointer _checkpointer = new(file, session, options);
    private SqliteSession? _session = session;
    private long? _dataVersion;
    private long _othersSeen;
    private bool _closed;

    internal SqliteCheckpointer Checkpointer => _checkpointer;

    /// <summary>Commits a batch of the queue: every append in it learns how it ended.</summary>
    public async Task CommitAsync(IReadOnlyList<PendingAppend> batch)
    {
        await _turn.WaitAsync();
        try
        {
            Commit(batch);
            _checkpointer.Written(_session?.TakePagesWritten() ?? 0);
        }
        finally
        {
            _turn.Release();
        }
        // The lock knows no queue: who has just had it would take it again before the others look, until their patience ends.
        if (_othersSeen != 0 && Stopwatch.GetElapsedTime(_othersSeen) < CourtesyLasts)
            await Task.Delay(Courtesy);
    }

    /// <summary>Does other work in a transaction of its own.</summary>
    public async Task<T> WriteAsync<T>(Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(
                () =>
                {
                    var value = Write(work);
                    _checkpointer.Written(_session?.TakePagesWritten() ?? 0);
                    return value;
                },
                CancellationToken.None);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Work outside of any transaction: what SQLite calls pragmas.</summary>
    internal async Task TuneAsync(string pragma)
    {
        await _turn.WaitAsync();
        try
        {
            Ready().Execute(pragma);
        }
        finally
        {
            _turn.Release();
        }
    }

    public void Dispose()
    {
        _turn.Wait();
        _closed = true;
        _checkpointer.Dispose();
        // Last, so that SQLite moves the log into the database and removes it.
        _session?.Dispose();
        _session = null;
        _turn.Release();
    }

    private void Commit(IReadOnlyList<PendingAppend> batch)
    {
        if (TryCommit(batch) is not { } failure)
            return;
        if (failure is SqliteFailure { } own && batch.Count > 1 && SqliteFaults.MayBeOnesOwn(own))
        {
            foreach (var pending in batch)
            {
                if (TryCommit([pending]) is { } alone)
                    pending.Fail(Explain(alone));
            }
            return;
        }
        foreach (var pending in batch)
            pending.Fail(Explain(failure));
    }

    /// <summary>All of it or, with the reason, nothing.</summary>
    private Exception? TryCommit(IReadOnlyList<PendingAppend> batch)
    {
        var verdicts = new AppendVerdict[batch.Count];
        try
        {
            InTransaction(s =>
            {
                var appender = new SqliteAppender(s);
                for (var i = 0; i < verdicts.Length; i++)
                    verdicts[i] = appender.Append(batch[i].Prepared, IsCutOff(batch, verdicts, i));
                return true;
            });
        }
        catch (Exception e)
        {
            return e;
        }
        var appended = false;
        for (var i = 0; i < verdicts.Length; i++)
        {
            appended |= verdicts[i].Outcome is AppendOutcome.Appended;
            if (verdicts[i].Outcome is { } outcome)
                batch[i].Complete(outcome);
            else
                batch[i].Fail(verdicts[i].Fault!);
        }
        if (appended)
            signal.Announce();
        return null;
    }

    private static bool IsCutOff(IReadOnlyList<PendingAppend> batch, AppendVerdict[] verdicts, int i) =>
        i > 0 && batch[i].Before == batch[i - 1] ? verdicts[i - 1].Outcome is not AppendOutcome.Appended : batch[i].IsCutOff;

    private T Write<T>(Func<SqliteSession, T> work)
    {
        try
        {
            return InTransaction(work);
        }
        catch (Exception e) when (e is SqliteFailure or CommitDoubt)
        {
            throw Explain(e);
        }
    }

    private T InTransaction<T>(Func<SqliteSession, T> work)
    {
        var writing = false;
        try
        {
            var ready = Ready();
            ready.CheckInPlace();
            ready.BeginImmediate(options.BusyTimeout);
            LookForOthers(ready);
            var value = work(ready);
            writing = true;
            ready.Commit();
            return value;
        }
        catch (SqliteFailure e)
        {
            Recover(e);
            throw writing && SqliteFaults.LeavesDoubt(e) ? new CommitDoubt(e) : e;
        }
        catch
        {
            Recover(failure: null);
            throw;
        }
    }

    /// <summary>SQLite counts what other connections commit; ours does not count its own.</summary>
    private void LookForOthers(SqliteSession ready)
    {
        var version = ready.Get("PRAGMA data_version").Scalar();
        if (_dataVersion is not null && version != _dataVersion)
            _othersSeen = Stopwatch.GetTimestamp();
        _dataVersion = version;
    }

    private void Recover(SqliteFailure? failure)
    {
        if (_session is not { } broken)
            return;
        var ended = broken.TryRollback();
        if (!ended || (failure is not null && SqliteFaults.SpoilsSession(failure)))
        {
            _session = null;
            _dataVersion = null;
            broken.Dispose();
        }
        else if (failure is not null && SqliteFaults.IsFull(failure))
        {
            _checkpointer.MakeRoom();
        }
    }

    private SqliteSession Ready()
    {
        if (_closed)
            throw new EventStoreException(StoreFault.Closed, "The store has been closed; nothing was done.");
        return _session ??= file.Reopen();
    }

    private EventStoreException Explain(Exception e) => e switch
    {
        CommitDoubt doubt => SqliteFaults.InCommit(doubt.Failure, file.Path),
        SqliteFailure failure => SqliteFaults.Translate(failure, file.Path),
        // One for each caller: an exception that several tasks throw mixes up their traces.
        EventStoreException known => new EventStoreException(known.Fault, known.Message, known),
        _ => new EventStoreException(StoreFault.Unavailable, $"'{file.Path}' could not be written: {e.Message} Nothing was done.", e),
    };

    private sealed class CommitDoubt(SqliteFailure failure) : Exception(failure.Message, failure)
    {
        public SqliteFailure Failure { get; } = failure;
    }
}
