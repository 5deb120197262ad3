using Antbot.EventStore;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>The read models of a store: in its own database, or in a file beside its file.</summary>
public static class ReadModelsAddress
{
    public static async Task<IReadModels> OpenAsync(string address, IEventStore store, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (!StoreAddress.IsSqlite(address, out var file))
            return new PostgresReadModels(address);
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        return await SqliteReadModels.OpenAsync(SqliteReadModels.FileFor(file), head.StoreId, cancellationToken);
    }
}
