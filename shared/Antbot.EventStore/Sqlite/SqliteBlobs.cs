using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>Large bodies in the store's own file, over a connection of their own that is there while it is used.</summary>
public sealed class SqliteBlobs(string path) : IBlobs
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim _oneAtATime = new(1);

    public Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default) => RunAsync(
        SqliteAccess.Write,
        session =>
        {
            session.Execute("PRAGMA synchronous=FULL");
            session.Execute("PRAGMA fullfsync=ON");
            // The store's checkpointer does it beside the commits.
            session.Execute("PRAGMA wal_autocheckpoint=0");
            session.BeginImmediate(Patience);
            session.Get("INSERT OR IGNORE INTO antbot_blobs (sha256, body) VALUES (?1, ?2)").Bind(1, sha256).BindBlob(2, body.Span).Run();
            session.Commit();
            return true;
        },
        cancellationToken);

    public Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default) => RunAsync(
        SqliteAccess.Read,
        session =>
        {
            var row = session.Get("SELECT body FROM antbot_blobs WHERE sha256 = ?1").Bind(1, sha256);
            return row.Step() ? BlobHash.Checked(sha256, row.Bytes(0)) : null;
        },
        cancellationToken);

    private async Task<T> RunAsync<T>(SqliteAccess access, Func<SqliteSession, T> work, CancellationToken cancellationToken)
    {
        await _oneAtATime.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(() => Run(access, work), CancellationToken.None);
        }
        finally
        {
            _oneAtATime.Release();
        }
    }

    private T Run<T>(SqliteAccess access, Func<SqliteSession, T> work)
    {
        try
        {
            using var session = SqliteSession.Open(path, access, Patience);
            return work(session);
        }
        catch (SqliteFailure e)
        {
            throw SqliteFaults.Translate(e, path);
        }
    }
}
