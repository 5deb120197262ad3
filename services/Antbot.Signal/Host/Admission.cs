using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Runtime.Control;

namespace Antbot.Signals;

/// <summary>
/// Who gets in, and when: each key has its rate, all together have theirs, so many are worked on at once, so many wait, and the rest
/// are told when to come again. The load profile lifts the rates while trading is dry; the bounds on memory stay.
/// </summary>
public sealed class Admission : IDisposable
{
    private static readonly TimeSpan WhenFull = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, TokenBucket> _keys;
    private readonly TokenBucket _total;
    private readonly SemaphoreSlim _slots;
    private readonly int _insideMax;
    private readonly bool _load;
    private readonly ControlWatch _control;
    private int _inside;

    public Admission(SignalOptions options, PlatformOptions platform, ApiKeys keys, ControlWatch control, TimeProvider clock)
    {
        _keys = keys.Names.ToDictionary(name => name, _ => new TokenBucket(options.RatePerSecond, options.Burst, clock), StringComparer.Ordinal);
        _total = new TokenBucket(options.TotalRatePerSecond, options.TotalBurst, clock);
        _slots = new SemaphoreSlim(options.AtOnce, options.AtOnce);
        _insideMax = options.AtOnce + options.WaitingMax;
        _load = string.Equals(platform.Profile, PlatformOptions.LoadProfile, StringComparison.Ordinal);
        _control = control;
    }

    /// <summary>Null where the request may go on to <see cref="EnterAsync"/>; else how long to stay away.</summary>
    public TimeSpan? Refuse(string caller)
    {
        if (_load && _control.Known is { Version: >= 0, State.Mode: TradingMode.Dry })
            return null;
        var bucket = _keys[caller];
        if (bucket.TryTake() is { } wait)
            return wait;
        if (_total.TryTake() is not { } longer)
            return null;
        bucket.GiveBack();
        return longer;
    }

    /// <summary>Waits for its turn. Null with how long to stay away where too many wait already.</summary>
    public async Task<(IDisposable? Pass, TimeSpan RetryAfter)> EnterAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _inside) > _insideMax)
        {
            Interlocked.Decrement(ref _inside);
            return (null, WhenFull);
        }
        try
        {
            await _slots.WaitAsync(cancellationToken);
            return (new Pass(this), TimeSpan.Zero);
        }
        catch
        {
            Interlocked.Decrement(ref _inside);
            throw;
        }
    }

    public void Dispose() => _slots.Dispose();

    private sealed class Pass(Admission admission) : IDisposable
    {
        public void Dispose()
        {
            admission._slots.Release();
            Interlocked.Decrement(ref admission._inside);
        }
    }
}
