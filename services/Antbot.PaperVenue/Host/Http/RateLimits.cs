using System.Collections.Concurrent;
using System.Net;

namespace Antbot.PaperVenue.Http;

/// <summary>How much each address and each account uses. Who goes on after a 429 is banned for a while: 418.</summary>
internal sealed class RateLimits(PaperVenueOptions options, TimeProvider clock)
{
    private const int ForgivenAfter429 = 100;
    private const int MaxAddresses = 10_000;

    private static readonly TimeSpan Ban = TimeSpan.FromMinutes(2);

    private readonly ConcurrentDictionary<IPAddress, Usage> _addresses = new();
    private readonly ConcurrentDictionary<int, Orders> _orders = new();

    /// <summary>What an address has used in this minute with this request; or how long it has to wait.</summary>
    public (int Used, int Status, int RetryAfter) Use(IPAddress address, int weight)
    {
        var now = clock.GetUtcNow();
        var minute = now.ToUnixTimeSeconds() / 60;
        if (_addresses.Count >= MaxAddresses)
            _addresses.Clear();
        var usage = _addresses.GetOrAdd(address, static _ => new Usage());
        lock (usage)
        {
            if (usage.BannedUntil > now)
                return (usage.Weight, 418, (int)Math.Ceiling((usage.BannedUntil - now).TotalSeconds));
            if (usage.Minute / 5 != minute / 5)
                usage.Requests = 0;
            if (usage.Minute != minute)
                (usage.Minute, usage.Weight, usage.Refused) = (minute, 0, 0);
            usage.Requests = (int)Math.Min(int.MaxValue, (long)usage.Requests + 1);
            usage.Weight = (int)Math.Min(int.MaxValue, (long)usage.Weight + weight);
            var isTooOften = usage.Requests > options.RequestsPerFiveMinutes;
            if (usage.Weight <= options.WeightPerMinute && !isTooOften)
                return (usage.Weight, 200, 0);
            if (++usage.Refused > ForgivenAfter429)
            {
                usage.BannedUntil = now + Ban;
                return (usage.Weight, 418, (int)Ban.TotalSeconds);
            }
            return (usage.Weight, 429, (int)(((isTooOften ? ((minute / 5) + 1) * 5 : minute + 1) * 60) - now.ToUnixTimeSeconds()));
        }
    }

    /// <summary>How many orders an account has placed in these ten seconds and today.</summary>
    public (int InTenSeconds, int Today) OrdersOf(int account)
    {
        var seconds = clock.GetUtcNow().ToUnixTimeSeconds();
        if (!_orders.TryGetValue(account, out var orders))
            return (0, 0);
        lock (orders)
            return (orders.Window == seconds / 10 ? orders.InWindow : 0, orders.Day == seconds / 86_400 ? orders.Today : 0);
    }

    /// <summary>How many with these; or what of, where it would be too many.</summary>
    public (int InTenSeconds, int Today, string? Exceeded) Order(int account, int placed)
    {
        var seconds = clock.GetUtcNow().ToUnixTimeSeconds();
        var orders = _orders.GetOrAdd(account, static _ => new Orders());
        lock (orders)
        {
            if (orders.Window != seconds / 10)
                (orders.Window, orders.InWindow) = (seconds / 10, 0);
            if (orders.Day != seconds / 86_400)
                (orders.Day, orders.Today) = (seconds / 86_400, 0);
            if (orders.Today > options.OrdersPerDay - placed)
                return (orders.InWindow, orders.Today, $"{options.OrdersPerDay} orders per 1 DAY");
            if (orders.InWindow > options.OrdersPerTenSeconds - placed)
                return (orders.InWindow, orders.Today, $"{options.OrdersPerTenSeconds} orders per 10 SECOND");
            return (orders.InWindow += placed, orders.Today += placed, null);
        }
    }

    private sealed class Usage
    {
        public long Minute { get; set; }

        public int Weight { get; set; }

        /// <summary>In five minutes.</summary>
        public int Requests { get; set; }

        public int Refused { get; set; }

        public DateTimeOffset BannedUntil { get; set; }
    }

    private sealed class Orders
    {
        public long Window { get; set; }

        public int InWindow { get; set; }

        public long Day { get; set; }

        public int Today { get; set; }
    }
}
