using Antbot.ReadModels;
using Antbot.Runtime.Store;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.Ports;

/// <summary>What the database has beside the events: read models, and bodies that are too large for an event.</summary>
internal sealed class SimTables
{
    public Dictionary<RowKey, ViewRow> Rows { get; } = [];

    public long Position { get; set; }

    public InMemoryBlobs Blobs { get; } = new();
}

/// <summary>One process's way to the read models. They are in the same database as the events, and away with them.</summary>
internal sealed class SimReadModels(SimTables tables, SimDisk disk, SimContext context) : IReadModels
{
    public async Task<long> ReadPositionAsync(CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return tables.Position;
    }

    public async Task<IReadOnlyDictionary<RowKey, ViewRow>> FindAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken = default)
    {
        await ReadAsync();
        return keys.Where(tables.Rows.ContainsKey).ToDictionary(k => k, k => tables.Rows[k]);
    }

    public async Task<bool> ApplyAsync(long from, long to, IReadOnlyCollection<ViewRow> rows, CancellationToken cancellationToken = default)
    {
        await disk.CallAsync("rows written", "write", SimDisk.RowsRefused, context);
        if (tables.Position != from)
            return false;
        foreach (var row in rows)
            tables.Rows[row.Key] = row;
        tables.Position = to;
        return true;
    }

    public async Task ClearAsync(CancellationToken cancellationToken = default)
    {
        await disk.CallAsync("rows cleared", "write", SimDisk.RowsRefused, context);
        tables.Rows.Clear();
        tables.Position = 0;
    }

    public async Task<IReadOnlyList<ViewRow>> ListAsync(ViewTable table, ViewQuery query, CancellationToken cancellationToken = default)
    {
        if (query is not { Symbol: null, Account: null, IdPrefix: null, Since: null, Until: null, OldestFirst: false })
            throw new NotSupportedException($"Nobody has asked for {query} here before.");
        await ReadAsync();
        var searched = ViewTables.SearchedBy(table);
        var rows = tables.Rows.Values.Where(r =>
            r.Key.Table == table && (query.States.Count == 0 || query.States.Contains(r.State, StringComparer.Ordinal)) && (query.Trade is null || r.Trade == query.Trade) && (query.ChangedSince is null || r.ChangedAt >= query.ChangedSince)
            && query.Search.All(s => r.Search[searched.ToList().IndexOf(s.Key)] == s.Value));
        var ordered = rows.OrderByDescending(r => r.At).ThenByDescending(r => r.Id, StringComparer.Ordinal).ToList();
        var from = query.After is null ? 0 : ordered.FindIndex(r => r.Id == query.After) + 1;
        return [.. ordered.Skip(from).Take(query.Limit)];
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private Task ReadAsync() => disk.CallAsync("rows read", "read", refused: null, context);
}

/// <summary>One process's way to large bodies.</summary>
internal sealed class SimBlobs(SimTables tables, SimDisk disk, SimContext context) : IBlobs
{
    public async Task PutAsync(string sha256, ReadOnlyMemory<byte> body, CancellationToken cancellationToken = default)
    {
        await disk.CallAsync("a body put", "write", SimDisk.BodyRefused, context);
        await tables.Blobs.PutAsync(sha256, body, cancellationToken);
    }

    public async Task<byte[]?> FindAsync(string sha256, CancellationToken cancellationToken = default)
    {
        await disk.CallAsync("a body read", "read", refused: null, context);
        return await tables.Blobs.FindAsync(sha256, cancellationToken);
    }
}
