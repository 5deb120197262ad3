using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.Coordinator.Core;

/// <summary>
/// How many trades may be on their way to the venue at once: as many as get there, as fast as they lately have, in half of the time that
/// the next one has left. So none waits for longer than that behind the others, however slow everything is and whatever it is that is slow;
/// and what has much time may be many, which are cheaper together.
/// </summary>
/// <param name="entering">How long an entry may take.</param>
public sealed class EntryWindow(TimeSpan entering)
{
    /// <summary>Enough to see how fast it goes, and not too many for a machine on which everything is slow.</summary>
    public const int RoomMin = 16;

    /// <summary>More are not under way at once on any machine that keeps up.</summary>
    public const int RoomMax = 5_000;

    /// <summary>However full it is, one is let in after this long: what has come to a standstill is found to have gone on.</summary>
    public static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);

    /// <summary>One that was let in and is not recorded to have begun by then has begun before, or never does.</summary>
    public static readonly TimeSpan BeginsWithin = TimeSpan.FromSeconds(2);

    /// <summary>So many that were here are remembered: what is told again of one takes no place.</summary>
    private const int GoneMax = 20_000;

    /// <summary>Up to when each of them may be entered.</summary>
    private readonly Dictionary<TradeId, DateTimeOffset> _entering = [];
    private readonly HashSet<TradeId> _gone = [];
    private readonly Queue<TradeId> _goneInOrder = new();
    private readonly Queue<DateTimeOffset> _arrived = new();
    private DateTimeOffset _letIn = DateTimeOffset.MinValue;

    /// <summary>On their way, as far as is known here.</summary>
    public int Entering => _entering.Count;

    private TimeSpan Within => entering / 2;

    /// <param name="left">How much time the next one has.</param>
    public int Room(DateTimeOffset now, TimeSpan left)
    {
        // One that lies ahead came before the clock was set back.
        while (_arrived.TryPeek(out var first) && (first < now - Within || first > now))
            _arrived.Dequeue();
        return (int)Math.Clamp(_arrived.Count * (left / 2 / Within), RoomMin, RoomMax);
    }

    /// <summary>Whether a new one may begin; it is counted from then on.</summary>
    public bool TryEnter(TradeId trade, DateTimeOffset validUntil, DateTimeOffset now)
    {
        if (_entering.ContainsKey(trade) || _gone.Contains(trade))
            return true;
        var room = Room(now, validUntil - now);
        if (_entering.Count >= room)
        {
            Forget(now);
            // A clock that was set back lets nobody wait for it.
            if (_entering.Count >= room && now >= _letIn && now < _letIn + ProbeEvery)
                return false;
        }
        _entering[trade] = validUntil < now + BeginsWithin ? validUntil : now + BeginsWithin;
        _letIn = now;
        return true;
    }

    /// <summary>What is recorded of it, here or elsewhere.</summary>
    public void Apply(TradeId trade, object @event, DateTimeOffset at)
    {
        switch (@event)
        {
            case TradeRaised { TooLate: not true } e:
                _entering[trade] = e.Signal.ValidUntil;
                break;
            case TradeExpired:
                // It got nowhere: that says nothing of how many do.
                _entering.Remove(trade);
                Gone(trade);
                break;
            case TradeRejected or TradeDenied or TradeFailed or TradeEntryAccepted or TradeEntryUnknown or TradeOpenedRecorded or TradeClosingRecorded or TradeClosedRecorded:
                if (_entering.Remove(trade))
                    Arrived(at);
                Gone(trade);
                break;
            default:
                // On its way from one to the other.
                break;
        }
    }

    public byte[] Save() => JsonSerializer.SerializeToUtf8Bytes(_entering.ToDictionary(t => t.Key.Value, t => t.Value));

    public void Load(ReadOnlySpan<byte> saved)
    {
        var known = JsonSerializer.Deserialize<Dictionary<string, DateTimeOffset>>(saved) ?? throw new JsonException("It is null.");
        Clear();
        foreach (var (trade, validUntil) in known)
            _entering[TradeId.From(trade)] = validUntil;
    }

    public void Clear()
    {
        _entering.Clear();
        _arrived.Clear();
        _gone.Clear();
        _goneInOrder.Clear();
    }

    private void Arrived(DateTimeOffset at)
    {
        _arrived.Enqueue(at);
        if (_arrived.Count > RoomMax)
            _arrived.Dequeue();
    }

    private void Gone(TradeId trade)
    {
        if (!_gone.Add(trade))
            return;
        _goneInOrder.Enqueue(trade);
        if (_goneInOrder.Count > GoneMax)
            _gone.Remove(_goneInOrder.Dequeue());
    }

    /// <summary>What could not be entered in its time will not be, and takes nobody's place; nor does what was let in and never began.</summary>
    private void Forget(DateTimeOffset now)
    {
        foreach (var trade in _entering.Where(t => t.Value < now).Select(t => t.Key).ToList())
            _entering.Remove(trade);
    }
}
