using System.Runtime.CompilerServices;
using Antbot.Kernel.Identity;

namespace Antbot.Runtime.Store;

/// <summary>What is asked of many at once, where an engine has no better way: right with every one.</summary>
public static class OneByOne
{
    public static async Task<IReadOnlyDictionary<Decision, EventPlace>> FindDecidedAsync(IEventStore store, IReadOnlyCollection<Decision> decisions, CancellationToken cancellationToken)
    {
        var found = new Dictionary<Decision, EventPlace>();
        foreach (var decision in decisions)
        {
            if (await store.FindDecisionAsync(decision, cancellationToken) is [var first, ..])
                found[decision] = new EventPlace(first.Stream, first.Version, first.Sequence);
        }
        return found;
    }

    public static async IAsyncEnumerable<StoredEvent> ReadStreamsAsync(IEventStore store, IReadOnlyList<StreamStart> streams, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        foreach (var (stream, from) in streams)
        {
            await foreach (var stored in store.ReadStreamAsync(stream, from, cancellationToken))
                yield return stored;
        }
    }
}
