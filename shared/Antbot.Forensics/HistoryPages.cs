using System.Runtime.CompilerServices;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>A store's whole history in commit order, as far as it has come when it is read.</summary>
public static class HistoryPages
{
    public const int Size = 4_000;

    public static async IAsyncEnumerable<IReadOnlyList<StoredEvent>> Of(IEventStore store, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(store);
        // What is committed meanwhile is left for another time: a store that is at work has no end.
        var end = (await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence;
        var through = 0L;
        while (through < end && await store.ReadPageAsync(through, Size, cancellationToken) is { Count: > 0 } page)
        {
            through = page[^1].Sequence;
            yield return through <= end ? page : [.. page.Where(e => e.Sequence <= end)];
        }
    }
}
