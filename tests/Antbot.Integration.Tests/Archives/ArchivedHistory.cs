using Antbot.Contracts;
using Antbot.EventStore.Archives;
using Antbot.EventStore.Proof;
using Antbot.EventStore.Sqlite;
using Antbot.Forensics;
using Antbot.Integration.Tests.Sqlite;
using Antbot.Reconciliation;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>A run of the simulator in a SQLite store, signed, with what it takes to archive it.</summary>
internal sealed class ArchivedHistory : IAsyncDisposable
{
    private static readonly Lazy<Task<byte[]>> Calm = new(() => ExportAsync(new Plan(3, 12, 1, [])));

    private readonly SqliteFolder _folder = new();
    private readonly SigningKey _key;

    private ArchivedHistory() => _key = SigningKey.LoadOrCreate(Path.Combine(_folder.Folder, "signing.key"));

    public static DateTimeOffset Later { get; } = new(2090, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public string Folder => _folder.Folder;

    public string StoreFile => _folder.Path;

    public PublicKey Key => _key.Public;

    public CheckpointFile Outside => new(Path.Combine(_folder.Folder, "checkpoints.jsonl"));

    public ArchiveFolder Archives => new(Path.Combine(_folder.Folder, "archives"));

    public SqliteEventStore Store { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="events">How many of its events; all where none is said.</param>
    public static async Task<ArchivedHistory> OpenAsync(int events = int.MaxValue)
    {
        var history = new ArchivedHistory { };
        history.Store = await history._folder.OpenAsync();
        var reader = new ExportReader(new MemoryStream(await Calm.Value));
        await reader.ReadHeaderAsync(Cancel);
        var links = new List<LedgerLink>();
        await foreach (var link in reader.ReadLinksAsync(Cancel))
            links.Add(link);
        // Signed in the middle as well: what proves an old event is then not the whole history.
        var wanted = links.Take(events).ToList();
        foreach (var part in wanted.Chunk(Math.Max(1, wanted.Count / 5)))
        {
            await history.Store.ImportAsync(reader.StoreId, part, Cancel);
            await history.CheckpointAsync();
        }
        await history.FollowAsync((await history.Store.ReadHeadAsync(Cancel)).Sequence);
        return history;
    }

    /// <summary>The account's order book has come so far.</summary>
    public Task FollowAsync(long sequence) => Store.SaveSnapshotAsync(new Snapshot(Streams.Reconciliation(new AccountId("main")), OrderBook.Name, sequence, "{}"u8.ToArray()), Cancel);

    public Task CheckpointAsync() => new Checkpointer(Store, _key, Outside, TimeProvider.System).CheckpointAsync(Cancel);

    /// <summary>As another process finds it, after this one was killed.</summary>
    public async Task ReopenAsync()
    {
        await Store.DisposeAsync();
        Store = await _folder.OpenAsync();
    }

    public Task<ArchiveRun> ArchiveAsync(ICrashPoints? crash = null, DateTimeOffset? before = null, bool dryRun = false, ArchiveFolder? folder = null, IArchiveChoice? choice = null, long bytesMax = 1 << 24, params string[] without) =>
        new Archiver(Store, folder ?? Archives, Key, choice ?? new ArchiveChoice(Store, Store), TimeProvider.System, crash) { BatchBytesMax = bytesMax }
            .RunAsync(new ArchiveOrder(before ?? Later, "a test", "anna", without, dryRun), cancellationToken: Cancel);

    /// <summary>Not to be disposed of: it has nothing but the store.</summary>
    public ArchivedEventStore Whole(long bytesMax = 1 << 26) => new(Store, Archives) { OpenBytesMax = bytesMax };

    public Task<VerifyReport> VerifyAsync(bool withFiles = true, bool fromCheckpoint = false) =>
        new LedgerVerifier(Store).VerifyAsync(new VerifyOptions { Key = Key, Outside = Outside, Archives = withFiles ? Archives : null, FromLastCheckpoint = fromCheckpoint }, Cancel);

    public void Execute(params string[] statements)
    {
        using var beside = _folder.OpenBeside();
        foreach (var statement in statements)
            beside.Execute(statement);
    }

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        _key.Dispose();
        _folder.Dispose();
    }

    private static async Task<byte[]> ExportAsync(Plan plan)
    {
        using var output = new MemoryStream();
        await Exporter.ExportAsync(SimRun.WorldOf(plan).Disk.Data, output);
        return output.ToArray();
    }
}

/// <summary>Ends the process, as far as a test can, the n-th time that it comes to a place.</summary>
internal sealed class KilledAt(string place, int times = 1) : ICrashPoints
{
    private int _left = times;

    public bool WasReached => _left <= 0;

    public void Reach(string point)
    {
        if (point == place && --_left == 0)
            throw new KilledException();
    }
}

internal sealed class KilledException : Exception;
