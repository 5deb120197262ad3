using Antbot.Contracts.Messages;
using Antbot.Coordinator;
using Antbot.Coordinator.Core;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Reconciliation;
using Antbot.Risk;
using Antbot.Risk.Core;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Control;
using Antbot.Runtime.Leases;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Antbot.Signals;
using Antbot.Simulation.Ports;
using Antbot.Simulation.Time;
using Antbot.Validation;
using Antbot.Validation.Core;
using Microsoft.Extensions.Logging.Abstractions;
using Streams = Antbot.Contracts.Streams;

namespace Antbot.Simulation.World;

/// <summary>Thrown where a crash point is reached that the plan has armed. Its process is dead already.</summary>
public sealed class ProcessEndedException() : Exception("The process has ended.");

/// <summary>One service's process: the same objects that its module puts together, over simulated ports.</summary>
public sealed class SimProcess
{
    /// <summary>Of a stream's state: so few that what is kept is loaded again within a run.</summary>
    private const int EventsPerCopy = 12;

    private readonly SimWorld _world;
    private readonly Dictionary<Type, Func<object, Input, Task>> _handlers = [];
    private readonly CancellationToken _life = CancellationToken.None;

    public SimProcess(SimWorld world, string service, int number, TimeSpan skew)
    {
        (_world, Service) = (world, service);
        Context = new SimContext(world.Loop, $"{service}-{number}");
        Clock = new SimClock(world.Loop, Context) { Skew = skew };
        var store = world.Around(new SimStore(world.Disk, world.Loop, Context), this);
        Parts = new PipelineParts(store, world.Codec, world.Around(new SimBus(world.Broker, world.Loop, Context, Clock), this), Clock, new Points(world, this)) { Loader = new StreamLoader(store, world.Codec, EventsPerCopy) };
        Leases = new SimLeases(world, this);
    }

    public static ExecutionOptions Executing { get; } = new() { HoldingSecondsMax = 8 };

    /// <summary>However far the price has moved meanwhile.</summary>
    public static ExecutionOptions ExecutingAnyway { get; } = new() { HoldingSecondsMax = 8, PriceMoveMax = 0.5m, SlippageMax = 0.1m };

    public static ReconciliationOptions Reconciling { get; } = new() { EverySeconds = 5 };

    public string Service { get; }

    public SimContext Context { get; }

    public SimClock Clock { get; }

    public PipelineParts Parts { get; }

    public SimLeases Leases { get; }

    public SignalRecorder? Recorder { get; private set; }

    public Door? Door { get; private set; }

    internal SimConsole? Console { get; private set; }

    /// <summary>What it was given and has not acknowledged.</summary>
    public List<Delivery> Deliveries { get; } = [];

    /// <summary>Called in its own context.</summary>
    public void Start()
    {
        switch (Service)
        {
            case "signal":
                StartSignal();
                break;
            case Routes.Coordinator:
                StartCoordinator();
                break;
            case Routes.Validation:
                var validation = new ValidateSignalHandler(new StreamPipeline<SymbolMemory>(Parts, ValidationDecider.With(ValidationLimits.Default)));
                Handle<ValidateSignal>(validation.HandleAsync);
                break;
            case Routes.Risk:
                var risk = new AccountHandler(new StreamPipeline<RiskState>(Parts, RiskDecider.With(SimWorld.Limits)));
                Handle<AssessRisk>(risk.HandleAsync);
                Handle<TradeOpened>(risk.HandleAsync);
                Handle<EntryFailed>(risk.HandleAsync);
                Handle<TradeClosed>(risk.HandleAsync);
                break;
            case Routes.Execution:
                StartExecution();
                break;
            case Routes.Reconciliation:
                StartReconciliation();
                break;
            case SimConsole.Service:
                Console = new SimConsole(_world, this);
                Console.Start(Work);
                break;
            default:
                throw new InvalidOperationException($"There is no service {Service}.");
        }
        _world.Broker.Connect(this);
    }

    public Task HandleAsync(OutboundMessage given)
    {
        var message = _world.Around(given, this);
        var input = new Input(message.Id, message.Body, message.CorrelationId ?? message.Id.ToString("N"), $"service:{Service}", message.TraceId);
        return _handlers.TryGetValue(message.Body.GetType(), out var handle)
            ? handle(message.Body, input)
            : throw new InvalidOperationException($"{Service} does not take {message.Body.GetType().Name}.");
    }

    private void Handle<TMessage>(Func<TMessage, Input, CancellationToken, Task> handle)
        where TMessage : class => _handlers[typeof(TMessage)] = (body, input) => handle((TMessage)body, input, _life);

    private void StartSignal()
    {
        Recorder = new SignalRecorder(Parts, NullLogger<SignalRecorder>.Instance);
        Door = new Door(Parts, new SignalOptions());
        Background(Door.RunAsync);
        var redriver = new SignalRedriver(Parts, Recorder, new SignalOptions(), NullLogger<SignalRedriver>.Instance);
        Work("redriver", redriver.RunAsync);
    }

    private void StartCoordinator()
    {
        var options = SimWorld.Coordination;
        var pipeline = new StreamPipeline<TradeState>(Parts, TradeDecider.With(options.Patience));
        foreach (var message in Routes.All.Where(r => r.Value.Contains(Routes.Coordinator)).Select(r => r.Key))
            _handlers[message] = (body, input) => pipeline.HandleAsync(Streams.Trade(((ITradeMessage)body).Trade), input, _life);
        var (intake, begin) = (new Intake(Parts, options), _handlers[typeof(SignalRaised)]);
        _handlers[typeof(SignalRaised)] = async (body, input) =>
        {
            await intake.WaitAsync(((SignalRaised)body).Signal, _life);
            await begin(body, input);
        };
        Background(intake.RunAsync);
        var sweeper = new Sweeper(Parts, pipeline, new OpenTradesProjection(Parts.Codec), options, NullLogger<Sweeper>.Instance);
        Work("sweeper", sweeper.RunAsync);
    }

    private void StartExecution()
    {
        var options = _world.Rate is null ? Executing : ExecutingAnyway;
        var market = new SimVenue(_world.Exchange, _world.Loop, Clock, Context);
        var venue = _world.Around(market, this);
        var control = new ControlWatch(Parts.Store, Parts.Codec, Clock);
        var gate = new StartGate(Parts.Store, Parts.Codec, Clock, DeterministicId.From("gate", Context.Name));
        var rules = new RuleBook(venue, Clock, NullLogger<RuleBook>.Instance);
        var prices = new Prices(market, rules, options, Clock);
        var pipeline = new StreamPipeline<OrdersState>(Parts, ExecutionDecider.Behaviour);
        var room = new SymbolRoom(Parts, venue);
        var runner = new TradeRunner(Parts, pipeline, venue, prices, control, gate, room, options);
        var keeper = new Keeper(Parts, pipeline, runner, new OpenOrders(Parts.Codec), venue, prices, options, NullLogger<Keeper>.Instance);
        Handle<ExecuteTrade>(new ExecuteTradeHandler(runner, rules, room, prices, venue, options).HandleAsync);
        Handle<CancelTrade>(new CancelTradeHandler(runner).HandleAsync);
        Handle<CloseTrade>(new CloseTradeHandler(runner).HandleAsync);
        Handle<CorrectOrder>(new CorrectOrderHandler(runner).HandleAsync);
        Handle<AdoptPosition>(new AdoptPositionHandler(runner, rules, venue, control, options).HandleAsync);
        Handle<WriteOffPosition>(new WriteOffPositionHandler(runner).HandleAsync);
        Handle<SettleOrder>(new SettleOrderHandler(runner).HandleAsync);
        Background(control.RunAsync);
        Background(rules.RunAsync);
        Background(prices.RunAsync);
        Background(token => gate.RunAsync(Routes.Execution, venue.Account, token));
        Background(token => KnowTheTimeAsync(venue, token));
        Work("keeper", keeper.RunAsync);
    }

    /// <summary>As the host does, where no decision has asked for it before.</summary>
    private async Task KnowTheTimeAsync(IVenue venue, CancellationToken cancellationToken)
    {
        while (true)
        {
            await Task.Delay(TimeSpan.FromSeconds(10), Clock, cancellationToken);
            if (venue.Now is null)
                await venue.MeasureClockAsync(cancellationToken);
        }
    }

    private void StartReconciliation()
    {
        var options = Reconciling;
        var market = new SimVenue(_world.Exchange, _world.Loop, Clock, Context);
        var venue = _world.Around(market, this);
        var pipeline = new StreamPipeline<ReconciliationState>(Parts, ReconciliationDecider.Behaviour);
        var rules = new VenueRules(venue, Clock);
        var look = new TradeLook(venue, rules, Parts.Store, Parts.Codec);
        Handle<VerifyTrade>(new VerifyTradeHandler(pipeline, look, Parts).HandleAsync);
        Work("account", new AccountWatch(venue, market, rules, pipeline, Parts, options, new ControlWatch(Parts.Store, Parts.Codec, Clock), NullLogger<AccountWatch>.Instance).RunAsync);
        Work("verifications", new PendingVerifications(pipeline, Parts.Store, look, venue, options, Clock).RunAsync);
    }

    /// <summary>Under a lease, and again after it failed.</summary>
    private void Work(string name, Func<CancellationToken, Task> run) => _ = new LeasedWork(Leases, $"{Service}/{name}", run, Clock).RunAsync(_life);

    /// <summary>Started again when it fails, as the host does.</summary>
    private void Background(Func<CancellationToken, Task> run)
    {
        _ = AgainAsync();

        async Task AgainAsync()
        {
            while (true)
            {
                try
                {
                    await run(_life);
                    return;
                }
                catch (Exception)
                {
                    await Task.Delay(TimeSpan.FromSeconds(1), Clock);
                }
            }
        }
    }

    private sealed class Points(SimWorld world, SimProcess process) : ICrashPoints
    {
        public void Reach(string point) => world.Reached(point, process);
    }
}

/// <summary>A lease lies with the database: it is free again when its holder's session ends, or has not been heard of for a while.</summary>
public sealed class SimLeases(SimWorld world, SimProcess process) : ILeases
{
    private readonly List<Held> _held = [];

    public async Task<ILease?> TryTakeAsync(string name, CancellationToken cancellationToken = default)
    {
        await process.Context.AliveAsync();
        await world.Loop.DelayAsync(TimeSpan.FromMilliseconds(2), process.Context);
        if (!world.TakeLease(name, process))
            return null;
        var held = new Held(world, process, name, _held);
        _held.Add(held);
        return held;
    }

    /// <summary>It was stopped for so long that others have them now.</summary>
    public void Lose()
    {
        foreach (var held in _held.ToList())
            held.Lose();
    }

    private sealed class Held(SimWorld world, SimProcess process, string name, List<Held> held) : ILease
    {
        private readonly CancellationTokenSource _lost = new();

        public CancellationToken Lost => _lost.Token;

        public void Lose()
        {
            held.Remove(this);
            _lost.Cancel();
        }

        public ValueTask DisposeAsync()
        {
            held.Remove(this);
            world.FreeLease(name, process);
            return ValueTask.CompletedTask;
        }
    }
}
