using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Coordinator;
using Antbot.Forensics;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Kernel.Time;
using Antbot.Messaging;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Antbot.Simulation.Faults;
using Antbot.Simulation.Ports;
using Antbot.Simulation.Time;

namespace Antbot.Simulation.World;

/// <summary>Everything there is in one run: the services' processes, and what they stand on.</summary>
public sealed class SimWorld
{
    private static readonly string[] Services = ["signal", Routes.Coordinator, Routes.Validation, Routes.Risk, Routes.Execution, Routes.Reconciliation];
    private static readonly TimeSpan LeaseTime = TimeSpan.FromSeconds(2);

    private readonly Chance _chance;
    private readonly Bug _bug;
    private readonly Dictionary<string, int> _reached = new(StringComparer.Ordinal);
    private readonly Dictionary<(string Point, int Nth), Crash> _crashes;
    private readonly Dictionary<string, (SimProcess Holder, long LostAt)> _leases = new(StringComparer.Ordinal);
    private readonly List<SimProcess> _processes = [];
    private readonly Stranger[] _strangers;
    private readonly Dictionary<string, TimeSpan> _steps = new(StringComparer.Ordinal);
    private readonly Dictionary<TradeId, SignalRecorded> _sent = [];
    private int _started;
    private int _halts;

    public SimWorld(Plan plan, Bug bug, Action<string>? tell = null)
    {
        Codec = new OnceCodec(StreamKinds.Registry);
        Tally.Tell = tell is null ? null : what => tell($"{Loop.Seconds,9:0.000}  {what}");
        (Plan, _chance, _bug) = (plan, new Chance(plan.Seed), bug);
        _crashes = plan.Faults.OfType<Crash>().DistinctBy(c => (c.Point, c.Nth)).ToDictionary(c => (c.Point, c.Nth));
        Disk = new SimDisk(Loop, plan, Tally);
        Broker = new SimBroker(Loop, plan, Tally);
        Exchange = new SimExchange(Loop, plan, Tally);
        Disk.Halt = HaltNow;
        Broker.Ends = process => Kill(process, TimeSpan.FromSeconds(0.3));
        _strangers = [.. plan.Faults.OfType<Stranger>()];
        HasConsole = plan.Faults.Any(Planner.IsOfLetters);
        Operators = new Operators(this, bug);
        LetterOperators = new LetterOperators(this);
        Checker = new Checker(this);
        Exchange.IsKnown = () => Checker.HasBaseline;
        HealedAt = plan.Faults.Select(f => f switch
        {
            ILasting x => x.AtSeconds + x.ForSeconds,
            Halted x => x.AtSeconds + (x.ForSeconds ?? 0),
            HaltedBefore x => Planner.FaultySeconds + x.ForSeconds,
            ClockSteps x => x.AtSeconds,
            SomebodyTrades x => x.AtSeconds,
            Stranger x => x.AtSeconds + x.SealedAfterSeconds,
            _ => 0,
        }).Append(1).Max();
    }

    public static CoordinatorOptions Coordination { get; } =
        new() { ValidatingSeconds = 15, AssessingRiskSeconds = 15, ExecutingSeconds = 30, ClosingSeconds = 30, AgainSeconds = 10, OpenSeconds = 60, EnteringSeconds = 6 };

    public static RiskLimits Limits { get; } = RiskLimits.Default with { ExposureMax = new Money(1_500), OrderNotionalMax = new Money(600) };

    public Plan Plan { get; }

    /// <summary>Signals a second, each of a small trade against which no price stands; null where they come within the first seconds, as chance has it.</summary>
    public double? Rate { get; init; }

    public SimLoop Loop { get; } = new();

    public Tally Tally { get; } = new();

    public SimDisk Disk { get; }

    public SimBroker Broker { get; }

    public SimExchange Exchange { get; }

    public Checker Checker { get; }

    internal Operators Operators { get; }

    internal LetterOperators LetterOperators { get; }

    internal SimTables Tables { get; } = new();

    /// <summary>Whether there is anybody who looks after what dies: where nothing is to die nobody has to.</summary>
    public bool HasConsole { get; }

    /// <summary>Those that are up.</summary>
    internal IReadOnlyList<SimConsole> Consoles => [.. _processes.Select(p => p.Console).OfType<SimConsole>()];

    public EventCodec Codec { get; }

    /// <summary>The history, as whoever reads all of it is given it.</summary>
    public ILedger Ledger => _bug.Around(Disk.Data.Ledger);

    /// <summary>Signals as their senders meant them.</summary>
    public IReadOnlyDictionary<TradeId, SignalRecorded> Sent => _sent;

    /// <summary>Signals whose sender was told that they are recorded.</summary>
    public HashSet<TradeId> Accepted { get; } = [];

    /// <summary>Signals whose sender was told that they are not taken. At a steady rate he does not come again, else he does.</summary>
    public HashSet<TradeId> Refused { get; } = [];

    /// <summary>Those of the plan, and what others write; but for those whose senders have given up.</summary>
    public int Wishes => Plan.Trades + _strangers.Length - (Rate is null ? 0 : Refused.Count);

    /// <summary>The places at which a process could have ended.</summary>
    public IReadOnlyCollection<string> PointsReached => _reached.Keys;

    /// <summary>Whether all that the plan says has been done, and everybody is up again.</summary>
    public bool IsHealed => Loop.Now.TotalSeconds >= HealedAt && _processes.Count == (Services.Length * Plan.Instances) + (HasConsole ? SimConsole.Instances : 0);

    /// <summary>Timed faults are over by then.</summary>
    public double HealedAt { get; private set; }

    public void Begin()
    {
        foreach (var service in Services)
        {
            for (var i = 0; i < Plan.Instances; i++)
                Start(service);
        }
        for (var i = 0; HasConsole && i < SimConsole.Instances; i++)
            Start(SimConsole.Service);
        for (var i = 0; i < Plan.Trades; i++)
            Wish(i);
        for (var i = 0; i < _strangers.Length; i++)
        {
            var (stranger, number) = (_strangers[i], Plan.Trades + i);
            Loop.At(TimeSpan.FromSeconds(stranger.AtSeconds), () => Write(stranger, Signal(number)));
        }
        foreach (var freeze in Plan.Faults.OfType<Freeze>())
            Loop.At(TimeSpan.FromSeconds(freeze.AtSeconds), () => Freeze(freeze));
        foreach (var steps in Plan.Faults.OfType<ClockSteps>())
            Loop.At(TimeSpan.FromSeconds(steps.AtSeconds), () => StepClocks(steps));
        foreach (var halted in Plan.Faults.OfType<Halted>())
        {
            Loop.At(TimeSpan.FromSeconds(halted.AtSeconds), () => Watch(CommandAsync(new SetActivity(Activity.Halted, "the plan", "operator:sim"), halted)));
            if (halted.ForSeconds is { } seconds)
                Loop.At(TimeSpan.FromSeconds(halted.AtSeconds + seconds), () => Watch(CommandAsync(new SetActivity(Activity.Active, "the plan", "operator:sim"), halted)));
        }
        foreach (var deed in Plan.Faults.OfType<SomebodyTrades>())
            Loop.At(TimeSpan.FromSeconds(deed.AtSeconds), () => Do(deed));
        foreach (var settle in Plan.Faults.OfType<OperatorsSettle>())
            Loop.At(TimeSpan.FromSeconds(settle.AtSeconds), () => Watch(Operators.SettleAsync(settle)));
        if (HasConsole)
            LetterOperators.Begin();
    }

    public IEventStore Around(SimStore store, SimProcess process) => _bug.Around(store, process);

    public IMessageBus Around(SimBus bus, SimProcess process) => _bug.Around(bus, process);

    internal IDeadLetters Around(IDeadLetters letters, SimConsole console) => _bug.Around(letters, console);

    internal IDeadLetterSender Around(IDeadLetterSender sender, SimConsole console) => _bug.Around(sender, console);

    public IVenue Around(SimVenue venue, SimProcess process) => _bug.Around(venue, process);

    public OutboundMessage Around(OutboundMessage message, SimProcess process) => _bug.Around(message, process);

    public void Reached(string point, SimProcess process)
    {
        if (process.Context.IsDead)
            throw new ProcessEndedException();
        var nth = _reached[point] = _reached.GetValueOrDefault(point) + 1;
        if (!_crashes.TryGetValue((point, nth), out var crash))
            return;
        Tally.Happened(crash);
        Kill(process, TimeSpan.FromSeconds(crash.BackAfterSeconds));
        throw new ProcessEndedException();
    }

    public bool TakeLease(string name, SimProcess process)
    {
        if (_leases.TryGetValue(name, out var held) && held.Holder != process && held.LostAt > Loop.Ticks)
            return false;
        _leases[name] = (process, long.MaxValue);
        return true;
    }

    public void FreeLease(string name, SimProcess process)
    {
        if (_leases.TryGetValue(name, out var held) && held.Holder == process)
            _leases.Remove(name);
    }

    private void Start(string service)
    {
        var skew = Plan.Faults.OfType<WrongClock>().LastOrDefault(c => c.Service == service);
        if (skew is not null)
            Tally.Happened(skew);
        var process = new SimProcess(this, service, ++_started, TimeSpan.FromSeconds(skew?.Seconds ?? 0) + _steps.GetValueOrDefault(service));
        _processes.Add(process);
        Loop.At(_chance.Between(0, 0.3, "start", _started), process.Start, process.Context);
    }

    private void Kill(SimProcess process, TimeSpan backAfter)
    {
        process.Context.Kill();
        _processes.Remove(process);
        Broker.Disconnect(process);
        LoseLeases(process, LeaseTime);
        Loop.At(backAfter, () => Start(process.Service));
    }

    private void Freeze(Freeze freeze)
    {
        if (_processes.Find(p => p.Service == freeze.Service) is not { } process)
            return;
        Tally.Happened(freeze);
        var time = TimeSpan.FromSeconds(freeze.ForSeconds);
        process.Context.Freeze(time);
        if (time > LeaseTime)
        {
            LoseLeases(process, LeaseTime);
            // It hears of it a moment after it has gone on.
            Loop.At(time + TimeSpan.FromMilliseconds(50), process.Leases.Lose, process.Context);
        }
    }

    private void StepClocks(ClockSteps steps)
    {
        Tally.Happened(steps);
        var by = TimeSpan.FromSeconds(steps.BySeconds);
        _steps[steps.Service] = _steps.GetValueOrDefault(steps.Service) + by;
        foreach (var process in _processes.Where(p => p.Service == steps.Service))
            process.Clock.Skew += by;
    }

    /// <summary>Before the account's balances are known for the first time, whatever is there is what it began with.</summary>
    private void Do(SomebodyTrades deed)
    {
        if (Checker.HasBaseline && Exchange.Do(deed.Deed))
            Tally.Happened(deed);
        else if (Loop.Seconds < Math.Max(HealedAt, Planner.FaultySeconds))
            Loop.At(TimeSpan.FromSeconds(0.5), () => Do(deed));
    }

    private void LoseLeases(SimProcess process, TimeSpan after)
    {
        foreach (var (name, held) in _leases.Where(l => l.Value.Holder == process).ToList())
            _leases[name] = held with { LostAt = Loop.Ticks + after.Ticks };
    }

    /// <summary>A client that sends its signal until it is told that it was taken. Sometimes all of them come in the same moment.</summary>
    private void Wish(int number)
    {
        var at = Rate is { } rate ? TimeSpan.FromSeconds(1 + (number / rate)) : _chance.Happens(0.3, "burst") ? _chance.Between(2, 2.02, "wish", number) : _chance.Between(0, 10, "wish", number);
        Loop.At(at, () => Send(Signal(number), 0));
    }

    /// <summary>Committed at once; shows up when the sealer comes by.</summary>
    private void Write(Stranger stranger, SignalRecorded signal)
    {
        Tally.Happened(stranger);
        _sent[signal.Signal.Trade] = signal;
        var encoded = Codec.Encode(signal);
        var stored = new StoredEvent
        {
            Sequence = Disk.Data.DrawSequences(1),
            Position = 0,
            EventId = StrangersId(signal.Signal.Trade),
            Stream = Streams.Signal(signal.Signal.Trade).Value,
            Version = 1,
            Type = encoded.Type,
            ClrType = encoded.ClrType,
            Data = CanonicalJson.From(encoded.Data.Span),
            Timestamp = Exchange.Now.Cut(),
        };
        Accepted.Add(signal.Signal.Trade);
        Loop.At(TimeSpan.FromSeconds(stranger.SealedAfterSeconds), () => Disk.Seal(stored));
    }

    public static Guid StrangersId(TradeId trade) => DeterministicId.From("stranger", trade.Value);

    private SignalRecorded Signal(int number)
    {
        var symbol = SimExchange.Rules[_chance.Below(2, "symbol", number)].Symbol;
        var price = Exchange.PriceOf(symbol);
        var now = Exchange.Now;
        var trade = new TradeId(DeterministicId.From("simulated", Plan.Seed.ToString(), number.ToString()));
        var limit = Rate is null && _chance.Happens(0.2, "limit", number) ? new Price(Math.Round(price * 0.998m, 2)) : (Price?)null;
        var signal = new Signal(
            trade, SimExchange.Account, $"webhook:{number}", symbol, Side.Buy, limit is null ? OrderKind.Market : OrderKind.Limit, new Price(price), limit,
            new Price(Math.Round(price * (Rate is null ? 0.992m : 0.85m), 2)), new Price(Math.Round(price * (Rate is null ? 1.009m : 1.5m), 2)), new Money(Rate is null ? 100 + _chance.Below(450, "notional", number) : 10), 0.9m, now, now.AddSeconds(20));
        return new SignalRecorded(signal, "0", "{}");
    }

    private void Send(SignalRecorded signal, int attempt)
    {
        var trade = signal.Signal.Trade;
        if (Accepted.Contains(trade) || (Rate is not null && Refused.Contains(trade)))
            return;
        _sent[trade] = signal;
        var up = _processes.Where(p => p is { Service: "signal", Recorder: not null }).ToList();
        if (up.Count > 0)
        {
            var process = up[attempt % up.Count];
            Loop.At(TimeSpan.FromMilliseconds(1), () => Watch(TakeAsync(process, signal)), process.Context);
        }
        Loop.At(TimeSpan.FromSeconds(up.Count > 0 ? 3 : 0.5), () => Send(signal, attempt + 1));
    }

    private async Task TakeAsync(SimProcess process, SignalRecorded signal)
    {
        try
        {
            // What was taken stays taken.
            if (process.Door!.Refuse(signal.Signal) is not null && await process.Parts.Store.ReadVersionAsync(Streams.Signal(signal.Signal.Trade)) == 0)
            {
                Refused.Add(signal.Signal.Trade);
                return;
            }
            var outcome = await process.Recorder!.RecordAsync(signal, "webhook:sim", [], CancellationToken.None);
            if (outcome is AppendOutcome.Conflict)
                return;
            Accepted.Add(signal.Signal.Trade);
            var stored = outcome is AppendOutcome.Appended appended ? appended.Events : ((AppendOutcome.AlreadyThere)outcome).Events;
            await process.Recorder.TryPublishAsync(stored, CancellationToken.None);
        }
        catch (Exception e) when (e is EventStoreException or ProcessEndedException)
        {
            // The client hears of it, or hears nothing, and sends again.
        }
    }

    /// <summary>What is begun here and awaited by nobody must not fail unseen.</summary>
    internal async void Watch(Task task)
    {
        try
        {
            await task;
        }
        catch (Exception e)
        {
            Checker.Violated(Invariant.SimulationHolds, $"the simulation itself failed: {e}");
        }
    }

    private void HaltNow(HaltedBefore halt)
    {
        var id = DeterministicId.From("command", (++_halts).ToString());
        Disk.CommitCommand(new AppendRequest
        {
            Stream = Streams.Control,
            Expected = ExpectedVersion.Any,
            Decision = new Decision(id, ControlCommands.Consumer),
            Events = [Codec.Encode(new ActivitySet(Activity.Halted, "the plan", "operator:sim"))],
            At = Exchange.Now,
            Meta = new EventMeta(id.ToString("N"), null, "operator:sim"),
        });
        Loop.At(TimeSpan.FromSeconds(halt.ForSeconds), () => Watch(CommandAsync(new SetActivity(Activity.Active, "the plan", "operator:sim"), halt)));
    }

    /// <summary>An operator at a terminal: straight to the store, until it is there.</summary>
    private async Task CommandAsync(SetActivity command, Fault halted)
    {
        var (store, clock) = (new SimStore(Disk, Loop, Loop.World), new SimClock(Loop, Loop.World));
        var id = DeterministicId.From("command", (++_halts).ToString());
        while (true)
        {
            try
            {
                await ControlCommands.SendAsync(store, Codec, command, id, "operator:sim", clock);
                Tally.Happened(halted);
                return;
            }
            catch (EventStoreException)
            {
                await Loop.DelayAsync(TimeSpan.FromSeconds(0.5), Loop.World);
            }
        }
    }
}
