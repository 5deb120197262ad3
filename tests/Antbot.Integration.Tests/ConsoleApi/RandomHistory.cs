using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Hosting;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.ConsoleApi;

/// <summary>Trades that go through their phases in no order among one another, with what the venue's doubts add.</summary>
internal sealed class RandomHistory(IEventStore store, int seed)
{
    public static readonly EventCodec Codec = new(EventRegistry.From(typeof(TradeRaised).Assembly, typeof(ProcessStarted).Assembly));
    public static readonly AccountId Account = new("main");

    private static readonly Symbol[] Symbols = [new("BTCUSDT"), new("ETHUSDT"), new("SOLUSDT")];

    private readonly Random _random = new(seed);
    private readonly List<(int Trade, int Step)> _open = [];
    private readonly HashSet<Guid> _letters = [];
    private readonly HashSet<Guid> _discarded = [];
    private readonly Dictionary<Guid, int> _replays = [];
    private readonly HashSet<Guid> _incidents = [];
    private readonly Guid _process = DeterministicId.From("process", seed.ToString());
    private DateTimeOffset _now = new(2026, 5, 6, 23, 0, 0, TimeSpan.Zero);
    private int _next = 1;
    private int _appends;

    public static TradeId Trade(int n) => new(DeterministicId.From("history", n.ToString()));

    public static ClientOrderId Entry(int n) => ClientOrderId.Of(Trade(n), OrderRole.Entry, 0);

    public async Task GrowAsync(int steps)
    {
        for (var i = 0; i < steps; i++)
        {
            _now += TimeSpan.FromSeconds(_random.Next(60));
            if (_random.Next(12) == 0)
                await DieAsync();
            else if (_random.Next(20) == 0)
                await GoWrongAsync();
            else if (_random.Next(40) == 0)
                await AppendAsync(new StreamId("process-risk"), null, _random.Next(2) == 0 ? new ProcessStarted("risk", _process, "1", ".NET", 7, 0, _random.Next(3) == 0 ? null : "one") : new ProcessStopped("risk", _process, "asked to", _random.Next(3) == 0 ? null : "one"));
            else if (_open.Count == 0 || (_random.Next(4) == 0 && _open.Count < 20))
                await RaiseAsync();
            else
                await AdvanceAsync(_random.Next(_open.Count));
        }
    }

    /// <summary>Dead letters of a few causes, some about a trade, some discarded.</summary>
    private async Task DieAsync()
    {
        var letter = DeterministicId.From("letter", seed.ToString(), _random.Next(30).ToString());
        var group = $"cause{letter.ToByteArray()[0] % 3}";
        var stream = Streams.DeadLetter(letter);
        if (_letters.Add(letter))
        {
            var trades = _next > 1 && _random.Next(2) == 0 ? new[] { Trade(_random.Next(1, _next)) } : [];
            await AppendAsync(stream, null, new DeadLetterKept(
                letter, "antbot-risk_error", "risk", DeadLetterKind.Fault, letter, "AssessRisk", trades, "System.Exception", new string('f', _random.Next(700)), "", 5, _now, "1", group, null, null, [1], new ContentHash("00", 1)));
        }
        else if (_random.Next(2) == 0 && !_discarded.Contains(letter))
        {
            var replay = _replays[letter] = _replays.GetValueOrDefault(letter) + 1;
            await AppendAsync(stream, null, new DeadLetterReplayOrdered(letter, letter, group, replay, "mended", "anna"));
            if (_random.Next(3) == 0)
                await AppendAsync(stream, null, new DeadLetterEdited(letter, letter, group, replay, "[]", new ContentHash("00", 1), new ContentHash("01", 1), [2], "a typing error", "anna"));
            if (_random.Next(4) == 0)
                await AppendAsync(stream, null, new DeadLetterGivenUp(letter, letter, group, replay, "it takes too long", "anna"));
            else if (_random.Next(2) == 0)
                await AppendAsync(stream, null, new DeadLetterReturned(letter, group, replay, letter, DeadLetterKind.Fault, "System.Exception", "again", "", 5, _now, "2", group));
            else if (_discarded.Add(letter))
                await AppendAsync(stream, null, new DeadLetterReplayed(letter, group, replay, letter, "order-1", 5));
        }
        else if (_random.Next(3) == 0 && _discarded.Add(letter))
        {
            await AppendAsync(stream, null, new DeadLetterExpired(letter, group, "nothing was done about it for 30 days", "system"));
        }
        else if (_discarded.Add(letter))
        {
            await AppendAsync(stream, null, new DeadLetterDiscarded(letter, letter, group, "of no use", "anna"));
        }
        else
        {
            await AppendAsync(stream, null, new DeadLetterRefused(letter, letter, "discard", "anna", [new("new", Passed: false, "it is Discarded")]));
        }
    }

    /// <summary>Incidents that are seen again, noted, taken on, closed and refused.</summary>
    private async Task GoWrongAsync()
    {
        var incident = DeterministicId.From("incident", seed.ToString(), _random.Next(10).ToString());
        object @event = _incidents.Add(incident) ? new IncidentOpened(incident, IncidentSource.Crash, "crash:risk", "it went", "service:console", _now, _now, null, _next > 1 ? [Trade(_random.Next(1, _next))] : []) : _random.Next(5) switch
        {
            0 => new IncidentRepeated(incident, "it went again", _now),
            1 => new IncidentNoted(incident, incident, "memory", "anna"),
            2 => new IncidentAcknowledged(incident, incident, "mine", "anna"),
            3 => new IncidentClosed(incident, incident, "more memory", "anna", _now),
            _ => new IncidentRefused(incident, incident, "close", "anna", [new("not-over", Passed: false, "it is Closed")]),
        };
        await AppendAsync(Streams.Incident(incident), null, @event);
    }

    private async Task RaiseAsync()
    {
        var n = _next++;
        _open.Add((n, 0));
        var signal = new Signal(
            Trade(n), Account, "strategy:test", Symbols[n % 3], n % 4 == 0 ? Side.Sell : Side.Buy, OrderKind.Market, new Price(100), null, new Price(95), new Price(110), new Money(250), 0.7m, _now, _now.AddSeconds(30));
        await AppendAsync(Streams.Trade(Trade(n)), n, new TradeRaised(signal, _now.AddSeconds(5)));
    }

    private async Task AdvanceAsync(int at)
    {
        var (n, step) = _open[at];
        var (trade, order, signal) = (Trade(n), Entry(n), new Signal(Trade(n), Account, "strategy:test", Symbols[n % 3], Side.Buy, OrderKind.Market, new Price(100), null, null, null, new Money(250), 0.7m, _now, _now));
        Verdict[] verdicts = [new("fresh", Passed: true, "1 s old"), new("max_notional", Passed: false, "250 of at most 100")];
        _open[at] = (n, step + 1);
        switch (step)
        {
            case 0 when _random.Next(6) == 0:
                await AppendAsync(Streams.Trade(trade), n, new TradeRejected(trade, verdicts));
                _open.RemoveAt(at);
                break;
            case 0:
                await AppendAsync(Streams.Trade(trade), n, new TradeValidated(signal, 0.8m, verdicts, _now));
                break;
            case 1 when _random.Next(6) == 0:
                await AppendAsync(Streams.Trade(trade), n, new TradeDenied(trade, verdicts));
                _open.RemoveAt(at);
                break;
            case 1:
                await AppendAsync(Streams.Trade(trade), n, new TradeApproved(signal, new Money(250), verdicts, _now));
                break;
            case 2:
                await AppendAsync(
                    Streams.Order(trade), n,
                    new OrderIntended(order, trade, Account, OrderRole.Entry, Symbols[n % 3], Side.Buy, OrderKind.Market, new Quantity(2), null, null, ReduceOnly: false, null, "entry", NotBefore: null),
                    new OrderAttempted(order, 1, _now, 5_000, 0));
                break;
            case 3 when _random.Next(4) == 0:
                await AppendAsync(Streams.Trade(trade), n, new TradeEntryUnknown(trade, "timed out"));
                break;
            case 3:
                await AppendAsync(Streams.Order(trade), n, new OrderAccepted(order, $"v{n}", _now));
                await AppendAsync(Streams.Trade(trade), n, new TradeEntryAccepted(trade, order, $"v{n}", _now));
                break;
            case 4 or 5:
                // The same fill may be told twice.
                await AppendAsync(Streams.Order(trade), n, new OrderFilled(order, _random.Next(2).ToString(), new Quantity(1), new Price(100 + _random.Next(5)), new Money(0.1m), "USDT", _now, new Money(0.1m)));
                break;
            case 6:
                await AppendAsync(
                    Streams.Order(trade), n, new OrderEnded(order, OrderEnd.Filled, new Quantity(2), "filled"),
                    new PositionOpened(trade, Account, Symbols[n % 3], Side.Buy, new Quantity(2), new Price(100), new Money(200), new Money(0.2m), new Price(95), new Price(110), [order], new Quantity(2), null));
                await AppendAsync(Streams.Trade(trade), n, new TradeOpenedRecorded(new TradeOpened(trade, Account, Symbols[n % 3], Side.Buy, new Quantity(2), new Price(100), new Money(200), new Money(0.2m), [order]), _now));
                break;
            case 7 when _random.Next(3) == 0:
                await AppendAsync(Streams.Trade(trade), n, new TradeDriftFound(trade, "0.1 is left", "words"));
                break;
            case 7:
                await AppendAsync(Streams.Trade(trade), n, new TradeReconciledRecorded(trade, Closed: false, "words"));
                break;
            case 8:
                await AppendAsync(Streams.Order(trade), n, new PositionClosing(trade, Account, "take profit"));
                await AppendAsync(Streams.Trade(trade), n, new TradeClosingRecorded(trade, "take profit", _now));
                break;
            case 9:
                await CloseAsync(n);
                break;
            case 10 when _random.Next(3) == 0:
                // Corrected afterwards: the position is closed once more, with other numbers.
                await CloseAsync(n);
                _open.RemoveAt(at);
                break;
            default:
                _open.RemoveAt(at);
                break;
        }
    }

    private async Task CloseAsync(int n)
    {
        var (trade, won) = (Trade(n), new Money(_random.Next(-20, 20)));
        await AppendAsync(Streams.Order(trade), n, new PositionClosed(trade, Account, Symbols[n % 3], Side.Buy, new Quantity(2), new Price(100), new Price(105), won, new Money(0.4m), "take profit", [Entry(n)], Quantity.Zero));
        await AppendAsync(Streams.Trade(trade), n, new TradeClosedRecorded(new TradeClosed(trade, Account, Symbols[n % 3], new Quantity(2), new Price(100), new Price(105), won, new Money(0.4m), "take profit", [Entry(n)]), Side.Buy));
    }

    private async Task AppendAsync(StreamId stream, int? trade, params object[] events)
    {
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = stream,
                Expected = ExpectedVersion.Any,
                Decision = new Decision(DeterministicId.From("append", seed.ToString(), (++_appends).ToString()), "test"),
                Events = [.. events.Select(Codec.Encode)],
                At = _now,
                Meta = new EventMeta(trade is { } n ? Trade(n).Value : null, null, events[0] is DeadLetterDiscarded or DeadLetterReplayOrdered or DeadLetterRefused or IncidentNoted ? "operator:anna" : "service:test"),
            },
            TestContext.Current.CancellationToken);
        Assert.IsType<AppendOutcome.Appended>(outcome);
    }
}
