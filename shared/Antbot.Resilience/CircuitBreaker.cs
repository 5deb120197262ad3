namespace Antbot.Resilience;

public enum BreakerState
{
    Closed = 0,
    HalfOpen = 1,
    Open = 2,
}

/// <param name="FailuresMax">So many failures on end open it.</param>
/// <param name="OpenFor">Then nothing is let through for this long, and one probe after it.</param>
public sealed record BreakerOptions(int FailuresMax, TimeSpan OpenFor)
{
    public static BreakerOptions Default { get; } = new(5, TimeSpan.FromSeconds(60));
}

/// <summary>
/// Keeps calls from a route that fails. Failures are counted on end, as the thresholds here are given; a library's breaker counts a
/// share of the calls within a time, under which four successes would outvote five failures.
/// </summary>
public sealed class CircuitBreaker(string name, BreakerOptions options, TimeProvider clock)
{
    private readonly Lock _lock = new();
    private int _failures;
    private long _openedAt;
    private bool _isProbing;
    private int _era;
    private BreakerState _state;

    public string Name { get; } = name;

    public BreakerState State
    {
        get
        {
            lock (_lock)
                return _state == BreakerState.Open && Rest() == TimeSpan.Zero ? BreakerState.HalfOpen : _state;
        }
    }

    /// <summary>Null where no call may be made; where one may, what became of it must be told to what is returned.</summary>
    /// <param name="retryAfter">When to ask again, where it may not.</param>
    public BreakerCall? TryEnter(out TimeSpan retryAfter)
    {
        lock (_lock)
        {
            retryAfter = TimeSpan.Zero;
            if (_state == BreakerState.Closed)
                return new BreakerCall(this, _era);
            retryAfter = Rest();
            if (retryAfter > TimeSpan.Zero)
                return null;
            if (_isProbing)
            {
                retryAfter = TimeSpan.FromSeconds(1);
                return null;
            }
            (_state, _isProbing) = (BreakerState.HalfOpen, true);
            return new BreakerCall(this, ++_era);
        }
    }

    internal void Succeeded(int era)
    {
        lock (_lock)
        {
            if (era != _era)
                return;
            _failures = 0;
            if (_state != BreakerState.Closed)
                Begin(BreakerState.Closed);
        }
    }

    internal void Failed(int era)
    {
        lock (_lock)
        {
            if (era != _era)
                return;
            _failures = Math.Min(_failures + 1, options.FailuresMax);
            if (_state == BreakerState.Closed && _failures < options.FailuresMax)
                return;
            _openedAt = clock.GetTimestamp();
            Begin(BreakerState.Open);
        }
    }

    internal void Abandoned(int era)
    {
        lock (_lock)
        {
            if (era == _era)
                _isProbing = false;
        }
    }

    /// <summary>What is still under way belongs to what was before: it neither closes what its neighbours have opened nor keeps it open.</summary>
    private void Begin(BreakerState state)
    {
        (_state, _isProbing) = (state, false);
        _era++;
    }

    private TimeSpan Rest()
    {
        var rest = options.OpenFor - clock.GetElapsedTime(_openedAt);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}

/// <summary>A call that a breaker has let through.</summary>
public readonly struct BreakerCall
{
    private readonly CircuitBreaker _breaker;
    private readonly int _era;

    internal BreakerCall(CircuitBreaker breaker, int era) => (_breaker, _era) = (breaker, era);

    public void Succeeded() => _breaker.Succeeded(_era);

    public void Failed() => _breaker.Failed(_era);

    /// <summary>It told nothing about the route: it was given up by its caller.</summary>
    public void Abandoned() => _breaker.Abandoned(_era);
}
