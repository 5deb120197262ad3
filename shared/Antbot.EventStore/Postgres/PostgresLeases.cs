using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Antbot.Runtime.Leases;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>
/// Leases as advisory locks of one session: whoever dies, however it dies, loses them with its connection. The session is kept alive
/// by a question every two seconds; the server ends one that keeps silent, so that a frozen holder does not keep the others waiting.
/// </summary>
public sealed class PostgresLeases : ILeases, IAsyncDisposable
{
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _oneAtATime = new(1);
    private readonly CancellationTokenSource _stop = new();
    private readonly string _connectionString;
    private readonly TimeProvider _clock;
    private readonly Task _keeping;
    private Session? _session;

    public PostgresLeases(string connectionString, TimeProvider clock)
    {
        _clock = clock;
        var text = new NpgsqlConnectionStringBuilder(connectionString)
        {
            // A pooled connection would go back with its locks.
            Pooling = false,
            Timeout = 3,
            CommandTimeout = 3,
            CancellationTimeout = 1000,
            TcpKeepAlive = true,
            Enlist = false,
            ApplicationName = "antbot leases",
        };
        text.Options = $"{text.Options} -c idle_session_timeout=10000 -c tcp_keepalives_idle=3 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 -c statement_timeout=3000".Trim();
        _connectionString = text.ConnectionString;
        _keeping = Task.Run(KeepAliveAsync);
    }

    public async Task<ILease?> TryTakeAsync(string name, CancellationToken cancellationToken = default)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            var session = await OpenAsync(cancellationToken);
            // A session may take its own lock again and again: within this process the lease is ours to refuse.
            if (session.Held.Contains(name))
                return null;
            if (!await AskAsync(session, "select pg_try_advisory_lock($1)", name))
                return null;
            session.Held.Add(name);
            return new Lease(this, session, name);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _keeping;
        await _oneAtATime.WaitAsync(CancellationToken.None);
        if (_session is { } session)
            await LoseAsync(session);
        _oneAtATime.Release();
        _stop.Dispose();
    }

    private async Task<Session> OpenAsync(CancellationToken cancellationToken)
    {
        if (_session is { } there)
            return there;
        var connection = new NpgsqlConnection(_connectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return _session = new Session(connection);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await connection.DisposeAsync();
            throw PostgresFaults.Translate(e, "taking a lease");
        }
    }

    /// <summary>Not cancelled, for that would end the session for all its leases; it has seconds to answer.</summary>
    private async Task<bool> AskAsync(Session session, string statement, string name)
    {
        try
        {
            await using var command = new NpgsqlCommand(statement, session.Connection) { Parameters = { new NpgsqlParameter<long> { TypedValue = KeyOf(name) } } };
            return (bool)(await command.ExecuteScalarAsync(CancellationToken.None))!;
        }
        catch (Exception e)
        {
            // Whether it was taken is not known: the session ends, and with it whatever it held.
            await LoseAsync(session);
            throw PostgresFaults.Translate(e, "taking a lease");
        }
    }

    private async Task GiveBackAsync(Session session, string name)
    {
        await _oneAtATime.WaitAsync(CancellationToken.None);
        try
        {
            if (session != _session || !session.Held.Remove(name))
                return;
            await AskAsync(session, "select pg_advisory_unlock($1)", name);
        }
        catch (Runtime.Store.EventStoreException)
        {
            // The session is gone, and its locks with it.
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private async Task KeepAliveAsync()
    {
        using var timer = new PeriodicTimer(AskEvery, _clock);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token))
            {
                await _oneAtATime.WaitAsync(_stop.Token);
                try
                {
                    if (_session is { } session)
                        await PingAsync(session);
                }
                finally
                {
                    _oneAtATime.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The end.
        }
    }

    private async Task PingAsync(Session session)
    {
        try
        {
            await using var command = new NpgsqlCommand("select 1", session.Connection);
            await command.ExecuteScalarAsync(_stop.Token);
        }
        catch (Exception) when (!_stop.IsCancellationRequested)
        {
            await LoseAsync(session);
        }
    }

    private async Task LoseAsync(Session session)
    {
        if (_session == session)
            _session = null;
        await session.Lost.CancelAsync();
        try
        {
            await session.Connection.DisposeAsync();
        }
        catch (NpgsqlException)
        {
            // It was broken before.
        }
    }

    private static long KeyOf(string name) => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData(Encoding.UTF8.GetBytes($"antbot lease {name}")));

    private sealed class Session(NpgsqlConnection connection)
    {
        public NpgsqlConnection Connection { get; } = connection;

        public HashSet<string> Held { get; } = new(StringComparer.Ordinal);

        public CancellationTokenSource Lost { get; } = new();
    }

    private sealed class Lease(PostgresLeases owner, Session session, string name) : ILease
    {
        private int _disposed;

        public CancellationToken Lost => session.Lost.Token;

        public async ValueTask DisposeAsync()
        {
            if (Interlocked.Exchange(ref _disposed, 1) == 0)
                await owner.GiveBackAsync(session, name);
        }
    }
}
