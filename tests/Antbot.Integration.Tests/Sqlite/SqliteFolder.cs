using Antbot.EventStore.Contract;
using Antbot.EventStore.Sqlite;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Sqlite;

/// <summary>A folder of its own for one test, with a store's file in it.</summary>
internal sealed class SqliteFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("antbot-sqlite-");

    public string Folder => _folder.FullName;

    public string Path => System.IO.Path.Combine(Folder, "store.db");

    public string WalPath => Path + "-wal";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public Task<SqliteEventStore> OpenAsync(Func<SqliteStoreOptions, SqliteStoreOptions>? with = null)
    {
        var options = new SqliteStoreOptions { Path = Path };
        return SqliteEventStore.OpenAsync(with is null ? options : with(options), Cancel);
    }

    /// <summary>A connection beside the store's own, as another program would have it.</summary>
    public SqliteSession OpenBeside()
    {
        var session = SqliteSession.Open(Path, SqliteAccess.Write, TimeSpan.FromSeconds(5));
        session.Execute("PRAGMA foreign_keys=OFF");
        return session;
    }

    public IReadOnlyList<string> Copies() => [.. Directory.EnumerateFiles(Folder, "store.db.corrupt-*").Order(StringComparer.Ordinal)];

    /// <summary>A closed store with some pages of events.</summary>
    public async Task<IReadOnlyList<StoredEvent>> FillAsync(int appends = 300)
    {
        await using var store = await OpenAsync();
        var outcomes = await Task.WhenAll(Enumerable.Range(0, appends).Select(i => store.AppendAsync(Some.Append(Some.Stream(), Some.Events(1 + i % 5)), Cancel)));
        return [.. outcomes.SelectMany(o => Assert.IsType<AppendOutcome.Appended>(o).Events)];
    }

    public void Dispose() => _folder.Delete(recursive: true);

    /// <summary>Follows the whole chain and every stream's versions, and gives the events.</summary>
    public static async Task<IReadOnlyList<StoredEvent>> VerifyAsync(SqliteEventStore store)
    {
        var head = await store.ReadHeadAsync(Cancel);
        var (previous, position, events) = (ChainLink.Genesis(head.StoreId), 0L, new List<StoredEvent>());
        await foreach (var link in store.ReadLinksAsync(0, Cancel))
        {
            Assert.Equal(++position, link.Position);
            var e = Assert.IsType<StoredEvent>(link.Event);
            Assert.Equal(link.EventId, e.EventId);
            Assert.Equal(previous, link.PreviousHash);
            Assert.Equal(ChainLink.Hash(previous, e.ContentHash(), position, e.Sequence, e.Version, link.Foreign), link.Hash);
            previous = link.Hash;
            events.Add(e);
        }
        Assert.Equal(head.Position, position);
        Assert.Equal(head.Hash, previous);
        Assert.Equal(events.Count, events.Select(e => e.EventId).Distinct().Count());
        Assert.All(events.GroupBy(e => e.Stream), g => Assert.Equal(Enumerable.Range(1, g.Count()).Select(v => (long)v), g.Select(e => e.Version)));
        Assert.Empty(await store.FindHeadMismatchesAsync(10, Cancel));
        Assert.Empty(await store.FindUnsealedAsync(10, Cancel));
        return events;
    }
}
