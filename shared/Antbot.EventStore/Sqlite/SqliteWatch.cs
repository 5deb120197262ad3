using System.Diagnostics;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>
/// Waits for new events: this process announces its own at once, those of other processes are found by asking SQLite whether
/// anybody has committed since the last look.
/// </summary>
internal sealed class SqliteWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly AppendSignal _signal;
    private readonly TimeSpan _poll;
    private readonly Func<SqliteSession> _open;
    private SqliteSession? _session;
    private long _seen = -1;
    private bool _closed;

    public SqliteWatch(AppendSignal signal, TimeSpan poll, Func<SqliteSession> open)
    {
        _signal = signal;
        _poll = poll;
        _open = open;
        Look();
    }

    public async Task WaitAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            Look();
            var left = atMost - Stopwatch.GetElapsedTime(since);
            if (_signal.Mark != mark || left <= TimeSpan.Zero)
                return;
            await _signal.WaitAsync(mark, left < _poll ? left : _poll, cancellationToken);
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _closed = true;
            _session?.Dispose();
            _session = null;
        }
    }

    private void Look()
    {
        lock (_gate)
        {
            if (_closed)
                return;
            try
            {
                _session ??= _open();
                var version = _session.Get("PRAGMA data_version").Scalar() ?? 0;
                if (version == _seen)
                    return;
                _seen = version;
            }
            catch (SqliteFailure)
            {
                // Who waits here reads next, and the read says what is wrong. A new connection counts anew, so it looks like a change.
                _session?.Dispose();
                _session = null;
                return;
            }
        }
        _signal.Announce();
    }
}
