using Antbot.Contracts.Messages;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.Runtime.Bus;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Time;
using Antbot.Simulation.World;
using RabbitMQ.Client;

namespace Antbot.Simulation.Ports;

/// <summary>A handler that fails because the plan says so.</summary>
public sealed class PoisonedException(string what) : Exception($"It was to fail: {what}.");

/// <summary>What lies in a queue of dead letters, byte for byte.</summary>
/// <param name="Mark">Whoever moves it there gives it one; the broker gives none, and what died in the same second is one.</param>
/// <param name="Replay">What its header says, where it was sent once more before.</param>
/// <param name="Unplanned">Why it died, where no plan had meant it to.</param>
public sealed record SimLetter(string Queue, OutboundMessage Message, BasicProperties Properties, ReadOnlyMemory<byte> Body, string Mark, string? Replay, string? Unplanned);

/// <summary>The queues of dead letters: moved there by who cannot work on a message, or by the broker itself, and taken out by whoever drains them.</summary>
public sealed class SimLetters(SimLoop loop, SimBroker broker, Plan plan)
{
    /// <summary>As the drain asks for it, of each queue.</summary>
    private const int TakenMax = 8;

    private readonly Dictionary<string, Queue<SimLetter>> _queues = new(StringComparer.Ordinal);
    private readonly List<Drain> _drains = [];
    private int _marks;

    /// <summary>Told of each that has come among them.</summary>
    public Action<SimLetter> Moved { get; set; } = _ => { };

    /// <summary>Told of each that was acknowledged, and is in no queue any more.</summary>
    public Action<SimLetter> Taken { get; set; } = _ => { };

    /// <summary>In the queues, or with somebody who has not acknowledged them.</summary>
    public int Waiting { get; private set; }

    /// <summary>What an endpoint has given up: with the reason in its headers, as it is moved on real brokers.</summary>
    public void Fail(Delivery delivery, Exception fault, int attempts)
    {
        var (message, (properties, body)) = (delivery.Message, Wire.Write(delivery.Message));
        var isSkipped = message.Body is Rubbish { IsUnknown: true };
        var mark = DeterministicId.From("mark", $"{plan.Seed}", $"{++_marks}").ToString("N");
        var headers = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            [DeadLetterHeaders.Reason] = Wire.Text(isSkipped ? "dead-letter" : "fault"),
            [DeadLetterHeaders.FaultMessage] = Wire.Text(fault.Message),
            [DeadLetterHeaders.FaultTime] = Wire.Text((SimLoop.Epoch + loop.Now).ToString("O")),
            [DeadLetterHeaders.InputAddress] = Wire.Text(Topology.QueueOf(message.Endpoint)),
            [DeadLetterHeaders.Build] = Wire.Text("0"),
            [DeadLetterHeaders.Mark] = Wire.Text(mark),
        };
        if (!isSkipped)
        {
            headers[DeadLetterHeaders.FaultType] = Wire.Text(fault.GetType().FullName!);
            // A real one has paths and lines in it, which are another machine's.
            headers[DeadLetterHeaders.FaultStack] = Wire.Text($"   at Antbot.Simulated.{message.Endpoint}.Handle{message.Body.GetType().Name}()");
            headers[DeadLetterHeaders.Attempts] = attempts;
        }
        if (delivery.Replay is { } replay)
            headers[DeadLetterHeaders.Replay] = Wire.Text(replay);
        foreach (var (name, value) in properties.Headers ?? new Dictionary<string, object?>(StringComparer.Ordinal))
            headers.TryAdd(name, value);
        properties.Headers = headers;
        var queue = isSkipped ? Topology.SkippedQueueOf(message.Endpoint) : Topology.ErrorQueueOf(message.Endpoint);
        Add(new SimLetter(queue, message, properties, body, mark, delivery.Replay, fault is PoisonedException or UnprocessableMessageException ? null : fault.ToString()));
    }

    /// <summary>What the broker itself has given up: with its own words on it.</summary>
    public void GiveUp(Delivery delivery)
    {
        var (message, (properties, body)) = (delivery.Message, Wire.Write(delivery.Message));
        var at = (SimLoop.Epoch + loop.Now).ToUnixTimeSeconds();
        properties.Headers ??= new Dictionary<string, object?>(StringComparer.Ordinal);
        if (delivery.Replay is { } replay)
            properties.Headers[DeadLetterHeaders.Replay] = Wire.Text(replay);
        properties.Headers[DeadLetterHeaders.Deaths] = new List<object?>
        {
            new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["count"] = 1L, ["reason"] = Wire.Text("delivery_limit"), ["queue"] = Wire.Text(Topology.QueueOf(message.Endpoint)), ["time"] = new AmqpTimestamp(at), ["exchange"] = Wire.Text(""),
            },
        };
        Add(new SimLetter(Topology.DeadLetters, message, properties, body, $"{message.Id:N} at {at}", delivery.Replay, null));
    }

    /// <summary>Until it is cancelled, or the broker is gone: as the drain does over a real connection.</summary>
    internal async Task DrainAsync(SimProcess process, DeadLetterDrain take, CancellationToken end)
    {
        await process.Context.AliveAsync();
        await loop.DelayAsync(broker.Latency(), process.Context);
        if (!broker.IsUp)
            throw new BusUnavailableException("The broker is not there.");
        using var link = CancellationTokenSource.CreateLinkedTokenSource(end);
        var drain = new Drain(process, take, link);
        _drains.Add(drain);
        PumpAll();
        try
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, process.Clock, link.Token);
        }
        finally
        {
            drain.IsOpen = false;
            Leave(drain);
        }
    }

    /// <summary>Its connection is gone: what it had lies in its queue again.</summary>
    public void Disconnect(SimProcess process)
    {
        foreach (var drain in _drains.Where(d => d.Process == process).ToList())
            Leave(drain);
    }

    /// <summary>Every connection is.</summary>
    public void DisconnectAll()
    {
        foreach (var drain in _drains.ToList())
        {
            Leave(drain);
            loop.At(TimeSpan.Zero, drain.Break, drain.Process.Context);
        }
    }

    public void PumpAll()
    {
        foreach (var queue in _queues.Keys)
            Pump(queue);
    }

    private void Add(SimLetter letter)
    {
        Waiting++;
        Moved(letter);
        Lay(letter);
        Pump(letter.Queue);
    }

    private void Lay(SimLetter letter)
    {
        if (!_queues.TryGetValue(letter.Queue, out var queue))
            _queues[letter.Queue] = queue = new Queue<SimLetter>();
        queue.Enqueue(letter);
    }

    private void Leave(Drain drain)
    {
        if (!_drains.Remove(drain))
            return;
        foreach (var letter in drain.Held)
            Lay(letter);
        drain.Held.Clear();
        loop.At(TimeSpan.FromMilliseconds(100), PumpAll);
    }

    private void Pump(string queue)
    {
        while (broker.IsUp && _queues[queue].Count > 0 && _drains.Find(d => d.Held.Count(l => l.Queue == queue) < TakenMax) is { } drain)
        {
            var letter = _queues[queue].Dequeue();
            drain.Held.Add(letter);
            loop.At(broker.Latency(), () => _ = TakeAsync(drain, letter), drain.Process.Context);
        }
    }

    private async Task TakeAsync(Drain drain, SimLetter letter)
    {
        if (!drain.Held.Contains(letter))
            return;
        try
        {
            await drain.Take.TakeAsync(letter.Queue, letter.Properties, letter.Body, _ => Acknowledge(drain, letter), drain.End);
        }
        catch (OperationCanceledException)
        {
            // Not acknowledged: it comes again.
        }
        catch (ProcessEndedException)
        {
            // It was given back when the process ended.
        }
    }

    private ValueTask Acknowledge(Drain drain, SimLetter letter)
    {
        // Of one who is not connected any more it is none.
        if (!drain.Held.Remove(letter))
            return ValueTask.CompletedTask;
        Waiting--;
        Taken(letter);
        Pump(letter.Queue);
        return ValueTask.CompletedTask;
    }

    /// <summary>Who takes letters out.</summary>
    private sealed class Drain(SimProcess process, DeadLetterDrain take, CancellationTokenSource link)
    {
        public SimProcess Process { get; } = process;

        public DeadLetterDrain Take { get; } = take;

        public CancellationToken End { get; } = link.Token;

        public bool IsOpen { get; set; } = true;

        public List<SimLetter> Held { get; } = [];

        public void Break()
        {
            if (IsOpen)
                link.Cancel();
        }
    }
}
