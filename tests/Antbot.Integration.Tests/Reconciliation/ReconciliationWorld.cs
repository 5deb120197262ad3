using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Reconciliation;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Reconciliation;

/// <summary>Reconciliation over a store in memory, with a venue and a bus that a test looks into. Another one on the same data is the next process.</summary>
internal sealed class ReconciliationWorld
{
    public static readonly AccountId Account = new("main");

    private readonly InMemoryEventStore _store;
    private readonly StreamPipeline<ReconciliationState> _pipeline;
    private readonly TradeLook _look;
    private readonly VenueRules _rules;
    private readonly TimeProvider _clock;

    public ReconciliationWorld(InMemoryEventStore? store = null, FakeVenue? venue = null, ReconciliationOptions? options = null, TimeProvider? clock = null)
    {
        _clock = clock ??= TimeProvider.System;
        _store = store ?? new InMemoryEventStore(DeterministicId.From("store"));
        Venue = venue ?? new FakeVenue();
        Options = options ?? new ReconciliationOptions { LastsSeconds = 0 };
        Codec = new EventCodec(EventRegistry.From(typeof(TradeVerified).Assembly, typeof(OrderIntended).Assembly));
        Parts = new PipelineParts(_store, Codec, Bus, clock, NoCrashPoints.Instance);
        _pipeline = new StreamPipeline<ReconciliationState>(Parts, ReconciliationDecider.Behaviour);
        _rules = new VenueRules(Venue, clock);
        _look = new TradeLook(Venue, _rules, _store, Codec);
        Handler = new VerifyTradeHandler(_pipeline, _look, Parts);
        Pending = new PendingVerifications(_pipeline, _store, _look, Venue, Options, clock);
        Control = new ControlWatch(_store, Codec, clock);
        Watch = new AccountWatch(Venue, Venue, _rules, _pipeline, Parts, Options, Control, NullLogger<AccountWatch>.Instance);
        Life = new AccountWatch.Life(new OrderBookFollower(_store, Codec, Account));
    }

    public RecordingBus Bus { get; } = new();

    public FakeVenue Venue { get; }

    public ReconciliationOptions Options { get; }

    public EventCodec Codec { get; }

    public PipelineParts Parts { get; }

    public VerifyTradeHandler Handler { get; }

    public PendingVerifications Pending { get; }

    public ControlWatch Control { get; }

    public AccountWatch Watch { get; }

    public AccountWatch.Life Life { get; }

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ReconciliationWorld NextProcess() => new(_store, Venue, Options);

    public static TradeId Trade(int n = 1) => new(DeterministicId.From("trade", n.ToString()));

    public static ClientOrderId Entry(int n = 1) => ClientOrderId.Of(Trade(n), OrderRole.Entry, 0);

    public static VerifyTrade Verify(decimal quantity = 1, int n = 1, bool closed = false) =>
        new(Trade(n), Account, FakeVenue.Btc, Side.Buy, new Quantity(quantity), closed, closed ? [Entry(n), ClientOrderId.Of(Trade(n), OrderRole.Exit, 0)] : [Entry(n)]);

    public Task HandleAsync(VerifyTrade message, string id = "1") =>
        Handler.HandleAsync(message, new Input(DeterministicId.From("verify", id), message, message.Trade.Value, "service:reconciliation"), Cancel);

    public Task LookAsync() => Watch.LookAsync(Life, Cancel);

    public async Task RecordAsync(TradeId trade, params object[] events)
    {
        var outcome = await _store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Order(trade),
                Expected = ExpectedVersion.Any,
                Decision = new Decision(Guid.NewGuid(), "execution"),
                Events = [.. events.Select(Codec.Encode)],
                At = _clock.GetUtcNow(),
                Meta = new EventMeta(trade.Value),
            },
            Cancel);
        Assert.IsType<AppendOutcome.Appended>(outcome);
    }

    /// <summary>An order that was accepted and rests.</summary>
    public Task RecordOpenAsync(int n = 1) => RecordAsync(
        Trade(n),
        new OrderIntended(Entry(n), Trade(n), Account, OrderRole.Entry, FakeVenue.Btc, Side.Buy, OrderKind.Limit, new Quantity(1), new Price(100), null, ReduceOnly: false, null, "test", NotBefore: null),
        new OrderAttempted(Entry(n), 1, DateTimeOffset.UtcNow, 5_000, 0),
        new OrderAccepted(Entry(n), $"v-{Entry(n).Value}", DateTimeOffset.UtcNow));

    /// <summary>An entry that was given up; the trade is over.</summary>
    public async Task RecordGivenUpAsync(int n)
    {
        await RecordOpenAsync(n);
        await RecordAsync(Trade(n), new OrderEnded(Entry(n), OrderEnd.Cancelled, Quantity.Zero, "test"), new EntryFailedRecorded(Trade(n), Account, "test"));
    }

    public static OrderFilled Filled(int n, decimal quantity, string fill = "1") => new(Entry(n), fill, new Quantity(quantity), new Price(100), Money.Zero, "USDT", DateTimeOffset.UtcNow, Money.Zero);

    public async Task<List<object>> EventsAsync()
    {
        var events = new List<object>();
        await foreach (var stored in _store.ReadStreamAsync(Streams.Reconciliation(Account), 1, Cancel))
            events.Add(Codec.Decode(stored));
        return events;
    }
}
