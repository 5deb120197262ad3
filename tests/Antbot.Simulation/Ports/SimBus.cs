using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Ports;

/// <summary>The broker: keeps what it confirmed, delivers it at least once and in any order, and gives up on a message only after many deliveries.</summary>
public sealed class SimBroker
{
    /// <summary>What was published while a part of it was lost or came again, and how much of it was and did.</summary>
    public const string AmidLoss = "messages published while many were lost";
    public const string LostAmidLoss = "of them lost before they were confirmed";
    public const string AmidRepetition = "messages published while many came again";
    public const string RepeatedAmidRepetition = "of them that came again";

    public const int Prefetch = 16;

    private const int AttemptsMax = 5;

    private readonly SimLoop _loop;
    private readonly Chance _chance;
    private readonly Tally _tally;
    private readonly Dictionary<int, BusLoses> _loses;
    private readonly Dictionary<int, BusRepeats> _repeats;
    private readonly Dictionary<int, BusDelays> _delays;
    private readonly Dictionary<int, Deadly> _deadly;
    private readonly Lasting<BusDown> _downs;
    private readonly Lasting<BusBlocked> _blocked;
    private readonly Lasting<BusRestarts> _restarts;
    private readonly Lasting<BusReorders> _reorders;
    private readonly Lasting<BusLosesMany> _lossy;
    private readonly Lasting<BusRepeatsMany> _repetitive;
    private readonly Dictionary<string, Lane> _lanes = Topology.Lanes.ToDictionary(l => l, l => new Lane(l), StringComparer.Ordinal);
    private readonly List<Publication> _unconfirmed = [];
    private readonly Poisoned[] _poisoned;
    private readonly Dictionary<int, SomebodyPublishes> _rubbish;
    private readonly Dictionary<(string Endpoint, string Message), int> _delivered = [];
    private int _published;
    private long _draws;

    public SimBroker(SimLoop loop, Plan plan, Tally tally)
    {
        (_loop, _chance, _tally) = (loop, new Chance(plan.Seed), tally);
        _loses = Index<BusLoses>(f => f.Nth);
        _repeats = Index<BusRepeats>(f => f.Nth);
        _delays = Index<BusDelays>(f => f.Nth);
        _deadly = Index<Deadly>(f => f.Nth);
        _rubbish = Index<SomebodyPublishes>(f => f.Nth);
        _poisoned = [.. plan.Faults.OfType<Poisoned>()];
        Letters = new SimLetters(loop, this, plan);
        (_downs, _blocked, _restarts, _reorders, _lossy, _repetitive) = (new(plan), new(plan), new(plan), new(plan), new(plan), new(plan));
        foreach (var restart in plan.Faults.OfType<BusRestarts>())
            loop.At(TimeSpan.FromSeconds(restart.AtSeconds), () => Restart(restart));
        foreach (var up in plan.Faults.Where(f => f is BusDown or BusRestarts).Cast<ILasting>())
            loop.At(TimeSpan.FromSeconds(up.AtSeconds + up.ForSeconds) + TimeSpan.FromMilliseconds(1), PumpAll);

        Dictionary<int, TFault> Index<TFault>(Func<TFault, int> number)
            where TFault : Fault => plan.Faults.OfType<TFault>().DistinctBy(number).ToDictionary(number);
    }

    /// <summary>Told of everything that is published, before it goes anywhere.</summary>
    public Action<OutboundMessage> Published { get; set; } = _ => { };

    /// <summary>Told of everything that has come into a queue.</summary>
    public Action<OutboundMessage> Queued { get; set; } = _ => { };

    /// <summary>Told of everything that is sent once more, with the letter and the replay that its header names.</summary>
    public Action<OutboundMessage, string> SentAgain { get; set; } = (_, _) => { };

    /// <summary>Ends a process that has taken a deadly message.</summary>
    public Action<SimProcess> Ends { get; set; } = _ => { };

    public SimLetters Letters { get; }

    public bool IsUp => Down is null;

    /// <summary>Copies that are on the wire, in a queue or being handled.</summary>
    public int UnderWay => Arrived - Handled - Dropped - Died;

    /// <summary>Copies that the broker has taken.</summary>
    public int Arrived { get; private set; }

    public int Handled { get; private set; }

    /// <summary>Copies that are among the dead letters instead.</summary>
    public int Died { get; private set; }

    /// <summary>Copies that a restart lost before they were confirmed.</summary>
    public int Dropped { get; private set; }

    /// <summary>Messages that were published, each time anew.</summary>
    public int Publications => _published;

    /// <summary>As long as a queue ever was.</summary>
    public int QueueMost { get; private set; }

    /// <summary>As many messages of one queue as ever lay with one process, unacknowledged.</summary>
    public int DeliveriesMost { get; private set; }

    /// <summary>As many as ever were on the wire, in a queue or being handled.</summary>
    public int UnderWayMost { get; private set; }

    public BusBlocked? Blocked => _blocked.At(_loop);

    private Fault? Down => (Fault?)_downs.At(_loop) ?? _restarts.At(_loop);

    public TimeSpan Latency() => _chance.Between(0.0005, 0.005, "bus", _draws++);

    public void Happened(Fault fault) => _tally.Happened(fault);

    /// <param name="confirmedAfter">How long the broker takes to make it safe.</param>
    /// <param name="replay">Of which letter it is which replay; null for what is said by whom it follows from.</param>
    public Publication Take(OutboundMessage message, TimeSpan confirmedAfter, string? replay = null)
    {
        if (replay is null)
            Published(message);
        else
            SentAgain(message, replay);
        var number = ++_published;
        if (Down is { } down)
        {
            _tally.Happened(down);
            return Publication.Lost;
        }
        _unconfirmed.RemoveAll(p => p.SafeAt <= _loop.Ticks);
        var delay = Latency();
        if (_delays.TryGetValue(number, out var late))
        {
            _tally.Happened(late);
            delay += TimeSpan.FromSeconds(late.Seconds);
        }
        var reorders = _reorders.At(_loop);
        if (reorders is not null)
            delay += _chance.Between(0, reorders.WithinSeconds, "reorder", number);
        var lost = _loses.GetValueOrDefault(number);
        if (lost is not null)
            _tally.Happened(lost);
        var isLost = IsLostAmongMany(number);
        var publication = new Publication(number, _loop.Ticks + confirmedAfter.Ticks, isLost || lost is not null, _deadly.GetValueOrDefault(number), reorders);
        _unconfirmed.Add(publication);
        if (!isLost && lost is null or { ArrivesAllTheSame: true })
            Arrive(new Delivery(message, publication, replay), delay);
        if (_repeats.TryGetValue(number, out var repeat))
        {
            _tally.Happened(repeat);
            for (var copy = 1; copy <= repeat.Copies; copy++)
                Arrive(new Delivery(message, publication, replay), delay + _chance.Between(0, repeat.WithinSeconds, "copy", number * 100L + copy));
        }
        if (_repetitive.At(_loop) is { } repetitive && IsOneOf(repetitive, repetitive.Part, number, AmidRepetition, RepeatedAmidRepetition))
            Arrive(new Delivery(message, publication, replay), delay + _chance.Between(0, repetitive.WithinSeconds, "again", number));
        if (_rubbish.TryGetValue(number, out var rubbish))
        {
            _tally.Happened(rubbish);
            Arrive(new Delivery(Trash.Of(rubbish, message, number, _chance), Publication.ByHand(number), null), delay);
        }
        return publication;
    }

    private bool IsLostAmongMany(int number) => _lossy.At(_loop) is { } lossy && IsOneOf(lossy, lossy.Part, number, AmidLoss, LostAmidLoss);

    private bool IsOneOf(Fault fault, double part, int number, string all, string some)
    {
        _tally.Happened(all);
        if (!_chance.Happens(part, some, number))
            return false;
        _tally.Happened(some);
        _tally.Happened(fault);
        return true;
    }

    public void Connect(SimProcess process)
    {
        foreach (var lane in LanesOf(process))
            lane.Consumers.Add(process);
        PumpAll();
    }

    /// <summary>Its connection is gone: what it had is delivered again, once that is noticed.</summary>
    public void Disconnect(SimProcess process)
    {
        foreach (var lane in LanesOf(process))
            lane.Consumers.Remove(process);
        GiveBack(process);
        Letters.Disconnect(process);
    }

    private void Restart(BusRestarts restart)
    {
        foreach (var publication in _unconfirmed.Where(p => p.SafeAt > _loop.Ticks))
        {
            publication.IsDropped = true;
            _tally.Happened(restart);
        }
        foreach (var process in _lanes.Values.SelectMany(l => l.Consumers).Distinct())
            GiveBack(process);
        Letters.DisconnectAll();
    }

    private void GiveBack(SimProcess process)
    {
        foreach (var delivery in process.Deliveries)
            _loop.At(_chance.Between(0, 1, "redelivery", _draws++), () => Enqueue(delivery));
        process.Deliveries.Clear();
    }

    private void Arrive(Delivery delivery, TimeSpan delay)
    {
        Arrived++;
        UnderWayMost = Math.Max(UnderWayMost, UnderWay);
        _loop.At(delay, () => Enqueue(delivery));
    }

    private void Enqueue(Delivery delivery)
    {
        if (Down is ILasting down)
        {
            _loop.At(TimeSpan.FromSeconds(down.AtSeconds + down.ForSeconds) - _loop.Now + Latency(), () => Enqueue(delivery));
            return;
        }
        if (delivery.Publication.IsDropped)
        {
            Dropped++;
            return;
        }
        var lane = _lanes[delivery.Lane];
        if (delivery.Publication is { Reorders: { } reorders, Number: var number } && number < lane.Newest)
            _tally.Happened(reorders);
        lane.Newest = Math.Max(lane.Newest, delivery.Publication.Number);
        lane.Queue.Enqueue(delivery);
        QueueMost = Math.Max(QueueMost, lane.Queue.Count);
        Queued(delivery.Message);
        Pump(lane);
    }

    private void PumpAll()
    {
        foreach (var lane in _lanes.Values)
            Pump(lane);
        Letters.PumpAll();
    }

    private void Pump(Lane lane)
    {
        while (lane.Queue.Count > 0 && Down is null && Free(lane) is { } process)
            Deliver(lane.Queue.Dequeue(), process);
    }

    private IEnumerable<Lane> LanesOf(SimProcess process) => _lanes.Values.Where(l => Topology.EndpointOf(l.Name) == process.Service);

    private static bool IsFree(SimProcess process, Lane lane) => Deliveries(process, lane.Name) < Prefetch;

    private static int Deliveries(SimProcess process, string lane) => process.Deliveries.Count(d => d.Lane == lane);

    private SimProcess? Free(Lane lane)
    {
        var free = 0;
        foreach (var process in lane.Consumers)
            free += IsFree(process, lane) ? 1 : 0;
        if (free == 0)
            return null;
        var chosen = _chance.Below(free, "consumer", _draws++);
        foreach (var process in lane.Consumers)
        {
            if (IsFree(process, lane) && chosen-- == 0)
                return process;
        }
        return null;
    }

    private void Deliver(Delivery delivery, SimProcess process)
    {
        if (delivery.Publication.IsDropped)
        {
            Dropped++;
            return;
        }
        delivery.Count++;
        if (delivery.Count > Topology.DeliveryLimit)
        {
            Letters.GiveUp(delivery);
            Died++;
            return;
        }
        delivery.Poison = PoisonOf(delivery.Message);
        process.Deliveries.Add(delivery);
        DeliveriesMost = Math.Max(DeliveriesMost, Deliveries(process, delivery.Lane));
        _loop.At(Latency(), () => _ = HandleAsync(delivery, process), process.Context);
    }

    /// <summary>As the guard around every endpoint: a dependency that is down makes a message wait, its own fault gives it a few attempts.</summary>
    private async Task HandleAsync(Delivery delivery, SimProcess process)
    {
        if (delivery.Publication.Deadly is { } deadly && process.Deliveries.Contains(delivery))
        {
            _tally.Happened(deadly);
            Ends(process);
            return;
        }
        var faults = 0;
        while (true)
        {
            try
            {
                await HandleAsync(delivery, delivery.Poison, process);
                Finish(delivery, process);
                return;
            }
            catch (ProcessEndedException)
            {
                return;
            }
            catch (Exception e) when (DependencyFaults.Find(e) is not null)
            {
                await _loop.DelayAsync(TimeSpan.FromSeconds(0.5), process.Context);
            }
            catch (Exception e)
            {
                if (++faults < AttemptsMax && e is not UnprocessableMessageException)
                {
                    await _loop.DelayAsync(TimeSpan.FromSeconds(0.2), process.Context);
                    continue;
                }
                await DieAsync(delivery, process, e, faults);
                return;
            }
        }
    }

    private async Task HandleAsync(Delivery delivery, Poisoned? poison, SimProcess process)
    {
        if (delivery.Message.Body is Rubbish)
            throw new UnprocessableMessageException("It cannot be read.");
        if (poison is null or { AfterEffect: true })
            await process.HandleAsync(delivery.Message);
        if (poison is null)
            return;
        _tally.Happened(poison);
        throw new PoisonedException($"{poison.Message} at {poison.Endpoint}");
    }

    private Poisoned? PoisonOf(OutboundMessage message)
    {
        if (_poisoned.Length == 0)
            return null;
        var kind = (message.Endpoint, message.Body.GetType().Name);
        var nth = _delivered[kind] = _delivered.GetValueOrDefault(kind) + 1;
        return _loop.Seconds < Planner.FaultySeconds ? Array.Find(_poisoned, p => (p.Endpoint, p.Message) == kind && nth >= p.Nth && nth < p.Nth + p.Deliveries) : null;
    }

    /// <summary>Moved first and acknowledged then: whoever ends in between leaves it in both places.</summary>
    private async Task DieAsync(Delivery delivery, SimProcess process, Exception fault, int attempts)
    {
        await _loop.DelayAsync(Latency(), process.Context);
        if (!process.Deliveries.Contains(delivery))
            return;
        if (!IsUp)
        {
            process.Deliveries.Remove(delivery);
            Enqueue(delivery);
            return;
        }
        Letters.Fail(delivery, fault, attempts);
        await _loop.DelayAsync(Latency(), process.Context);
        if (!process.Deliveries.Remove(delivery))
            return;
        Died++;
        Pump(_lanes[delivery.Lane]);
    }

    /// <summary>The acknowledgement of one who is not connected any more is none.</summary>
    private void Finish(Delivery delivery, SimProcess process)
    {
        if (!process.Deliveries.Remove(delivery))
            return;
        Handled++;
        Pump(_lanes[delivery.Lane]);
    }

    /// <summary>One queue and who takes from it.</summary>
    private sealed class Lane(string name)
    {
        public string Name { get; } = name;

        public Queue<Delivery> Queue { get; } = new();

        public List<SimProcess> Consumers { get; } = [];

        /// <summary>The last of what was published that has come so far.</summary>
        public int Newest { get; set; }
    }
}

/// <summary>One publishing of a message: all its copies fare alike until it is safe.</summary>
/// <param name="safeAt">In ticks: from then on the broker loses it no more.</param>
public sealed class Publication(int number, long safeAt, bool isLost, Deadly? deadly, BusReorders? reorders)
{
    public static Publication Lost { get; } = new(0, 0, isLost: true, null, null);

    public int Number { get; } = number;

    public long SafeAt { get; } = safeAt;

    public Deadly? Deadly { get; } = deadly;

    public BusReorders? Reorders { get; } = reorders;

    public bool IsDropped { get; set; }

    public bool IsConfirmed => !isLost && !IsDropped;

    public static Publication ByHand(int number) => new(number, 0, isLost: false, null, null);
}

/// <param name="replay">Of which letter it is which replay, where it is one.</param>
public sealed class Delivery(OutboundMessage message, Publication publication, string? replay)
{
    public OutboundMessage Message { get; } = message;

    public string Lane { get; } = Topology.LaneOf(message.Endpoint, message.Body.GetType());

    public Publication Publication { get; } = publication;

    public string? Replay { get; } = replay;

    public int Count { get; set; }

    /// <summary>What lets it fail this time.</summary>
    public Poisoned? Poison { get; set; }
}

/// <summary>One process's way to the broker.</summary>
public sealed class SimBus(SimBroker broker, SimLoop loop, SimContext context, TimeProvider clock) : IMessageBus
{
    private static readonly TimeSpan PublishWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan NotConfirmed = TimeSpan.FromSeconds(1);

    public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => PublishAsync(messages, replay: null, cancellationToken);

    /// <param name="replay">Of which letter it is which replay, where it is one.</param>
    public async Task PublishAsync(IReadOnlyList<OutboundMessage> messages, string? replay, CancellationToken cancellationToken)
    {
        loop.IsHere("a publish");
        await context.AliveAsync();
        cancellationToken.ThrowIfCancellationRequested();
        await loop.DelayAsync(broker.Latency(), context);
        await UntilUnblockedAsync(cancellationToken);
        var latency = broker.Latency();
        var sent = new List<Publication>(messages.Count);
        foreach (var message in messages)
            sent.Add(broker.Take(message, latency, replay));
        await loop.DelayAsync(sent.TrueForAll(p => p.IsConfirmed) ? latency : NotConfirmed, context);
        if (!sent.TrueForAll(p => p.IsConfirmed))
            throw new BusUnavailableException("The broker has not confirmed.");
    }

    private async Task UntilUnblockedAsync(CancellationToken cancellationToken)
    {
        var since = loop.Now;
        while (broker.Blocked is { } blocked)
        {
            broker.Happened(blocked);
            var wait = TimeSpan.FromSeconds(blocked.AtSeconds + blocked.ForSeconds) - loop.Now + broker.Latency();
            var left = since + PublishWithin - loop.Now;
            await Task.Delay(wait < left ? wait : left, clock, cancellationToken);
            if (loop.Now >= since + PublishWithin)
                throw new BusUnavailableException("The broker takes nothing from publishers.");
        }
    }
}
