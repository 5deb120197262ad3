using System.Collections.Concurrent;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>A bounded number of connections that only read. Each read sees one state of the file and holds up nobody.</summary>
internal sealed class SqliteReaders(string path, SqliteAccess access, SqliteStoreOptions options) : IDisposable
{
    private static readonly TimeSpan CloseWaitMax = TimeSpan.FromSeconds(2);

    private readonly ConcurrentStack<SqliteSession> _idle = new();
    private readonly SemaphoreSlim _turns = new(options.Readers, options.Readers);
    private volatile bool _closed;

    public async Task<T> ReadAsync<T>(Func<SqliteSession, T> read, CancellationToken cancellationToken)
    {
        CheckOpen();
        if (!await _turns.WaitAsync(options.ReadWaitMax, cancellationToken))
        {
            throw new EventStoreException(
                StoreFault.Busy, $"All {options.Readers} readers of '{path}' were taken for {options.ReadWaitMax.TotalSeconds:0.#} s. Ask again later, or allow more readers.");
        }
        try
        {
            return await Task.Run(() => Read(read), cancellationToken);
        }
        finally
        {
            _turns.Release();
        }
    }

    public void CheckOpen()
    {
        if (_closed)
            throw new EventStoreException(StoreFault.Closed, "The store has been closed.");
    }

    /// <summary>Waits a moment for the reads that are under way; what comes later closes its own connection.</summary>
    public void Dispose()
    {
        _closed = true;
        for (var i = 0; i < options.Readers && _turns.Wait(CloseWaitMax); i++)
        {
        }
        CloseIdle();
    }

    private T Read<T>(Func<SqliteSession, T> read)
    {
        CheckOpen();
        SqliteSession? session = null;
        var sound = false;
        try
        {
            session = Rent();
            session.CheckInPlace();
            var value = read(session);
            sound = true;
            return value;
        }
        catch (SqliteFailure e)
        {
            throw SqliteFaults.Translate(e, path);
        }
        finally
        {
            // A read that broke off has left its statement in the middle of its rows.
            if (sound)
                Return(session!);
            else
                session?.Dispose();
        }
    }

    private SqliteSession Rent() => _idle.TryPop(out var there) ? there : SqliteSession.Open(path, access, options.BusyTimeout);

    private void Return(SqliteSession session)
    {
        _idle.Push(session);
        if (_closed)
            CloseIdle();
    }

    private void CloseIdle()
    {
        while (_idle.TryPop(out var session))
            session.Dispose();
    }
}
