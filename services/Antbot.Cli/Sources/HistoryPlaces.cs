using Antbot.Cli.Commands;
using Antbot.EventStore;
using Antbot.EventStore.Archives;
using Antbot.EventStore.Postgres;
using Antbot.Incidents.Bundles;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.Cli.Sources;

/// <summary>Where a history lies, with what is kept beside it.</summary>
internal interface IHistoryPlace : IDisposable
{
    /// <summary>For people.</summary>
    string Where { get; }

    Task<IEventStore> OpenAsync(CancellationToken cancellationToken);

    Task<IReadModels> OpenModelsAsync(IEventStore store, CancellationToken cancellationToken);

    IBlobs OpenBlobs();

    /// <summary>For a role that may write `control` and nothing else, and does so through a procedure of its own; null where there is no such thing.</summary>
    IEventStore? OpenForControl();
}

internal sealed class StorePlace(string address, ArchiveFolder? archives = null) : IHistoryPlace
{
    public string Where => StoreAddress.Describe(address);

    public Task<IEventStore> OpenAsync(CancellationToken cancellationToken) => Common.OpenHistoryAsync(address, archives, cancellationToken);

    public Task<IReadModels> OpenModelsAsync(IEventStore store, CancellationToken cancellationToken) => ReadModelsAddress.OpenAsync(address, store, cancellationToken);

    public IBlobs OpenBlobs() => StoreAddress.OpenBlobs(address);

    public IEventStore? OpenForControl() => StoreAddress.IsSqlite(address, out _) ? null : new PostgresEventStore(new PostgresStoreOptions { ConnectionString = address, ControlOnly = true });

    public void Dispose()
    {
        // Whoever opened it closes it.
    }
}

/// <summary>What a bundle shows, with read models that are made of that and thrown away.</summary>
internal sealed class BundlePlace(string file) : IHistoryPlace
{
    private BundleReader? _bundle;
    private string? _folder;

    public string Where => $"the bundle '{file}'";

    private BundleReader Bundle => _bundle ??= BundleReader.Open(file);

    public async Task<IEventStore> OpenAsync(CancellationToken cancellationToken) => await BundleStore.OpenAsync(Bundle, cancellationToken);

    public async Task<IReadModels> OpenModelsAsync(IEventStore store, CancellationToken cancellationToken)
    {
        _folder ??= Directory.CreateTempSubdirectory("antbot-bundle-").FullName;
        return await SqliteReadModels.OpenAsync(Path.Combine(_folder, "bundle.views.db"), Bundle.Manifest.StoreId, cancellationToken);
    }

    public IBlobs OpenBlobs() => new BundleBlobs(Bundle);

    public IEventStore? OpenForControl() => null;

    public void Dispose()
    {
        _bundle?.Dispose();
        if (_folder is not null)
            Directory.Delete(_folder, recursive: true);
    }
}
