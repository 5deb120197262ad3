using System.Text.Json;
using Antbot.Contracts;
using Antbot.Kernel.Decisions;

namespace Antbot.Runtime.Store;

/// <param name="Trail">Of the last event that was read; null where it has none.</param>
public sealed record Loaded<TState>(TState State, long Version, long SnapshotVersion, Trail? Trail = null);

/// <summary>What an event belongs to: whatever comes of it by itself belongs there too.</summary>
public sealed record Trail(string? CorrelationId, string TraceId)
{
    public static Trail? Of(StoredEvent stored) => stored.TraceId is { } trace ? new Trail(stored.CorrelationId, trace) : null;
}

/// <summary>Loads a stream's state, from its latest usable snapshot where there is one.</summary>
public sealed class StreamLoader(IEventStore store, EventCodec codec, int eventsPerSnapshot = 500)
{
    public async Task<Loaded<TState>> LoadAsync<TState>(StreamId stream, Fold<TState> fold, CancellationToken cancellationToken = default)
        where TState : class
    {
        var snapshot = await store.LoadSnapshotAsync(stream, fold.Name, cancellationToken);
        var start = snapshot is null ? null : Restore<TState>(snapshot);
        var from = start is null ? 0 : snapshot!.Version;
        return await CatchUpAsync(stream, fold, new Loaded<TState>(start ?? fold.Initial, from, from), cancellationToken);
    }

    /// <summary>What a state that was loaded before has become since.</summary>
    public async Task<Loaded<TState>> CatchUpAsync<TState>(StreamId stream, Fold<TState> fold, Loaded<TState> known, CancellationToken cancellationToken = default)
        where TState : class
    {
        var (state, version) = (known.State, known.Version);
        StoredEvent? last = null;
        await foreach (var stored in store.ReadStreamAsync(stream, version + 1, cancellationToken))
        {
            if (stored.Version != version + 1)
                throw new EventStoreException(StoreFault.Corrupt, $"{stream} goes from version {version} to {stored.Version}. Run 'antbot verify'.");
            state = fold.Apply(state, codec.Decode(stored));
            version = stored.Version;
            last = stored;
        }
        return last is null ? known : known with { State = state, Version = version, Trail = Trail.Of(last) };
    }

    /// <summary>Keeps a snapshot when enough events have come since the last one. Called after the decision, never in its way.</summary>
    public async Task<bool> SnapshotWhenDueAsync<TState>(StreamId stream, Fold<TState> fold, Loaded<TState> loaded, CancellationToken cancellationToken = default)
        where TState : class
    {
        if (loaded.Version - loaded.SnapshotVersion < eventsPerSnapshot)
            return false;
        var state = JsonSerializer.SerializeToUtf8Bytes(loaded.State, EventCodec.Json);
        if (state.Length > StoreLimits.SnapshotBytesMax)
            return false;
        await store.SaveSnapshotAsync(new Snapshot(stream, fold.Name, loaded.Version, state), cancellationToken);
        return true;
    }

    /// <summary>A snapshot that cannot be read is as good as none: the events are still there.</summary>
    private static TState? Restore<TState>(Snapshot snapshot)
        where TState : class
    {
        try
        {
            return JsonSerializer.Deserialize<TState>(snapshot.State.Span, EventCodec.Json);
        }
        catch (Exception)
        {
            // A state's own constructor may refuse what an older build wrote, with an exception of its own.
            return null;
        }
    }
}
