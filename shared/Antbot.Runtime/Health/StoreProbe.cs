using Antbot.Runtime.Store;

namespace Antbot.Runtime.Health;

/// <summary>Writes a progress mark of its own: a store that can be read but takes no writes (a standby, a full disk) is down for us.</summary>
public sealed class StoreProbe(IEventStore store, string owner, TimeProvider clock) : IDependencyProbe
{
    public const string Dependency = "store";

    public string Name => Dependency;

    public Task CheckAsync(CancellationToken cancellationToken) =>
        store.SaveCheckpointAsync($"probe-{owner}", clock.GetUtcNow().ToUnixTimeMilliseconds(), cancellationToken);
}
