namespace Antbot.Execution;

/// <summary>
/// Works on what is offered, so many at a time; what is offered no more is forgotten, and what waits keeps its place. Nobody waits for the slowest.
/// It stays in its caller's context, as the simulator needs it.
/// </summary>
public sealed class Crew<T>(int atOnce, Func<T, Task> work)
    where T : notnull
{
    private readonly Lock _lock = new();
    private readonly HashSet<object> _underWay = [];
    private readonly List<Task> _workers = [];
    private Queue<(object Key, T Item)> _waiting = new();

    public void Offer(IEnumerable<T> items, Func<T, object> keyOf)
    {
        _workers.RemoveAll(w => w.IsCompleted);
        int begin;
        lock (_lock)
        {
            var offered = items.Select(i => (Key: keyOf(i), Item: i)).Where(i => !_underWay.Contains(i.Key)).ToList();
            var fresh = offered.ToDictionary(i => i.Key, i => i.Item);
            List<(object Key, T Item)> waiting = [.. _waiting.Where(w => fresh.ContainsKey(w.Key)).Select(w => (w.Key, fresh[w.Key]))];
            var before = waiting.Select(w => w.Key).ToHashSet();
            _waiting = new Queue<(object, T)>([.. waiting, .. offered.Where(i => !before.Contains(i.Key))]);
            begin = Math.Min(atOnce - _workers.Count, _waiting.Count);
        }
        for (var i = 0; i < begin; i++)
            _workers.Add(WorkAsync());
    }

    /// <summary>When all that is under way has ended, however; what waits is not begun.</summary>
    public async Task EndAsync()
    {
        lock (_lock)
            _waiting.Clear();
        await Task.WhenAll(_workers).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
    }

    private async Task WorkAsync()
    {
        while (TryTake(out var next))
        {
            try
            {
                await work(next.Item);
            }
            finally
            {
                lock (_lock)
                    _underWay.Remove(next.Key);
            }
        }
    }

    private bool TryTake(out (object Key, T Item) next)
    {
        lock (_lock)
            return _waiting.TryDequeue(out next) && _underWay.Add(next.Key);
    }
}
