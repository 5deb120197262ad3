using Antbot.EventStore;
using Antbot.EventStore.Archives;
using Antbot.EventStore.Postgres;
using Antbot.Runtime.Health;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting.Life;

/// <summary>
/// Makes the store's tables as soon as its database answers, and goes on asking how it is. A database that is not there yet is
/// waited for; a file that cannot be opened ends the start.
/// </summary>
internal sealed class StoreKeeper(PlatformOptions options, ServiceIdentity identity, IEventStore store, DependencyBoard board, EmergencyHalt emergency, TimeProvider clock, ILogger<StoreKeeper> log) : IDependencyProbe
{
    private static readonly TimeSpan Again = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskEvery = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    private readonly StoreProbe _probe = new(store, identity.Service, clock);
    private readonly TaskCompletionSource _open = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the store can be used for the first time.</summary>
    public Task Open => _open.Task;

    public bool IsOpen => _open.Task.IsCompletedSuccessfully;

    string IDependencyProbe.Name => _probe.Name;

    /// <summary>Throws where a file cannot be opened; a server need not be there.</summary>
    public static IEventStore Connect(string address, string archives)
    {
        var store = StoreAddress.IsSqlite(address, out _)
            ? StoreAddress.OpenAsync(address, create: true).GetAwaiter().GetResult()
            : new PostgresEventStore(new PostgresStoreOptions { ConnectionString = StoreAddress.ConnectionString(address), Committers = 1 });
        return archives.Length == 0 ? store : new ArchivedEventStore(store, new ArchiveFolder(archives));
    }

    public async Task CheckAsync(CancellationToken cancellationToken)
    {
        if (!IsOpen)
            throw new DependencyDownException(StoreProbe.Dependency, board.Find(StoreProbe.Dependency)?.LastError ?? "The store has not answered yet.");
        await AskAsync(cancellationToken);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var wasUp = true;
        while (true)
        {
            var up = await TryAsync(cancellationToken);
            if (up != wasUp || (up && !IsOpen))
                Say(up);
            if (up)
                _open.TrySetResult();
            wasUp = up;
            await Task.Delay(up ? AskEvery : Again, clock, cancellationToken);
        }
    }

    private async Task<bool> TryAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (!IsOpen && !StoreAddress.IsSqlite(options.Store, out _))
                await PostgresSchema.EnsureAsync(StoreAddress.ConnectionString(options.Store), cancellationToken).WaitAsync(AnswerWithin * 6, clock, cancellationToken);
            await AskAsync(cancellationToken);
            if (!IsOpen)
                await emergency.RecordAsync(cancellationToken).WaitAsync(AnswerWithin, clock, cancellationToken);
            return true;
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            board.Fails(StoreProbe.Dependency, e.Message);
            return false;
        }
    }

    private async Task AskAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _probe.CheckAsync(cancellationToken).WaitAsync(AnswerWithin, clock, cancellationToken);
            board.Works(StoreProbe.Dependency);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            board.Fails(StoreProbe.Dependency, e.Message);
            throw;
        }
    }

    private void Say(bool up)
    {
        if (up)
            log.LogInformation("The store answers: {Store}", StoreAddress.Describe(options.Store));
        else
            log.LogWarning("The store does not answer, and is asked every second: {Trouble}", board.Find(StoreProbe.Dependency)?.LastError);
    }
}
