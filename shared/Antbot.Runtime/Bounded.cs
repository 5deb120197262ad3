namespace Antbot.Runtime;

/// <summary>Several at a time, where all of them wait for something else. It stays in its caller's context, as the simulator needs it.</summary>
public static class Bounded
{
    /// <summary>Each is tried; the first failure is thrown when all are through.</summary>
    public static async Task ForEachAsync<T>(IReadOnlyCollection<T> items, int atOnce, Func<T, CancellationToken, Task> act, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(atOnce, 1);
        var (queue, gate) = (new Queue<T>(items), new Lock());
        await Task.WhenAll(Enumerable.Range(0, Math.Min(atOnce, items.Count)).Select(_ => WorkAsync()).ToArray());

        async Task WorkAsync()
        {
            while (TryTake(out var item))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await act(item, cancellationToken);
            }
        }

        bool TryTake([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out T item)
        {
            lock (gate)
                return queue.TryDequeue(out item);
        }
    }
}
