using Antbot.Contracts.Messages;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Ports;

/// <summary>The broker: keeps what it confirmed, delivers it at least once and in any order, and gives up on a message only after many deliveries.</summary>
public sealed class SimBroker
{
    private const int AttemptsMax = 5;
    private const int Prefetch = 16;

    private readonly SimLoop _loop;
    private readonly Chance _chance;
    private readonly Tally _tally;
    private readonly Dictionary<int, BusLoses> _loses;
    private readonly Dictionary<int, BusRepeats> _repeats;
    private readonly Dictionary<int, BusDelays> _delays;
    private readonly List<BusDown> _downs;
    private readonly Dictionary<string, Queue<Delivery>> _queues = Routes.Endpoints.ToDictionary(e => e, _ => new Queue<Delivery>(), StringComparer.Ordinal);
    private readonly List<SimProcess> _consumers = [];
    private int _published;
    private long _draws;

    public SimBroker(SimLoop loop, Plan plan, Tally tally)
    {
        (_loop, _chance, _tally) = (loop, new Chance(plan.Seed), tally);
        _loses = plan.Faults.OfType<BusLoses>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _repeats = plan.Faults.OfType<BusRepeats>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _delays = plan.Faults.OfType<BusDelays>().DistinctBy(f => f.Nth).ToDictionary(f => f.Nth);
        _downs = [.. plan.Faults.OfType<BusDown>()];
    }

    /// <summary>Told of everything that is published, before it goes anywhere.</summary>
    public Action<OutboundMessage> Published { get; set; } = _ => { };

    public List<(OutboundMessage Message, string Reason)> DeadLetters { get; } = [];

    /// <summary>Copies that are on the wire, in a queue or being handled.</summary>
    public int UnderWay { get; private set; }

    private BusDown? Down => _downs.Find(d => _loop.Now.TotalSeconds >= d.AtSeconds && _loop.Now.TotalSeconds < d.AtSeconds + d.ForSeconds);

    public TimeSpan Latency() => _chance.Between(0.0005, 0.005, "bus", _draws++);

    /// <returns>Whether it is confirmed.</returns>
    public bool Take(OutboundMessage message)
    {
        Published(message);
        var number = ++_published;
        if (Down is { } down)
        {
            _tally.Happened(down);
            return false;
        }
        var delay = Latency();
        if (_delays.TryGetValue(number, out var late))
        {
            _tally.Happened(late);
            delay += TimeSpan.FromSeconds(late.Seconds);
        }
        var lost = _loses.GetValueOrDefault(number);
        if (lost is not null)
            _tally.Happened(lost);
        if (lost is null or { ArrivesAllTheSame: true })
            Arrive(new Delivery(message), delay);
        if (_repeats.TryGetValue(number, out var repeat))
        {
            _tally.Happened(repeat);
            for (var copy = 1; copy <= repeat.Copies; copy++)
                Arrive(new Delivery(message), delay + _chance.Between(0, repeat.WithinSeconds, "copy", number * 100L + copy));
        }
        return lost is null;
    }

    public void Connect(SimProcess process)
    {
        _consumers.Add(process);
        Pump();
    }

    /// <summary>Its connection is gone: what it had is delivered again, once that is noticed.</summary>
    public void Disconnect(SimProcess process)
    {
        _consumers.Remove(process);
        foreach (var delivery in process.Deliveries.ToList())
        {
            process.Deliveries.Remove(delivery);
            _loop.At(_chance.Between(0, 1, "redelivery", _draws++), () => Enqueue(delivery));
        }
    }

    private void Arrive(Delivery delivery, TimeSpan delay)
    {
        UnderWay++;
        _loop.At(delay, () => Enqueue(delivery));
    }

    private void Enqueue(Delivery delivery)
    {
        if (Down is { } down)
        {
            _loop.At(TimeSpan.FromSeconds(down.AtSeconds + down.ForSeconds) - _loop.Now + Latency(), () => Enqueue(delivery));
            return;
        }
        _queues[delivery.Message.Endpoint].Enqueue(delivery);
        Pump();
    }

    private void Pump()
    {
        foreach (var (endpoint, queue) in _queues)
        {
            while (queue.Count > 0 && Free(endpoint) is { } process)
                Deliver(queue.Dequeue(), process);
        }
    }

    private SimProcess? Free(string endpoint)
    {
        var free = _consumers.Where(p => p.Service == endpoint && p.Deliveries.Count < Prefetch).ToList();
        return free.Count == 0 ? null : free[_chance.Below(free.Count, "consumer", _draws++)];
    }

    private void Deliver(Delivery delivery, SimProcess process)
    {
        delivery.Count++;
        if (delivery.Count > Topology.DeliveryLimit)
        {
            DeadLetter(delivery, "it was given back too often");
            return;
        }
        process.Deliveries.Add(delivery);
        _loop.At(Latency(), () => _ = HandleAsync(delivery, process), process.Context);
    }

    /// <summary>As the guard around every endpoint: a dependency that is down makes a message wait, its own fault gives it a few attempts.</summary>
    private async Task HandleAsync(Delivery delivery, SimProcess process)
    {
        var faults = 0;
        while (true)
        {
            try
            {
                await process.HandleAsync(delivery.Message);
                Finish(delivery, process);
                return;
            }
            catch (ProcessEndedException)
            {
                return;
            }
            catch (Exception e) when (DependencyFaults.Find(e) is not null)
            {
                await _loop.DelayAsync(TimeSpan.FromSeconds(0.5));
            }
            catch (Exception e)
            {
                if (++faults < AttemptsMax)
                {
                    await _loop.DelayAsync(TimeSpan.FromSeconds(0.2));
                    continue;
                }
                Finish(delivery, process, e.ToString());
                return;
            }
        }
    }

    /// <summary>The acknowledgement of one who is not connected any more is none.</summary>
    private void Finish(Delivery delivery, SimProcess process, string? fault = null)
    {
        if (!process.Deliveries.Remove(delivery))
            return;
        if (fault is not null)
            DeadLetter(delivery, fault);
        else
            UnderWay--;
        Pump();
    }

    private void DeadLetter(Delivery delivery, string reason)
    {
        UnderWay--;
        DeadLetters.Add((delivery.Message, reason));
    }
}

public sealed class Delivery(OutboundMessage message)
{
    public OutboundMessage Message { get; } = message;

    public int Count { get; set; }
}

/// <summary>One process's way to the broker.</summary>
public sealed class SimBus(SimBroker broker, SimLoop loop, SimContext context) : IMessageBus
{
    public async Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
    {
        loop.IsHere("a publish");
        await context.AliveAsync();
        cancellationToken.ThrowIfCancellationRequested();
        await loop.DelayAsync(broker.Latency());
        var confirmed = true;
        foreach (var message in messages)
            confirmed &= broker.Take(message);
        await loop.DelayAsync(confirmed ? broker.Latency() : TimeSpan.FromSeconds(1));
        if (!confirmed)
            throw new BusUnavailableException("The broker has not confirmed.");
    }
}
