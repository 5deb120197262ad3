using Antbot.Runtime.Store;

namespace Antbot.EventStore.Sqlite;

public sealed class SqliteSize(string path) : IStoreSize
{
    public Task<StoreSize> ReadAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            // What has not gone into the file yet is beside it.
            var files = new[] { "", "-wal", "-shm" }.Select(end => new FileInfo(path + end)).Where(f => f.Exists);
            return Task.FromResult(new StoreSize(files.Sum(f => f.Length), new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException(StoreFault.Unavailable, $"The size of '{path}' cannot be read: {e.Message}", e);
        }
    }
}
