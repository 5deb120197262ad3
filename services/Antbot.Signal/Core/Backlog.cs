using System.Text.Json;
using System.Text.Json.Serialization;
using Antbot.Contracts;

namespace Antbot.Signals.Core;

/// <summary>
/// What was taken and waits for its trade to begin, and how soon a new signal would have its turn behind it, at the pace at which trades
/// have begun since the oldest came. One that would wait for more than a third of its life is not taken: the rest of it is for its entry,
/// and for what goes slower than it went.
/// </summary>
public sealed class Backlog
{
    /// <summary>So many may always wait: enough to find that it goes on where it had come to a standstill.</summary>
    public const int RoomMin = 16;

    /// <summary>Of what a signal may wait, the oldest must have waited so much before any is refused: a burst shows in that time how fast it is worked off.</summary>
    private const int PatiencesPart = 4;

    /// <summary>What is not decided on so long after its time was lost on the way, or is a dead letter.</summary>
    private static readonly TimeSpan GoneAfter = TimeSpan.FromMinutes(1);

    private const int ForgetEvery = 1_000;

    private static readonly TimeSpan AgainAfterMin = TimeSpan.FromSeconds(1);

    private readonly Dictionary<TradeId, Waiter> _waiting = [];
    private readonly Queue<TradeId> _inOrder = new();

    /// <summary>Those that wait and still had time to be entered when they were counted last.</summary>
    private readonly SortedSet<(DateTimeOffset EnterBy, long Number)> _inTime = [];
    private DateTimeOffset _countedAt;

    /// <summary>Until then none of them is over.</summary>
    private DateTimeOffset _countsUntil = DateTimeOffset.MaxValue;
    private long _came;
    private long _begun;

    /// <summary>The number of the newest that is decided on. What came before it and still waits was overtaken, and says nothing of how long others wait.</summary>
    private long _decidedUpTo;

    public int Waiting => _waiting.Count;

    public void Recorded(TradeId trade, DateTimeOffset at, DateTimeOffset validUntil)
    {
        var waiter = new Waiter(++_came, _begun, at, validUntil);
        if (!_waiting.TryAdd(trade, waiter))
            return;
        _inOrder.Enqueue(trade);
        Count(waiter);
        if (_came % ForgetEvery == 0)
            Forget(at);
    }

    /// <param name="tooLate">It came to its turn, and could not be entered in time any more: that says nothing of how many can.</param>
    public void Decided(TradeId trade, bool tooLate)
    {
        if (!_waiting.Remove(trade, out var waiter))
            return;
        _inTime.Remove((waiter.EnterBy, waiter.Number));
        _decidedUpTo = Math.Max(_decidedUpTo, waiter.Number);
        if (!tooLate)
            _begun++;
    }

    /// <summary>Null where one that lives so long is taken; else when to come again.</summary>
    public TimeSpan? Refuse(TimeSpan life, DateTimeOffset now)
    {
        var patience = life / 3;
        if (Oldest(now) is not { } oldest || now - oldest.At is var waited && waited < patience / PatiencesPart)
            return null;
        // Those whose time is almost over are only refused when their turn comes, which is quick.
        var before = InTime(now);
        var begun = _begun - oldest.BegunBefore;
        if (before < RoomMin || before * waited <= begun * patience)
            return null;
        var again = begun == 0 ? patience : (before * waited / begun) - patience;
        return Max(again < patience ? again : patience, AgainAfterMin);
    }

    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(new Saved(_begun, [.. _waiting.OrderBy(w => w.Value.Number).Select(w => new SavedWaiter(w.Key.Value, w.Value))]));

    public void Load(ReadOnlySpan<byte> saved)
    {
        var known = JsonSerializer.Deserialize<Saved>(saved) ?? throw new JsonException("It is null.");
        Clear();
        _begun = known.Begun;
        foreach (var (trade, waiter) in known.Waiting)
        {
            _waiting[TradeId.From(trade)] = waiter;
            _inOrder.Enqueue(TradeId.From(trade));
            _came = waiter.Number;
            Count(waiter);
        }
    }

    public void Clear()
    {
        _waiting.Clear();
        _inOrder.Clear();
        _inTime.Clear();
        (_countedAt, _countsUntil) = (default, DateTimeOffset.MaxValue);
        (_came, _begun, _decidedUpTo) = (0, 0, 0);
    }

    private static TimeSpan Max(TimeSpan one, TimeSpan other) => one > other ? one : other;

    /// <summary>Of those that nobody has overtaken.</summary>
    private Waiter? Oldest(DateTimeOffset now)
    {
        while (_inOrder.TryPeek(out var first))
        {
            if (_waiting.TryGetValue(first, out var waiter) && waiter.Number > _decidedUpTo && now <= waiter.ValidUntil + GoneAfter)
                return waiter;
            _inOrder.Dequeue();
        }
        return null;
    }

    /// <summary>How many of them can still be entered in time. Between two that come, go or are over it is known, and each is looked at once when it is over.</summary>
    private int InTime(DateTimeOffset now)
    {
        if (now >= _countedAt && now < _countsUntil)
            return _inTime.Count;
        if (now < _countedAt)
        {
            // A clock that went back brings some of them back.
            _inTime.Clear();
            (_countedAt, _countsUntil) = (now, DateTimeOffset.MaxValue);
            foreach (var waiter in _waiting.Values)
                Count(waiter);
        }
        while (_inTime.Count > 0 && _inTime.Min.EnterBy <= now)
            _inTime.Remove(_inTime.Min);
        (_countedAt, _countsUntil) = (now, _inTime.Count > 0 ? _inTime.Min.EnterBy : DateTimeOffset.MaxValue);
        return _inTime.Count;
    }

    private void Count(Waiter waiter)
    {
        if (waiter.EnterBy <= _countedAt)
            return;
        _inTime.Add((waiter.EnterBy, waiter.Number));
        _countsUntil = waiter.EnterBy < _countsUntil ? waiter.EnterBy : _countsUntil;
    }

    private void Forget(DateTimeOffset now)
    {
        foreach (var (trade, waiter) in _waiting.Where(w => now > w.Value.ValidUntil + GoneAfter).ToList())
        {
            _waiting.Remove(trade);
            _inTime.Remove((waiter.EnterBy, waiter.Number));
        }
    }

    /// <param name="Number">In the order in which they came.</param>
    /// <param name="BegunBefore">How many trades had begun when it came.</param>
    private sealed record Waiter(long Number, long BegunBefore, DateTimeOffset At, DateTimeOffset ValidUntil)
    {
        /// <summary>The last third of its life is for its entry.</summary>
        [JsonIgnore]
        public DateTimeOffset EnterBy => ValidUntil - ((ValidUntil - At) / 3);
    }

    private sealed record Saved(long Begun, IReadOnlyList<SavedWaiter> Waiting);

    private sealed record SavedWaiter(string Trade, Waiter Waiter);
}
