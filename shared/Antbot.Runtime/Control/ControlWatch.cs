using Antbot.Contracts;
using Antbot.Kernel.Control;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Control;

/// <summary>The control state as this process knows it, and the version it stands at: an entry's append is guarded by that version.</summary>
public sealed record KnownControl(ControlState State, long Version)
{
    /// <summary>Before the store has been read nothing may be entered.</summary>
    public static KnownControl Nothing { get; } = new(new ControlState(Contracts.Events.Activity.Halted, Contracts.Events.TradingMode.Dry, Maintenance: false, "the control state has not been read yet"), -1);

    public StreamGuard Guard => new(Streams.Control, ExpectedVersion.Exactly(Math.Max(Version, 0)));
}

/// <summary>Follows `control` by the store's own announcements, so that it works without the broker.</summary>
public sealed class ControlWatch(IEventStore store, EventCodec codec, TimeProvider clock)
{
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(1);

    private readonly StreamLoader _loader = new(store, codec);
    private KnownControl _known = KnownControl.Nothing;

    public KnownControl Known => Volatile.Read(ref _known);

    /// <summary>Why it cannot be read, or null while it can.</summary>
    public Exception? Trouble { get; private set; }

    /// <summary>Reads what stands now; called at start, and when an append found that it had moved on.</summary>
    public async Task<KnownControl> RefreshAsync(CancellationToken cancellationToken = default)
    {
        var loaded = await _loader.LoadAsync(Streams.Control, ControlState.Fold, cancellationToken);
        while (true)
        {
            var before = Known;
            if (loaded.Version <= before.Version)
                return before;
            var now = new KnownControl(loaded.State, loaded.Version);
            if (Interlocked.CompareExchange(ref _known, now, before) == before)
                return now;
        }
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                var mark = store.AppendMark;
                if (Known.Version < 0 || await store.ReadVersionAsync(Streams.Control, cancellationToken) != Known.Version)
                    await RefreshAsync(cancellationToken);
                Trouble = null;
                await store.WaitForAppendAsync(mark, Poll, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                Trouble = e;
            }
            // Every append announces itself, whichever stream it is of: without a pause a busy store would be asked without end. One that is away is given more time.
            await Task.Delay(TimeSpan.FromMilliseconds(Trouble is null ? 50 : 250), clock, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        }
    }
}
