using System.Collections.Concurrent;
using System.Data;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>
/// The store's connections, at most ten by default: a few that write, one that seals, one that listens, one that audits, the rest for reading. A reading
/// connection that lay idle is pinged before it is used, so that a restart of the server costs nobody an error.
/// </summary>
internal sealed class PostgresPool : IAsyncDisposable
{
    /// <summary>Compiling a plan, or starting workers for it, takes longer than any of these queries.</summary>
    private const string ShortQueries = "-c jit=off -c max_parallel_workers_per_gather=0";

    private readonly PostgresStoreOptions _options;
    private readonly NpgsqlDataSource _readers;
    private readonly ConcurrentDictionary<int, long> _lastUse = [];

    public PostgresPool(PostgresStoreOptions options)
    {
        if (options.Committers < 1 || options.PoolSize < options.Committers + 4)
            throw new ArgumentException($"A pool of {options.PoolSize} cannot hold {options.Committers} writing connections, one that seals, one that listens, one that audits and one that reads.", nameof(options));
        _options = options;
        Statistics = new PoolStatistics(options.PoolSize, options.Clock);
        var limit = (long)options.WriteLimit.TotalMilliseconds;
        // A committer keeps its connection for good; sealing and importing would wait for one for ever.
        Writers = Source(options.Committers + 1, $"-c statement_timeout={limit} -c lock_timeout={limit} -c idle_in_transaction_session_timeout={limit} {ShortQueries}", "antbot writer", SecondsOf(options.WriteLimit) + 3);
        // Who only waits would never notice that nothing can come any more.
        Listeners = Source(1, "", "antbot listener", keepAlive: 10);
        // Whole tables are compared here, for as long as it takes, and planned anew each time: a plan from when they were small would take for ever.
        Auditors = Source(1, "-c work_mem=64MB -c plan_cache_mode=force_custom_plan", "antbot auditor", commandTimeout: 0);
        // Every other read goes by an index; a plan that was made while a table was empty must not read it whole when it has grown.
        _readers = Source(
            options.PoolSize - options.Committers - 3,
            $"-c statement_timeout={(long)options.ReadTimeout.TotalMilliseconds} -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c enable_bitmapscan=off {ShortQueries}",
            "antbot reader");
    }

    public NpgsqlDataSource Writers { get; }

    public NpgsqlDataSource Listeners { get; }

    public NpgsqlDataSource Auditors { get; }

    public PoolStatistics Statistics { get; }

    public async Task<NpgsqlConnection> OpenReaderAsync(CancellationToken cancellationToken)
    {
        var started = _options.Clock.GetTimestamp();
        try
        {
            var connection = await _readers.OpenConnectionAsync(cancellationToken);
            var alive = false;
            try
            {
                alive = await IsAliveAsync(connection, cancellationToken);
            }
            finally
            {
                // Whatever ended the ping, the connection goes back.
                if (!alive)
                    await connection.DisposeAsync();
            }
            if (!alive)
            {
                Statistics.Replaced();
                ForgetReaders();
                connection = await _readers.OpenConnectionAsync(cancellationToken);
            }
            Statistics.Opened(_options.Clock.GetElapsedTime(started));
            return connection;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Statistics.Failed(e);
            throw;
        }
    }

    /// <summary>Idle connections are closed now and busy ones when they come back: the next ones are new.</summary>
    public void ForgetReaders()
    {
        _readers.Clear();
        _lastUse.Clear();
    }

    public async ValueTask ReturnAsync(NpgsqlConnection connection)
    {
        if (connection.State == ConnectionState.Open)
            _lastUse[connection.ProcessID] = _options.Clock.GetTimestamp();
        Statistics.Returned();
        await connection.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await Writers.DisposeAsync();
        await Listeners.DisposeAsync();
        await Auditors.DisposeAsync();
        await _readers.DisposeAsync();
    }

    private async Task<bool> IsAliveAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (!_lastUse.TryGetValue(connection.ProcessID, out var at) || _options.Clock.GetElapsedTime(at) < _options.PingAfterIdle)
            return true;
        Statistics.Pinged();
        try
        {
            // A link that swallows everything answers as little as a dead one, and later.
            await using var ping = new NpgsqlCommand("select 1", connection) { CommandTimeout = SecondsOf(_options.ConnectTimeout) };
            await ping.ExecuteScalarAsync(cancellationToken);
            return true;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
        {
            return false;
        }
    }

    private static int SecondsOf(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    private NpgsqlDataSource Source(int size, string settings, string name, int? commandTimeout = null, int keepAlive = 0)
    {
        var text = new NpgsqlConnectionStringBuilder(_options.ConnectionString)
        {
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = size,
            Timeout = SecondsOf(_options.ConnectTimeout),
            CommandTimeout = commandTimeout ?? SecondsOf(_options.ReadTimeout),
            CancellationTimeout = 1000,
            KeepAlive = keepAlive,
            Enlist = false,
            MaxAutoPrepare = 20,
            AutoPrepareMinUsages = 2,
            NoResetOnClose = true,
            ApplicationName = name,
        };
        text.Options = $"{text.Options} {settings} -c timezone=UTC".Trim();
        return NpgsqlDataSource.Create(text);
    }
}
