using System.Diagnostics;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>
/// Moves the log's pages into the database beside the commits, so that none of them waits for it. Where it cannot keep up, the
/// writer waits: the log has a limit. What could not be moved stays in the log, so that nothing is lost with a failure.
/// </summary>
internal sealed class SqliteCheckpointer : IDisposable
{
    private const string Passive = "PRAGMA wal_checkpoint(PASSIVE)";

    /// <summary>Says whether anybody still reads the log: where nobody does, the next commit begins it anew.</summary>
    private const string Restart = "PRAGMA wal_checkpoint(RESTART)";

    private const int FrameHeaderBytes = 24;

    /// <summary>Work begins when this part of the limit is new. Sooner, the same page is moved more often; later, there is more left to wait for.</summary>
    private const int PartThatBegins = 8;

    /// <summary>How long a commit at the limit waits for readers. One who stays longer lets the log grow on, and is waited for again a part later.</summary>
    private static readonly TimeSpan ReadersWait = TimeSpan.FromMilliseconds(500);

    private readonly Lock _gate = new();
    private readonly SqliteFile _file;
    private readonly long _pagesMax;
    private SqliteSession? _session;
    private Task _running;
    private bool _closed;

    /// <summary>Of the writer: its turn guards it.</summary>
    private long _begun;

    private long _written;
    private volatile Measure _last = new(0, 0);
    private long _ended;
    private long _failed;

    public SqliteCheckpointer(SqliteFile file, SqliteSession session, SqliteStoreOptions options)
    {
        _file = file;
        var pageBytes = session.Get("PRAGMA page_size").Scalar() ?? 0;
        _pagesMax = Math.Max(1, options.LogBytesMax / (pageBytes + FrameHeaderBytes));
        // A process that was killed leaves a log, and nobody knows how long it is.
        _running = Task.Run(() => Run(Passive));
    }

    /// <summary>Checkpoints that came to their end, whether or not readers left them the whole log.</summary>
    public long Ended => Interlocked.Read(ref _ended);

    public long Failed => Interlocked.Read(ref _failed);

    public long PagesWritten => Interlocked.Read(ref _written);

    /// <summary>In the writer's turn, after its commits: so many pages have come into the log.</summary>
    public void Written(long pages)
    {
        if (pages == 0)
            return;
        var written = Interlocked.Add(ref _written, pages);
        if (written - _begun < _pagesMax / PartThatBegins)
            return;
        var last = _last;
        if (last.Pages + written - last.At > _pagesMax)
        {
            _begun = written;
            if (TryRestart())
                _last = new Measure(0, written);
        }
        else if (_running.IsCompleted)
        {
            _begun = written;
            _running = Task.Run(() => Run(Passive));
        }
    }

    /// <summary>The log's pages can be used again once they are in the database: sometimes that is all the room there is.</summary>
    public void MakeRoom() => Run(Passive);

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _session?.Dispose();
            _session = null;
        }
    }

    /// <summary>Moves everything, for nobody here commits meanwhile, and waits for the readers to let go of it.</summary>
    private bool TryRestart()
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            // SQLite's own waiting sleeps for whole seconds where it was built without shorter ones.
            var result = Run(Restart);
            if (result != Result.Part || Stopwatch.GetElapsedTime(since) > ReadersWait)
                return result == Result.Whole;
            Thread.Sleep(1);
        }
    }

    private Result Run(string checkpoint)
    {
        lock (_gate)
        {
            if (_closed)
                return Result.Failed;
            try
            {
                var at = Interlocked.Read(ref _written);
                _session ??= _file.Reopen(TimeSpan.Zero);
                _session.CheckInPlace();
                var row = _session.Get(checkpoint);
                row.Step();
                var (busy, pages, moved) = (row.Int64(0) != 0, row.Int64(1), row.Int64(2));
                row.Reset();
                Interlocked.Increment(ref _ended);
                // Negative where another process was at it just then.
                if (pages >= 0)
                    _last = new Measure(pages, at);
                return !busy && pages == moved ? Result.Whole : Result.Part;
            }
            catch (Exception e) when (e is SqliteFailure or EventStoreException)
            {
                // The log holds what the database could not take, and an append that finds no room says so itself.
                Interlocked.Increment(ref _failed);
                _session?.Dispose();
                _session = null;
                return Result.Failed;
            }
        }
    }

    private enum Result
    {
        Whole,
        Part,
        Failed,
    }

    /// <summary>How long the log was when so many pages had been written.</summary>
    private sealed record Measure(long Pages, long At);
}
