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

    /// <summary>Whether a call may be made; where it may, <see cref="Succeeded"/>, <see cref="Failed"/> or <see cref="Abandoned"/> must follow.</summary>
    /// <param name="retryAfter">When to ask again, where it may not.</param>
    public bool TryEnter(out TimeSpan retryAfter)
    {
        lock (_lock)
        {
            retryAfter = TimeSpan.Zero;
            if (_state == BreakerState.Closed)
                return true;
            retryAfter = Rest();
            if (retryAfter > TimeSpan.Zero)
                return false;
            if (_isProbing)
            {
                retryAfter = TimeSpan.FromSeconds(1);
                return false;
            }
            _state = BreakerState.HalfOpen;
            _isProbing = true;
            return true;
        }
    }

    public void Succeeded()
    {
        lock (_lock)
        {
            _failures = 0;
            _isProbing = false;
            _state = BreakerState.Closed;
        }
    }

    public void Failed()
    {
        lock (_lock)
        {
            _isProbing = false;
            _failures = Math.Min(_failures + 1, options.FailuresMax);
            if (_state != BreakerState.Closed || _failures >= options.FailuresMax)
            {
                _state = BreakerState.Open;
                _openedAt = clock.GetTimestamp();
            }
        }
    }

    /// <summary>The call told nothing about the route: it was given up by its caller.</summary>
    public void Abandoned()
    {
        lock (_lock)
            _isProbing = false;
    }

    private TimeSpan Rest()
    {
        var rest = options.OpenFor - clock.GetElapsedTime(_openedAt);
        return rest > TimeSpan.Zero ? rest : TimeSpan.Zero;
    }
}
