using System.Diagnostics.Metrics;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues;

/// <param name="Why">Null where it may be sent.</param>
/// <param name="RetryAfter">When to ask again, where it may not.</param>
internal readonly record struct Permit(string? Why, TimeSpan RetryAfter)
{
    public bool IsGranted => Why is null;
}

/// <summary>
/// What a venue lets an address ask in a minute and an account order in ten seconds and in a day, shared with every process at the
/// same venue. Questions have a part of it to themselves, and what gets out a further one; and when the venue says to wait, nobody asks before it is time.
/// </summary>
internal sealed class RequestBudget : IDisposable
{
    /// <summary>What is not reserved ends here, in hundredths of the limit.</summary>
    private const int SharedPart = 70;

    /// <summary>What finds out ends here: of Binance's 6,000 a minute that leaves 300 orders and cancels to what gets out, whatever is being asked.</summary>
    private const int AskingPart = 80;

    /// <summary>What gets out ends here; the rest is for processes that cannot ask the others.</summary>
    private const int LeavingPart = 85;

    /// <summary>What a process may use of a slot by itself, for what is reserved, while the others cannot be asked: three of them, the rest.</summary>
    private const int AlonePart = 5;

    /// <summary>Of that, what finds out.</summary>
    private const int AskingAlonePart = 3;

    /// <summary>
    /// Where the limit is so high that asking for each request would cost more than it brings, some are taken along for those that
    /// follow at once. At a real venue's limits that is none: there every request asks.
    /// </summary>
    private const int TakenAlongPart = 10_000;

    private static readonly TimeSpan TakenAlongFor = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(3);

    /// <summary>Our clock may be ahead of the venue's, and a request takes a while to get there: near a change of slots it is counted in both.</summary>
    private static readonly TimeSpan Ahead = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan OnTheWay = TimeSpan.FromSeconds(1);

    /// <summary>Until the venue has told its limits they are taken for the usual ones: a day is not waited for on that.</summary>
    private static readonly TimeSpan ToldSoon = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly CancellationTokenSource _end = new();
    private readonly Meter _meter = new("Antbot.Venues");
    private readonly BudgetCount _weight = new("weight", TimeSpan.FromMinutes(1), 6_000);
    private readonly BudgetCount _orders = new("orders-10s", TimeSpan.FromSeconds(10), 100);
    private readonly BudgetCount _ordersOfDay = new("orders-1d", TimeSpan.FromDays(1), 200_000);
    private readonly string _venue;
    private readonly string _account;
    private readonly string _name;
    private readonly IVenueBudget _shared;
    private readonly VenueClock _venueClock;
    private readonly TimeProvider _clock;
    private readonly ILogger _log;
    private (long From, TimeSpan Wait) _block;
    private long? _awaySince;
    private bool _isSpreading;
    private bool _told;

    public RequestBudget(VenueOptions options, IVenueBudget shared, VenueClock venueClock, TimeProvider clock, ILogger log)
    {
        (_shared, _venueClock, _clock, _log, _name) = (shared, venueClock, clock, log, options.Name);
        _venue = options.Address!.Authority;
        _account = $"{_venue}/{options.Account}";
        _meter.CreateObservableGauge("antbot_venue_budget_used", Used, description: "What all processes together have used of a venue's limit in its present slot, of 1.");
        _meter.CreateObservableGauge("antbot_venue_blocked_seconds", () => Blocked.TotalSeconds, description: "How long the venue has told us to wait.");
    }

    /// <summary>How long nothing may be sent, as far as this process knows.</summary>
    public TimeSpan Blocked
    {
        get
        {
            lock (_lock)
                return Max(_block.Wait - _clock.GetElapsedTime(_block.From), TimeSpan.Zero);
        }
    }

    /// <summary>In the venue's time, as far as it is known.</summary>
    public DateTimeOffset Now => _venueClock.Now ?? _clock.GetUtcNow();

    /// <summary>The venue's own figures, once it has told them.</summary>
    public void SetLimits(VenueLimits limits)
    {
        lock (_lock)
        {
            _told = true;
            _weight.Limit = limits.WeightPerMinute ?? _weight.Limit;
            _orders.Limit = limits.OrdersPerTenSeconds ?? _orders.Limit;
            _ordersOfDay.Limit = limits.OrdersPerDay ?? _ordersOfDay.Limit;
        }
    }

    /// <param name="tellsLimits">Its answer says what the limits are: what they are taken for until then does not bar it.</param>
    public async ValueTask<Permit> TakeAsync(int weight, bool isOrder, BudgetPart part, CancellationToken cancellationToken, bool tellsLimits = false)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (Blocked is var wait && wait > TimeSpan.Zero)
                return ToldToWait(wait);
            List<Line> lines;
            lock (_lock)
            {
                lines = [.. weight > 0 ? Lines(_weight, weight) : [], .. isOrder ? Lines(_orders, 1).Concat(Lines(_ordersOfDay, 1)) : []];
                if (tellsLimits && !_told)
                    part = BudgetPart.Uncapped;
                if (TakeAlong(lines, part))
                    return default;
            }
            var permit = await AskAsync(lines, part) is { } answer ? Heed(answer, lines, part) : Alone(lines, part);
            // Another request may have been told so while this one was asked for.
            return permit.IsGranted && Blocked is var told && told > TimeSpan.Zero ? ToldToWait(told) : permit;
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Waits until nothing is in the way of what is counted nowhere, such as connecting a stream.</summary>
    public async Task PassAsync(CancellationToken cancellationToken)
    {
        while (await TakeAsync(0, isOrder: false, BudgetPart.Leaving, cancellationToken) is { IsGranted: false } refused)
            await Task.Delay(Max(refused.RetryAfter, TimeSpan.FromMilliseconds(50)), _clock, cancellationToken);
    }

    /// <summary>What the venue has counted, whoever else is at this address included.</summary>
    /// <param name="sent">In the venue's time: a count that may be of the slot before says nothing of this one.</param>
    public void Counted(DateTimeOffset sent, VenueLimits counted)
    {
        lock (_lock)
        {
            foreach (var (count, seen) in new[] { (_weight, counted.WeightPerMinute), (_orders, counted.OrdersPerTenSeconds), (_ordersOfDay, counted.OrdersPerDay) })
            {
                var slot = count.SlotOf(Now + Ahead);
                if (seen is { } figure && count.SlotOf(sent - Ahead) == slot)
                    count.See(slot, figure);
            }
        }
    }

    /// <summary>
    /// The venue says that there are too many orders: of these ten seconds no process has any left, neither to enter nor to get out. Cancels
    /// and questions go on. Of a day, what enters has none left; what gets out asks again when the ten seconds are over, for with each fill the venue counts one less.
    /// </summary>
    /// <param name="sent">What was too much, in the venue's time. Just after a change of slots it is the one before that was full.</param>
    /// <returns>For how long.</returns>
    public async Task<TimeSpan> OrdersUsedUpAsync(DateTimeOffset sent, bool ofDay)
    {
        var draws = new List<BudgetDraw>();
        TimeSpan wait;
        lock (_lock)
        {
            Fill(_orders, _orders.Limit);
            if (ofDay)
                Fill(_ordersOfDay, CapOf(_ordersOfDay, BudgetPart.Shared));
            wait = Max(_orders.EndOf(_orders.SlotOf(sent - Ahead)) + Ahead - Now, TimeSpan.Zero);
        }
        try
        {
            // Nothing is wanted: it is only told.
            await _shared.DrawAsync(_venue, draws, CancellationToken.None).WaitAsync(AnswerWithin, _clock);
        }
        catch (Exception e)
        {
            _log.LogWarning("{Venue} has had too many orders, and the other processes cannot be told: {Fault}", _name, e.Message);
        }
        return wait;

        void Fill(BudgetCount count, long to)
        {
            var slot = count.SlotOf(sent - Ahead);
            count.See(slot, to);
            draws.Add(new BudgetDraw(_account, count.Kind, slot, Need: 0, Wanted: 0, long.MaxValue, count.Seen(slot)));
        }
    }

    /// <summary>Nothing more leaves this process from here on, and no other once this has returned, or as soon as it can be told.</summary>
    public async Task BlockAsync(TimeSpan wait)
    {
        wait = Min(Max(wait, TimeSpan.Zero), Kernel.Time.ToldToWait.Longest);
        SetBlock(wait);
        if (await TrySpreadAsync(wait))
            return;
        lock (_lock)
        {
            if (_isSpreading)
                return;
            _isSpreading = true;
        }
        _ = SpreadAsync();
    }

    public void Dispose()
    {
        _end.Cancel();
        _end.Dispose();
        _meter.Dispose();
    }

    /// <summary>The others cannot be told now: they are as soon as that can be done, while there is something to tell.</summary>
    private async Task SpreadAsync()
    {
        try
        {
            do
            {
                await Task.Delay(AskAgainAfter, _clock, _end.Token);
            }
            while (Blocked is var rest && rest > TimeSpan.Zero && !await TrySpreadAsync(rest));
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The end.
        }
        lock (_lock)
            _isSpreading = false;
    }

    private async Task<bool> TrySpreadAsync(TimeSpan wait)
    {
        try
        {
            await _shared.BlockAsync(_venue, wait, CancellationToken.None).WaitAsync(AnswerWithin, _clock);
            return true;
        }
        catch (Exception e)
        {
            _log.LogWarning("{Venue} has told us to wait, and the other processes cannot be told yet: {Fault}", _name, e.Message);
            return false;
        }
    }

    private void SetBlock(TimeSpan wait)
    {
        lock (_lock)
        {
            if (wait > _block.Wait - _clock.GetElapsedTime(_block.From))
                _block = (_clock.GetTimestamp(), wait);
            foreach (var count in All)
                count.Along.Clear();
        }
    }

    private async Task<BudgetAnswer?> AskAsync(List<Line> lines, BudgetPart part)
    {
        if (_awaySince is { } since && _clock.GetElapsedTime(since) < AskAgainAfter)
            return null;
        try
        {
            var draws = new List<BudgetDraw>(lines.Count);
            lock (_lock)
            {
                foreach (var line in lines)
                {
                    var (count, scope) = (line.Count, line.Count == _weight ? _venue : _account);
                    draws.Add(new BudgetDraw(scope, count.Kind, line.Slot, line.Need, Math.Max(line.Need, count.Limit / TakenAlongPart - count.Left(line.Slot, part)), CapOf(count, part), count.Seen(line.Slot)));
                }
            }
            // Not with the caller's own patience: what is drawn is drawn, whoever gives up waiting for it.
            var answer = await _shared.DrawAsync(_venue, draws, CancellationToken.None).WaitAsync(AnswerWithin, _clock);
            if (_awaySince is not null)
                _log.LogInformation("The request budget of {Venue} is shared again", _name);
            _awaySince = null;
            return answer;
        }
        catch (Exception e)
        {
            if (_awaySince is null)
                _log.LogWarning("The request budget of {Venue} cannot be shared, so nothing is entered; what is reserved goes on with a part of its own: {Fault}", _name, e.Message);
            _awaySince = _clock.GetTimestamp();
            return null;
        }
    }

    private Permit Heed(BudgetAnswer answer, List<Line> lines, BudgetPart part)
    {
        if (answer.Blocked > TimeSpan.Zero)
        {
            SetBlock(answer.Blocked);
            return ToldToWait(answer.Blocked);
        }
        lock (_lock)
        {
            for (var i = 0; i < lines.Count; i++)
                lines[i].Count.Know(lines[i].Slot, answer.Used[i]);
            if (answer.Granted.Count < lines.Count)
                return UsedUp(lines.Where((l, i) => answer.Used[i] + l.Need > CapOf(l.Count, part)));
            for (var i = 0; i < lines.Count; i++)
                lines[i].Count.Keep(lines[i].Slot, part, lines[i].Count.Left(lines[i].Slot, part) + answer.Granted[i] - lines[i].Need, _clock.GetTimestamp());
            return default;
        }
    }

    /// <summary>Getting out and finding out go on while the others cannot be asked, with so little that together it cannot be too much.</summary>
    private Permit Alone(List<Line> lines, BudgetPart part)
    {
        if (part == BudgetPart.Shared)
            return new Permit("the request budget that the processes share cannot be asked for", AskAgainAfter);
        lock (_lock)
        {
            var most = part == BudgetPart.Asking ? AskingAlonePart : AlonePart;
            var over = part == BudgetPart.Uncapped ? [] : lines.Where(l => l.Count.Alone(l.Slot) + l.Need > Math.Max(1, l.Count.Limit * most / 100) || l.Count.Known(l.Slot) + l.Count.Alone(l.Slot) + l.Need > l.Count.Limit).ToList();
            if (over.Count > 0)
                return UsedUp(over);
            foreach (var line in lines)
                line.Count.TakeAlone(line.Slot, line.Need);
            return default;
        }
    }

    private bool TakeAlong(List<Line> lines, BudgetPart part)
    {
        if (lines.Count == 0 || !lines.All(l => l.Count.HasAlong(l.Slot, part, l.Need, _clock, TakenAlongFor)))
            return false;
        foreach (var line in lines)
            line.Count.TakeAlong(line.Slot, part, line.Need);
        return true;
    }

    private IEnumerable<Line> Lines(BudgetCount count, long need)
    {
        var now = Now;
        var (first, last) = (count.SlotOf(now - Ahead), count.SlotOf(now + OnTheWay));
        for (var slot = first; slot <= last; slot++)
            yield return new Line(count, slot, need);
    }

    private Permit UsedUp(IEnumerable<Line> lines)
    {
        var over = lines.ToList();
        var wait = over.Max(l => l.Count.EndOf(l.Slot)) + Ahead - Now;
        return new Permit($"the request budget is used up ({string.Join(", ", over.Select(l => l.Count.Kind).Distinct(StringComparer.Ordinal))})", _told ? wait : Min(wait, ToldSoon));
    }

    /// <summary>
    /// Of a day what gets out goes by the venue's word: that counts one less with each order that fills, our own count does not, and what is
    /// held shall not lie until midnight for it.
    /// </summary>
    private long CapOf(BudgetCount count, BudgetPart part) => part switch
    {
        BudgetPart.Leaving when count == _ordersOfDay => long.MaxValue,
        BudgetPart.Shared => count.Limit * SharedPart / 100,
        BudgetPart.Asking => count.Limit * AskingPart / 100,
        BudgetPart.Leaving => count.Limit * LeavingPart / 100,
        _ => long.MaxValue,
    };

    private static Permit ToldToWait(TimeSpan wait) => new("the venue has told us to wait", wait);

    private IEnumerable<Measurement<double>> Used()
    {
        lock (_lock)
            return [.. All.Select(c => new Measurement<double>((double)c.Known(c.SlotOf(Now)) / c.Limit, new("venue", _name), new("kind", c.Kind)))];
    }

    private BudgetCount[] All => [_weight, _orders, _ordersOfDay];

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;

    private static TimeSpan Min(TimeSpan a, TimeSpan b) => a < b ? a : b;

    private readonly record struct Line(BudgetCount Count, long Slot, long Need);
}

/// <summary>What a venue allows, or what it has counted; null where it does not say.</summary>
internal readonly record struct VenueLimits(long? WeightPerMinute, long? OrdersPerTenSeconds, long? OrdersPerDay);
