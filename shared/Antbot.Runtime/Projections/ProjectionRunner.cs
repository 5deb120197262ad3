using Antbot.Contracts;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Projections;

/// <summary>
/// Keeps a projection up to date, and saves it with its position from time to time, so that a start reads what came since and
/// not all of history. It has no checkpoint to fall out of step with: the copy and its position are one.
/// </summary>
public sealed class ProjectionRunner(IEventStore store, IProjection projection, TimeProvider clock, TimeSpan saveEvery)
{
    /// <summary>How the names begin under which copies are kept; they are no streams.</summary>
    public const string HomePrefix = "projection-";

    private const int PageSize = 2_000;

    /// <summary>Whoever has read a long history and is killed soon after shall not have to read it again.</summary>
    private const int SaveAfter = 25_000;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    /// <summary>Every append announces itself: a busy store would be asked for each of them alone, where one page holds what came in a moment.</summary>
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(25);

    private static readonly TimeSpan RetryMax = TimeSpan.FromSeconds(10);

    private readonly StreamId _home = new($"{HomePrefix}{projection.Name}");
    private readonly TaskCompletionSource _caughtUp = new();
    private readonly HashSet<long> _failed = [];
    private long _position = -1;
    private long _saved;
    private string? _stands;
    private string? _passedOver;

    /// <summary>The sequence of the last event it knows; -1 before the first look.</summary>
    public long Position => Interlocked.Read(ref _position);

    /// <summary>Why it stands still, or what of history it could not take in; null where neither is so.</summary>
    public string? Trouble => _stands ?? _passedOver;

    /// <summary>Done once everything that was committed at some moment since the start is in it.</summary>
    public Task CaughtUp => _caughtUp.Task;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var retry = TimeSpan.FromMilliseconds(100);
        var savedAt = clock.GetTimestamp();
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                if (Position < 0)
                    await BeginAsync(cancellationToken);
                await StepAsync(cancellationToken);
                if (clock.GetElapsedTime(savedAt) >= saveEvery || Position - _saved >= SaveAfter)
                {
                    await SaveAsync(cancellationToken);
                    savedAt = clock.GetTimestamp();
                }
                _stands = null;
                retry = TimeSpan.FromMilliseconds(100);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e)
            {
                _stands = e.Message;
                await Task.Delay(retry, clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
                retry = TimeSpan.FromTicks(Math.Min(retry.Ticks * 2, RetryMax.Ticks));
            }
        }
    }

    /// <summary>Writes what is known down; at an orderly end, so that the next start is quick.</summary>
    public async Task SaveAsync(CancellationToken cancellationToken = default)
    {
        var position = Position;
        // What was passed over may be read by a build to come: it begins before that.
        if (position <= _saved || _passedOver is not null)
            return;
        var state = projection.Save();
        // Too large to be kept is no fault: the next start reads from the copy before.
        if (state.Length <= StoreLimits.SnapshotBytesMax)
            await store.SaveSnapshotAsync(new Snapshot(_home, projection.Name, position, state), cancellationToken);
        _saved = position;
    }

    private async Task BeginAsync(CancellationToken cancellationToken)
    {
        var snapshot = await store.LoadSnapshotAsync(_home, projection.Name, cancellationToken);
        projection.Clear();
        var position = 0L;
        if (snapshot is not null)
        {
            try
            {
                projection.Load(snapshot.State.Span);
                position = snapshot.Version;
            }
            catch (Exception)
            {
                // Another build's copy, or a damaged one: the events are still there.
                projection.Clear();
            }
        }
        _saved = position;
        Interlocked.Exchange(ref _position, position);
    }

    private async Task StepAsync(CancellationToken cancellationToken)
    {
        var mark = store.AppendMark;
        var after = Position;
        var page = await store.ReadPageAsync(after, PageSize, projection.Prefixes, cancellationToken);
        if (page.Through == after)
        {
            _caughtUp.TrySetResult();
            await store.WaitForAppendAsync(mark, Poll, cancellationToken);
            return;
        }
        // Half a page in it is no state to go on from: until the whole page is, the next look begins at the saved copy.
        Interlocked.Exchange(ref _position, -1);
        foreach (var stored in page.Events)
            Apply(stored);
        Interlocked.Exchange(ref _position, page.Through);
        if (page.Through - after < PageSize / 4)
            await Task.Delay(Gather, clock, cancellationToken);
    }

    /// <summary>One event that cannot be taken in, be it another build's, must not keep all others from being seen.</summary>
    private void Apply(StoredEvent stored)
    {
        try
        {
            projection.Apply(stored);
        }
        catch (Exception e) when (IsItsOwnFault(e) || !_failed.Add(stored.Sequence))
        {
            projection.PassOver(stored);
            _passedOver = $"Passed over: event {stored.Version} of {stored.Stream}: {e.Message}";
        }
    }

    /// <summary>What fails otherwise is tried a second time, from the saved copy on.</summary>
    private static bool IsItsOwnFault(Exception e) => e is EventStoreException { Fault: StoreFault.UnknownType or StoreFault.Undecodable };
}
