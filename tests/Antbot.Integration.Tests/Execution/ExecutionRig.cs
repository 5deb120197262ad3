using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Execution;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Runtime.Venue;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Execution;

/// <summary>One instance of Execution without its process: its handlers, and its keeper where it is started.</summary>
internal sealed class ExecutionRig : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _running = [];
    private readonly PipelineParts _parts;
    private readonly StreamPipeline<OrdersState> _pipeline;
    private readonly TradeRunner _runner;
    private readonly RuleBook _rules;
    private readonly SymbolRoom _room;
    private readonly Prices _prices;
    private readonly ExecutionOptions _options;
    private readonly OpenOrders _open;
    private readonly IVenue _venue;

    public ExecutionRig(IEventStore store, IVenue venue, IMarketData market, RecordingBus bus, ICrashPoints? crashPoints = null)
    {
        _venue = venue;
        Store = store;
        var codec = new EventCodec(EventRegistry.From(typeof(OrderIntended).Assembly));
        _options = new ExecutionOptions { WindowMilliseconds = 1_000, AskMarginMilliseconds = 200 };
        _parts = new PipelineParts(store, codec, bus, TimeProvider.System, crashPoints ?? NoCrashPoints.Instance);
        _pipeline = new StreamPipeline<OrdersState>(_parts, ExecutionDecider.Behaviour);
        _rules = new RuleBook(venue, TimeProvider.System, NullLogger<RuleBook>.Instance);
        _room = new SymbolRoom(_parts, venue);
        _prices = new Prices(market, _rules, _options, TimeProvider.System);
        Control = new ControlWatch(store, codec, TimeProvider.System);
        _runner = new TradeRunner(_parts, _pipeline, venue, _prices, Control, Gate, _room, _options);
        _open = new OpenOrders(codec);
        Codec = codec;
        _running.Add(_rules.RunAsync(_end.Token));
        _running.Add(_prices.RunAsync(_end.Token));
    }

    public IEventStore Store { get; }

    public EventCodec Codec { get; }

    public ControlWatch Control { get; }

    public TestGate Gate { get; } = new();

    public int Unfinished => _open.All.Count;

    public static TradeId TradeOf(int number) => new(DeterministicId.From("rig", number.ToString()));

    public static Signal Signal(TradeId trade, decimal notional = 100, int validForSeconds = 60) => new(
        trade, new AccountId("main"), "strategy:test", new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Price(65_000), null, null, null, new Money(notional), 0.9m,
        DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddSeconds(validForSeconds));

    public void StartKeeper() =>
        _running.Add(new Keeper(_parts, _pipeline, _runner, _open, _venue, _prices, _options, NullLogger<Keeper>.Instance).RunAsync(_end.Token));

    /// <param name="inSymbol">Its number among the trades in its symbol, as Risk gives it.</param>
    public Task ExecuteAsync(Signal signal, string delivery = "execute", int? inSymbol = null) =>
        new ExecuteTradeHandler(_runner, _rules, _room, _prices, _venue, _options).HandleAsync(new ExecuteTrade(signal, signal.Notional, inSymbol), InputOf(signal.Trade, delivery), _end.Token);

    public Task CancelAsync(TradeId trade) =>
        new CancelTradeHandler(_runner).HandleAsync(new CancelTrade(trade, new AccountId("main"), "not wanted"), InputOf(trade, "cancel"), _end.Token);

    public Task CloseAsync(TradeId trade) =>
        new CloseTradeHandler(_runner).HandleAsync(new CloseTrade(trade, new AccountId("main"), "enough"), InputOf(trade, "close"), _end.Token);

    public Task AdoptAsync(Signal signal, decimal quantity) =>
        new AdoptPositionHandler(_runner, _rules, _venue, Control, _options).HandleAsync(new AdoptPosition(signal, null, new Quantity(quantity), "the venue holds it"), InputOf(signal.Trade, "adopt"), _end.Token);

    public Task CorrectAsync(TradeId trade, ClientOrderId order) =>
        new CorrectOrderHandler(_runner).HandleAsync(new CorrectOrder(trade, new AccountId("main"), order, "it looks otherwise", "the venue's words"), InputOf(trade, "correct"), _end.Token);

    public Task SettleAsync(TradeId trade, ClientOrderId order, string by, bool confirms) =>
        new SettleOrderHandler(_runner).HandleAsync(
            new SettleOrder(trade, order, DeterministicId.From("settle", by, confirms.ToString()), confirms, by, "the venue is gone"), InputOf(trade, $"settle-{by}-{confirms}"), _end.Token);

    public async Task<OrdersState> StateAsync(TradeId trade) => (await _pipeline.LoadAsync(Streams.Order(trade))).State;

    /// <summary>What was decided; what each decision rested on is left out.</summary>
    public async Task<IReadOnlyList<object>> EventsAsync(TradeId trade)
    {
        var all = new List<object>();
        await foreach (var stored in Store.ReadStreamAsync(Streams.Order(trade)))
            all.Add(Codec.Decode(stored));
        return [.. all.Where(e => e is not OrderInput)];
    }

    public async Task UntilAsync(Func<Task<bool>> holds, string what)
    {
        var limit = DateTimeOffset.UtcNow + Patience;
        while (!await holds())
        {
            Assert.True(DateTimeOffset.UtcNow < limit, $"It did not come to pass: {what}");
            foreach (var ended in _running.Where(t => t.IsFaulted))
                await ended;
            await Task.Delay(50);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await Task.WhenAll(_running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _end.Dispose();
    }

    private static Input InputOf(TradeId trade, string what) => new(DeterministicId.From(what, trade.Value), what, trade.Value, "service:execution");
}

/// <summary>Keeps what is published; the same message again is one message.</summary>
internal sealed class RecordingBus : IMessageBus
{
    private readonly ConcurrentDictionary<Guid, OutboundMessage> _messages = new();
    private int _published;

    public int Published => Volatile.Read(ref _published);

    public IReadOnlyCollection<OutboundMessage> Messages => [.. _messages.Values];

    public IReadOnlyList<T> Of<T>(string endpoint = Routes.Coordinator) => [.. _messages.Values.Where(m => m.Endpoint == endpoint).Select(m => m.Body).OfType<T>()];

    public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default)
    {
        foreach (var message in messages)
            _messages[message.Id] = message;
        Interlocked.Add(ref _published, messages.Count);
        return Task.CompletedTask;
    }
}

internal sealed class TestGate : IEntryGate
{
    public string? Bar { get; set; }
}

/// <summary>The process ends here, as far as the one at work can tell.</summary>
internal sealed class DiesAt(string point) : ICrashPoints
{
    private int _dead;

    public void Reach(string reached)
    {
        if (reached == point && Interlocked.Exchange(ref _dead, 1) == 0)
            throw new ProcessDiedException();
    }
}

internal sealed class ProcessDiedException() : Exception("The process has died.");
