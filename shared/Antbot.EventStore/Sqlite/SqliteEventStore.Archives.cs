using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

/// <summary>Streams that are moved to an archive.</summary>
public sealed partial class SqliteEventStore
{
    public Task<IReadOnlyList<StreamHead>> FindStreamsAsync(string prefix, DateTimeOffset before, string after, int limit, CancellationToken cancellationToken = default)
    {
        StoreChecks.Page(limit);
        return _readers.ReadAsync<IReadOnlyList<StreamHead>>(s => SqliteArchives.FindStreams(s, prefix, before, after, limit), cancellationToken);
    }

    public Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default) => _readers.ReadAsync<IReadOnlyList<Follower>>(SqliteArchives.ReadFollowers, cancellationToken);

    public Task<IReadOnlySet<string>> ReadArchivedStreamsAsync(string archive, CancellationToken cancellationToken = default) =>
        _readers.ReadAsync<IReadOnlySet<string>>(s => SqliteArchives.ReadArchivedStreams(s, archive), cancellationToken);

    public Task<long> CountArchivedAsync(CancellationToken cancellationToken = default) => _readers.ReadAsync(SqliteArchives.Count, cancellationToken);

    public Task<IReadOnlyList<string>> TakeOutAsync(TakeOut takeOut, CancellationToken cancellationToken = default)
    {
        Archiving.Check(takeOut);
        return WriteAsync(s => SqliteArchives.TakeOut(s, takeOut), cancellationToken);
    }
}
