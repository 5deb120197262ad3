namespace Antbot.Resilience;

/// <summary>
/// What a venue lets one address ask in a minute and order in ten seconds. Questions and orders that make a position smaller have a
/// part of it to themselves; and when the venue says to wait, nobody asks before it is time.
/// </summary>
public sealed class RequestBudget(TimeProvider clock)
{
    private const decimal SharedPart = 0.7m;
    private const long OrderSeconds = 10;

    private readonly Lock _lock = new();
    private long _weightPerMinute = 6_000;
    private long _ordersPerTenSeconds = 100;
    private long _minute;
    private long _weight;
    private long _orderWindow;
    private long _orders;
    private DateTimeOffset _blockedUntil;

    /// <summary>The venue's own figures, once it has told them.</summary>
    public void SetLimits(long? weightPerMinute, long? ordersPerTenSeconds)
    {
        lock (_lock)
        {
            _weightPerMinute = weightPerMinute is > 0 ? weightPerMinute.Value : _weightPerMinute;
            _ordersPerTenSeconds = ordersPerTenSeconds is > 0 ? ordersPerTenSeconds.Value : _ordersPerTenSeconds;
        }
    }

    /// <param name="reserved">Whether it may use the part that is kept back.</param>
    /// <param name="retryAfter">When there is room again, where there is none now.</param>
    public bool TryTake(int weight, bool isOrder, bool reserved, out TimeSpan retryAfter)
    {
        lock (_lock)
        {
            var now = clock.GetUtcNow();
            retryAfter = _blockedUntil - now;
            if (retryAfter > TimeSpan.Zero)
                return false;
            var seconds = now.ToUnixTimeSeconds();
            if (seconds / 60 != _minute)
                (_minute, _weight) = (seconds / 60, 0);
            if (seconds / OrderSeconds != _orderWindow)
                (_orderWindow, _orders) = (seconds / OrderSeconds, 0);
            if (_weight + weight > Share(_weightPerMinute, reserved))
            {
                retryAfter = DateTimeOffset.FromUnixTimeSeconds((_minute + 1) * 60) - now;
                return false;
            }
            if (isOrder && _orders + 1 > Share(_ordersPerTenSeconds, reserved))
            {
                retryAfter = DateTimeOffset.FromUnixTimeSeconds((_orderWindow + 1) * OrderSeconds) - now;
                return false;
            }
            _weight += weight;
            _orders += isOrder ? 1 : 0;
            return true;
        }
    }

    /// <summary>What the venue has counted, other processes at the same address included.</summary>
    public void Counted(long? weight, long? orders)
    {
        lock (_lock)
        {
            _weight = Math.Max(_weight, weight ?? 0);
            _orders = Math.Max(_orders, orders ?? 0);
        }
    }

    public void BlockFor(TimeSpan time)
    {
        lock (_lock)
        {
            var until = clock.GetUtcNow() + time;
            _blockedUntil = until > _blockedUntil ? until : _blockedUntil;
        }
    }

    private static long Share(long limit, bool reserved) => reserved ? limit : (long)(limit * SharedPart);
}
