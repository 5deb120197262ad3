using System.Security.Cryptography;
using Antbot.EventStore;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Sqlite;
using Antbot.LocalServers;
using Antbot.Runtime.Store;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.DeadLetters;

/// <summary>What every store of large bodies holds to.</summary>
public abstract class BlobContract
{
    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected abstract Task<IBlobs> OpenAsync();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(20 * 1024 * 1024)]
    public async Task What_is_put_is_found_byte_for_byte(int size)
    {
        var body = RandomNumberGenerator.GetBytes(size);
        var sha256 = BlobHash.Of(body);
        var blobs = await OpenAsync();
        Assert.Null(await blobs.FindAsync(sha256, Cancel));
        await blobs.PutAsync(sha256, body, Cancel);
        Assert.Equal(body, await (await OpenAsync()).FindAsync(sha256, Cancel));
    }

    [Fact]
    public async Task The_same_body_many_times_and_at_once_is_there_once()
    {
        var body = RandomNumberGenerator.GetBytes(300_000);
        var blobs = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 10).Select(_ => blobs.PutAsync(BlobHash.Of(body), body, Cancel)));
        Assert.Equal(body, await blobs.FindAsync(BlobHash.Of(body), Cancel));
    }

    /// <summary>Somebody with every right has changed it: it is not given out as what it was.</summary>
    [Fact]
    public async Task A_body_that_was_changed_is_not_given_out()
    {
        var body = RandomNumberGenerator.GetBytes(1_000);
        var blobs = await OpenAsync();
        await blobs.PutAsync(BlobHash.Of(body), body, Cancel);
        await TamperAsync(BlobHash.Of(body));
        Assert.Equal(StoreFault.Corrupt, (await Assert.ThrowsAsync<EventStoreException>(() => blobs.FindAsync(BlobHash.Of(body), Cancel))).Fault);
    }

    protected abstract Task TamperAsync(string sha256);
}

public sealed class SqliteBlobTests : BlobContract, IDisposable
{
    private readonly SqliteFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    protected override async Task<IBlobs> OpenAsync()
    {
        await using (await StoreAddress.OpenAsync($"sqlite:{_folder.Path}", create: true, Cancel))
            return StoreAddress.OpenBlobs($"sqlite:{_folder.Path}");
    }

    protected override Task TamperAsync(string sha256)
    {
        using var session = EventStore.Sqlite.SqliteSession.Open(_folder.Path, EventStore.Sqlite.SqliteAccess.Write, TimeSpan.FromSeconds(5));
        session.Execute($"UPDATE antbot_blobs SET body = x'00' WHERE sha256 = '{sha256}'");
        return Task.CompletedTask;
    }
}

public sealed class PostgresBlobTests(PostgresFixture fixture) : BlobContract, IAsyncLifetime
{
    private PostgresDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
    }

    public async ValueTask DisposeAsync() => await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);

    /// <summary>The database itself takes nothing under a hash that is another's.</summary>
    [Fact]
    public async Task A_body_under_another_hash_is_refused() =>
        await Assert.ThrowsAsync<EventStoreException>(async () => await (await OpenAsync()).PutAsync(BlobHash.Of([1]), new byte[] { 2 }, Cancel));

    /// <summary>A batch whose bodies were waited for so long once failed as a whole, and began anew.</summary>
    [Fact]
    public async Task However_many_ask_at_once_each_has_its_turn()
    {
        var blobs = await OpenAsync();
        await blobs.PutAsync(BlobHash.Of([1]), new byte[] { 1 }, Cancel);
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var slow = await connection.BeginTransactionAsync(Cancel);
        await using var command = new NpgsqlCommand("lock table antbot.blob in access exclusive mode", connection, slow);
        await command.ExecuteNonQueryAsync(Cancel);
        var found = Enumerable.Range(0, 12).Select(_ => blobs.FindAsync(BlobHash.Of([1]), Cancel)).ToList();
        // Longer than a connection is waited for.
        await Task.Delay(4_500, Cancel);
        await slow.CommitAsync(Cancel);
        Assert.All(await Task.WhenAll(found), body => Assert.Equal([1], body));
    }

    protected override Task<IBlobs> OpenAsync() => Task.FromResult(StoreAddress.OpenBlobs(_database.ConnectionString));

    protected override async Task TamperAsync(string sha256)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand("alter table antbot.blob drop constraint ck_blob_sha256; update antbot.blob set body = ''", connection);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}

public sealed class InMemoryBlobTests
{
    [Fact]
    public async Task What_is_put_is_found_and_a_wrong_hash_is_refused()
    {
        var blobs = new InMemoryBlobs();
        await blobs.PutAsync(BlobHash.Of([1, 2]), new byte[] { 1, 2 }, TestContext.Current.CancellationToken);
        Assert.Equal([1, 2], await blobs.FindAsync(BlobHash.Of([1, 2]), TestContext.Current.CancellationToken));
        await Assert.ThrowsAsync<EventStoreException>(() => blobs.PutAsync(BlobHash.Of([1]), new byte[] { 2 }, TestContext.Current.CancellationToken));
    }
}
