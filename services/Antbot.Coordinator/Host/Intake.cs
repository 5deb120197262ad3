using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Coordinator.Core;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;

namespace Antbot.Coordinator;

/// <summary>
/// Where new signals wait until there is room for them. Each instance follows all trades for itself, so that all of them together let in
/// what there is room for. Nothing but a new signal ever waits here.
/// </summary>
public sealed class Intake(PipelineParts parts, CoordinatorOptions options) : IProjection
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(10);

    /// <summary>For so long all wait for what is under way to be known; where a whole history has to be read for it, nobody waits for its end.</summary>
    private static readonly TimeSpan KnownWithin = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly TradePatience _patience = options.Patience;
    private readonly EntryWindow _window = new(options.Patience.Entering);
    private readonly Queue<Waiter> _waiting = new();
    private bool _isLooking;
    private ProjectionRunner? _following;
    private DateTimeOffset _followingSince;

    public string Name => "entry-window-1";

    public IReadOnlyList<string> Prefixes { get; } = [Streams.TradePrefix];

    /// <summary>Why it does not see all there is to see; null while it does.</summary>
    public string? Trouble => _following?.Trouble;

    public Task RunAsync(CancellationToken cancellationToken)
    {
        _followingSince = parts.Clock.GetUtcNow();
        _following = new ProjectionRunner(parts.Store, this, parts.Clock, SaveEvery);
        return _following.RunAsync(cancellationToken);
    }

    /// <summary>Returns when it may begin, after those that came before it, or when it is too late for that anyway.</summary>
    public async Task WaitAsync(Signal signal, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(signal);
        bool first;
        lock (_lock)
        {
            _waiting.Enqueue(waiter);
            first = !_isLooking;
            _isLooking = true;
        }
        if (first)
            _ = LookAsync();
        await using var giveUp = cancellationToken.UnsafeRegister(static (state, token) => ((Waiter)state!).Begins.TrySetCanceled(token), waiter);
        await waiter.Begins.Task;
    }

    public void Apply(StoredEvent stored)
    {
        if (!TradeId.TryParse(stored.Stream[Streams.TradePrefix.Length..], out var trade))
            return;
        var @event = parts.Codec.Decode(stored);
        // Another instance's clock may be ahead of ours.
        var now = parts.Clock.GetUtcNow();
        lock (_lock)
            _window.Apply(trade, @event, stored.Timestamp < now ? stored.Timestamp : now);
    }

    public byte[] Save()
    {
        lock (_lock)
            return _window.Save();
    }

    public void Load(ReadOnlySpan<byte> saved)
    {
        lock (_lock)
            _window.Load(saved);
    }

    public void Clear()
    {
        lock (_lock)
            _window.Clear();
    }

    /// <summary>For as long as anybody waits.</summary>
    private async Task LookAsync()
    {
        while (LetIn())
            await Task.Delay(LookEvery, parts.Clock);
    }

    private bool LetIn()
    {
        lock (_lock)
        {
            while (_waiting.TryPeek(out var first) && HasTurn(first))
            {
                _waiting.Dequeue();
                // What failed here may fail for everybody just now: those behind it have looks of their own.
                if (!first.Begins.TrySetResult() && first.Begins.Task.IsFaulted)
                    break;
            }
            return _isLooking = _waiting.Count > 0;
        }
    }

    private bool HasTurn(Waiter first)
    {
        try
        {
            return first.Begins.Task.IsCompleted || MayBegin(first.Signal, parts.Clock.GetUtcNow());
        }
        catch (Exception e)
        {
            return first.Begins.TrySetException(e);
        }
    }

    private bool MayBegin(Signal signal, DateTimeOffset now) => _patience.IsTooLateToBegin(signal, now)
        || (_following is { CaughtUp.IsCompleted: false } ? now - _followingSince >= KnownWithin || now < _followingSince : _window.TryEnter(signal.Trade, signal.ValidUntil, now));

    private sealed record Waiter(Signal Signal)
    {
        public TaskCompletionSource Begins { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
