using Antbot.Runtime.Store;
using Npgsql;
using NpgsqlTypes;

namespace Antbot.EventStore.Postgres;

/// <summary>Large bodies in a table of their own. A few connections, so that they hold up no append.</summary>
public sealed class PostgresBlobs : IBlobs, IAsyncDisposable
{
    private const int Connections = 4;

    private readonly NpgsqlDataSource _source;

    /// <summary>However many ask at once: waiting for a connection would be given up, by all of them again and again.</summary>
    private readonly SemaphoreSlim _turn = new(Connections, Connections);

    public PostgresBlobs(string connectionString)
    {
        var text = new NpgsqlConnectionStringBuilder(connectionString)
        {
            Pooling = true,
            MinPoolSize = 0,
            MaxPoolSize = Connections,
            Timeout = 3,
            // A body of any size is on its way, and a slow line is no fault.
            CommandTimeout = 60,
            Enlist = false,
            ApplicationName = "antbot blobs",
        };
        text.Options = $"{text.Options} -c statement_timeout=60000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=5000".Trim();
        _source = NpgsqlDataSource.Create(text);
    }

    public Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) => RunAsync("keeping a body", async () =>
    {
        await using var command = _source.CreateCommand("insert into antbot.blob (sha256, body) values ($1, $2) on conflict do nothing");
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = Convert.FromHexString(sha256) });
        command.Parameters.Add(new NpgsqlParameter { Value = body, NpgsqlDbType = NpgsqlDbType.Bytea });
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }, cancellationToken);

    public Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default) => RunAsync("reading a body", async () =>
    {
        await using var command = _source.CreateCommand("select body from antbot.blob where sha256 = $1");
        command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = Convert.FromHexString(sha256) });
        return await command.ExecuteScalarAsync(cancellationToken) is byte[] body ? BlobHash.Checked(sha256, body) : null;
    }, cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        _turn.Dispose();
    }

    private async Task<T> RunAsync<T>(string doing, Func<Task<T>> work, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await work();
        }
        catch (Exception e) when (e is NpgsqlException or IOException or TimeoutException or System.Net.Sockets.SocketException or ObjectDisposedException)
        {
            throw PostgresFaults.Translate(e, doing);
        }
        finally
        {
            _turn.Release();
        }
    }
}
