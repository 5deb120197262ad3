using System.Collections.Concurrent;
using System.Text.Json;
using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Http;
using Antbot.PaperVenue.Journal;
using Antbot.PaperVenue.Streams;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue;

/// <summary>The venue cannot take this now: its disk is full or its journal is being mended.</summary>
internal sealed class VenueUnavailableException(string message) : Exception(message);

/// <summary>
/// The exchange with what makes it last and what shows it: one lock around the state, a journal behind it, streams in front.
/// Whatever a caller is told is on disk before it is told.
/// </summary>
internal sealed class Venue : IAsyncDisposable
{
    private static readonly TimeSpan MendEvery = TimeSpan.FromSeconds(1);

    private readonly PaperVenueOptions _options;
    private readonly string _folder;
    private readonly TimeProvider _clock;
    private readonly FaultPlan _faults;
    private readonly ILogger _log;
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly Lock _telling = new();
    private readonly ConcurrentQueue<(long Sequence, int Account, bool IsFill, byte[] Message)> _untold = new();

    /// <summary>A report that waits until the one after it has been told.</summary>
    private (int Account, byte[] Message)? _overtaken;

    /// <summary>The journal has everything up to this on disk.</summary>
    private long _committed;
    private Exchange _exchange;
    private JournalWriter _journal;
    private IReadOnlyList<MarketData> _data;
    private Task _work = Task.CompletedTask;
    private long _snapshotAt;
    private long _turns;
    private Exception? _suspect;

    public Venue(PaperVenueOptions options, TimeProvider clock, StreamHub hub, FaultPlan faults, ILogger log)
    {
        (_options, _clock, Hub, _faults, _log) = (options, clock, hub, faults, log);
        Weather = new Weather(options);
        _folder = Path.Combine(options.Data, "journal");
        (_exchange, _journal) = Open();
        var now = Now;
        // More than one update in a microsecond there never is, so the next start goes on above.
        Updates = now * 1_000;
        _data = [.. options.Rules.Instruments.Select(i => new MarketData(i, options, _exchange[i].Shift, now))];
        LoadReplay();
        foreach (var instrument in options.Rules.Instruments)
            Step(instrument, first: true);
        ReleaseHeld();
    }

    public Weather Weather { get; }

    public StreamHub Hub { get; }

    public VenueRules Rules => _options.Rules;

    public long Now => _clock.GetUtcNow().ToUnixTimeMilliseconds();

    public long JournalBytes => _journal.Bytes;

    public long JournalSyncs => _journal.Syncs;

    public IReadOnlyList<string> Notes { get; private set; } = [];

    /// <summary>Grows with every change that can be seen.</summary>
    public long Updates { get; private set; }

    /// <summary>Null while orders are taken.</summary>
    public string? Trouble => (_journal.Failure ?? _suspect) is { } failure
        ? $"It is being opened anew from its disk after a failure: {failure.Message}"
        : _journal.HasRoom ? null : "The disk is full: nothing is accepted that could not be kept.";

    public void Start() => _work = Task.WhenAll(MoveAsync(), MendAsync());

    /// <summary>Changes something and answers when that is on disk. What the answer says is made while nobody else changes anything.</summary>
    public async Task<T> ChangeAsync<T>(Func<Exchange, long, T> change)
    {
        T answer;
        Task durable;
        lock (_gate)
        {
            if (Trouble is { } trouble)
                throw new VenueUnavailableException(trouble);
            answer = Keep(() => change(_exchange, Now));
            durable = _journal.Durable;
        }
        await durable;
        return answer;
    }

    /// <summary>Looks at something; what is seen is on disk before it is told.</summary>
    public async Task<T> ReadAsync<T>(Func<Exchange, long, T> read)
    {
        T answer;
        Task durable;
        lock (_gate)
        {
            answer = read(_exchange, Now);
            durable = _journal.Durable;
        }
        await durable;
        return answer;
    }

    /// <summary>Looks at what everybody may see.</summary>
    public T Show<T>(Instrument instrument, Func<Market, MarketData, T> show)
    {
        lock (_gate)
            return show(_exchange[instrument], _data[instrument.Index]);
    }

    /// <summary>Quotes again at once, for example because the price was set.</summary>
    public void Move(Instrument instrument, bool first = false)
    {
        lock (_gate)
            Keep(() => Step(instrument, first));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _work;
        var (sequence, durable) = _journal.Seal();
        try
        {
            await durable;
            if (_journal.Bytes > 0)
                JournalFiles.WriteSnapshot(_folder, _exchange.Capture(), sequence);
        }
        catch (Exception e) when (e is JournalException or IOException or UnauthorizedAccessException)
        {
            _log.LogWarning(e, "The state could not be written down at the end; the next start reads the journal.");
        }
        _journal.Dispose();
        _stop.Dispose();
    }

    /// <summary>Lets an order go that is held back, or undoes its last fill, when the fault's time has come.</summary>
    public void Later(Fault fault, long order) => _ = LaterAsync(fault, order);

    private async Task LaterAsync(Fault fault, long order)
    {
        try
        {
            await Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), _clock, _stop.Token);
            await ChangeAsync((exchange, now) => exchange.FindOrder(order) is { } found && (fault.Kind == FaultKind.LateFill ? exchange.Release(found, now) : exchange.Bust(found, now)));
        }
        catch (Exception e) when (e is OperationCanceledException or VenueUnavailableException or JournalException)
        {
            // At the next start what is held is let go.
        }
    }

    /// <summary>The book as it is shown, which under a fault is not as it is.</summary>
    public BookView ViewOf(Market market)
    {
        var fault = _faults.StrikeBook();
        var data = _data[market.Instrument.Index];
        if (fault?.Kind == FaultKind.StaleBook)
            return data.Stale ??= BookView.Of(market).Copied();
        if (!_faults.Has(FaultKind.StaleBook))
            data.Stale = null;
        return fault?.Kind == FaultKind.CrossedBook ? BookView.Of(market).Crossed() : BookView.Of(market);
    }

    /// <summary>The market goes by another program from now on, from the prices that there are.</summary>
    public async Task ChooseAsync(Scenario scenario, long length, string file)
    {
        await ChangeAsync((exchange, now) => Choose(exchange, scenario, length, file, now));
        // A trade shows where it begins: a replay begins elsewhere.
        foreach (var instrument in Rules.Instruments)
            Move(instrument, first: true);
    }

    private long Choose(Exchange exchange, Scenario scenario, long length, string file, long now)
    {
        foreach (var instrument in Rules.Instruments)
        {
            var market = exchange[instrument];
            exchange.Direct(instrument, market.HeldAt, ShiftTo(instrument, Weather.Of(instrument, exchange, now).Middle, now), now);
        }
        exchange.Choose(scenario, length, file, now);
        return now;
    }

    /// <summary>What is added to the path so that it leads through a price now.</summary>
    public Fixed8 ShiftTo(Instrument instrument, Fixed8 price, long now)
    {
        var path = SyntheticMarket.Middle(instrument, _options.Seed, now * _options.Speed);
        return new Fixed8((long)((Int128)price.Units * Fixed8.One / path.Units) - Fixed8.One);
    }

    /// <summary>Whether the market's program turns this order away. Chance by the seed and the count, so that a run can be had again.</summary>
    public bool TurnsAway(Instrument instrument)
    {
        int failed;
        lock (_gate)
            failed = Weather.Of(instrument, _exchange, Now).FailedOrders;
        return failed > 0 && SyntheticMarket.Chance(_options.Seed, Interlocked.Increment(ref _turns), failed);
    }

    private void LoadReplay()
    {
        if (_exchange.Program is not { Scenario: Scenario.Replay, File: { Length: > 0 } file })
            return;
        try
        {
            Weather.Load(file);
        }
        catch (FormatException e)
        {
            Notes = [.. Notes, $"The replay of {file} cannot go on, so the market is the usual one: {e.Message}"];
            _log.LogWarning("{Note}", Notes[^1]);
        }
    }

    /// <summary>Who held them back is gone.</summary>
    private void ReleaseHeld() => Keep(() =>
    {
        foreach (var order in _exchange.Held)
            _exchange.Release(order, Now);
        return 0;
    });

    private (Exchange Exchange, JournalWriter Journal) Open()
    {
        var recovered = JournalFiles.Recover(_folder, _options.Rules, _options.Salvage);
        Notes = recovered.Notes;
        foreach (var note in recovered.Notes)
            _log.LogWarning("{Note}", note);
        _snapshotAt = _options.SnapshotBytes;
        lock (_telling)
            _committed = recovered.Last;
        return (recovered.Exchange, new JournalWriter(_folder, _options.SegmentBytes, recovered.Last, Tell));
    }

    /// <summary>Does something and publishes what it left. What breaks off in the middle leaves a state that nobody may trust: it is read from disk again.</summary>
    private T Keep<T>(Func<T> act)
    {
        try
        {
            var done = act();
            Publish();
            return done;
        }
        catch (ApiException)
        {
            // A refusal: whatever was done before it stays done.
            Publish();
            throw;
        }
        catch (Exception e)
        {
            _suspect = e;
            throw;
        }
    }

    /// <summary>Everything that the last operation left behind goes where it belongs.</summary>
    private void Publish()
    {
        Updates++;
        var outbox = _exchange.Outbox;
        var sequence = outbox.Journal.Count > 0 ? _journal.Add(outbox.Journal) : 0;
        foreach (var report in outbox.Reports)
        {
            if (Hub.HasListener(report.Order.Account.Id))
                _untold.Enqueue((sequence, report.Order.Account.Id, report.Fill is not null, UserMessages.Execution(report, Rules)));
        }
        foreach (var credit in outbox.Credits)
        {
            if (Hub.HasListener(credit.Account.Id))
                _untold.Enqueue((sequence, credit.Account.Id, false, UserMessages.Credit(credit, Rules)));
        }
        foreach (var (account, assets) in outbox.Touched)
        {
            if (Hub.HasListener(account.Id))
                _untold.Enqueue((sequence, account.Id, false, UserMessages.Position(account, assets, Rules, Now)));
        }
        // A quick disk has it before it is put here: then nobody would come back for it until something else happens.
        TellCommitted();
        Instrument? traded = null;
        foreach (var print in outbox.Prints)
        {
            _data[print.Instrument.Index].Take(print);
            Hub.Publish(MarketMessages.TradeStream(print.Instrument), () => MarketMessages.Trade(print));
            Hub.Publish(MarketMessages.AggregateTradeStream(print.Instrument), () => MarketMessages.AggregateTrade(print));
            traded = print.Instrument;
        }
        outbox.Clear();
        if (traded is not null)
            ShowBest(traded);
    }

    /// <summary>What is on disk may be told to whom it concerns. Called by the journal, in order.</summary>
    private void Tell(long sequence)
    {
        lock (_telling)
            _committed = Math.Max(_committed, sequence);
        TellCommitted();
    }

    private void TellCommitted()
    {
        if (_untold.IsEmpty)
            return;
        lock (_telling)
        {
            while (_untold.TryPeek(out var next) && next.Sequence <= _committed && _untold.TryDequeue(out next))
            {
                if (next.IsFill && _faults.StrikeReport() is { } fault)
                    TellFaultily(next.Account, next.Message, fault);
                else
                    Hub.Tell(next.Account, next.Message);
                if (next.IsFill && _overtaken is { } late && late.Message != next.Message)
                {
                    _overtaken = null;
                    Hub.Tell(late.Account, late.Message);
                }
            }
        }
    }

    private void TellFaultily(int account, byte[] message, Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.LostReport:
                break;
            case FaultKind.DuplicateReport:
                Hub.Tell(account, message);
                Hub.Tell(account, message);
                break;
            case FaultKind.ReorderReport:
                // One at a time is overtaken; another that is there already goes first.
                if (_overtaken is { } late)
                    Hub.Tell(late.Account, late.Message);
                _overtaken = (account, message);
                break;
            default:
                _ = TellLateAsync(account, message, fault);
                break;
        }
    }

    private async Task TellLateAsync(int account, byte[] message, Fault fault)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(fault.Milliseconds), _clock, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        // Nobody listens to a venue that has ended.
        if (!_stop.IsCancellationRequested)
            Hub.Tell(account, message);
    }

    private async Task MoveAsync()
    {
        var step = TimeSpan.FromMilliseconds(_options.StepMilliseconds);
        using var timer = new PeriodicTimer(step, _clock);
        while (await NextAsync(timer))
        {
            foreach (var instrument in Rules.Instruments)
            {
                try
                {
                    Move(instrument);
                }
                catch (Exception e) when (e is not OutOfMemoryException)
                {
                    _log.LogError(e, "The market of {Symbol} could not move.", instrument.Symbol);
                }
            }
        }
    }

    /// <summary>False when the house could not trade: what could not be kept does not happen.</summary>
    private bool Step(Instrument instrument, bool first)
    {
        if (Trouble is not null)
            return false;
        var (market, data) = (_exchange[instrument], _data[instrument.Index]);
        var now = Now;
        var time = now / _options.StepMilliseconds * _options.StepMilliseconds * _options.Speed;
        var held = market.HeldAt.IsPositive;
        var conditions = Weather.Of(instrument, _exchange, now / _options.StepMilliseconds * _options.StepMilliseconds);
        if (held)
            conditions = conditions with { Middle = market.HeldAt };
        var middle = conditions.Middle;
        Span<Quote> bids = stackalloc Quote[SyntheticMarket.Levels];
        Span<Quote> asks = stackalloc Quote[SyntheticMarket.Levels];
        SyntheticMarket.QuotesAround(instrument, _options.Seed, time, conditions, bids, asks);
        data.Advance(now);
        _exchange.Requote(instrument, bids, asks, held ? middle : asks[0].Price, held ? middle : bids[0].Price, now);
        var flows = SyntheticMarket.TryFlow(instrument, _options.Seed, time, conditions, out var side, out var quantity);
        if (held || first)
            _exchange.Show(instrument, middle, instrument.Lot, now);
        else if (flows)
            _exchange.Flow(instrument, side, quantity, now);
        Publish();
        ShowMarket(instrument, now);
        return true;
    }

    private void ShowBest(Instrument instrument) =>
        Hub.Publish(MarketMessages.BookTickerStream(instrument), () => MarketMessages.BookTicker(instrument, ViewOf(_exchange[instrument]), Updates));

    private void ShowMarket(Instrument instrument, long now)
    {
        var (market, data) = (_exchange[instrument], _data[instrument.Index]);
        ShowBest(instrument);
        foreach (var depth in MarketMessages.Depths)
            Hub.Publish(MarketMessages.DepthStream(instrument, depth), () => MarketMessages.Depth(ViewOf(market), depth, Updates));
        ShowChanges(market, now);
        if (now / 1_000 != data.TickerShownAt / 1_000)
        {
            data.TickerShownAt = now;
            Hub.Publish(MarketMessages.TickerStream(instrument), () => MarketMessages.Ticker(market, data, now));
            Hub.Publish(MarketMessages.MiniTickerStream(instrument), () => MarketMessages.MiniTicker(market, data, now));
            Hub.Publish(MarketMessages.AveragePriceStream(instrument), () => MarketMessages.AveragePrice(market, data, now));
            if (instrument.Index == Rules.Instruments.Count - 1)
                ShowAllTickers(now);
        }
        foreach (var (series, candle) in data.Closed)
            Hub.Publish(MarketMessages.KlineStream(instrument, series.Interval), () => MarketMessages.Kline(instrument, series.Interval, candle, isClosed: true, now));
        data.Closed.Clear();
        foreach (var series in data.Series)
        {
            if (series.Current is { } current)
                Hub.Publish(MarketMessages.KlineStream(instrument, series.Interval), () => MarketMessages.Kline(instrument, series.Interval, current, isClosed: false, now));
        }
    }

    /// <summary>A book is watched from the first step on, so that whoever subscribes and then asks for all of it finds the two to fit.</summary>
    private void ShowChanges(Market market, long now)
    {
        var data = _data[market.Instrument.Index];
        if (market.Bids.Changed is { } bids && market.Asks.Changed is { } asks)
        {
            var first = data.ChangesShownTo + 1;
            Hub.Publish(MarketMessages.ChangeStream(market.Instrument), () => MarketMessages.Changes(market, first, Updates, now));
            bids.Clear();
            asks.Clear();
        }
        else
        {
            // Another book than before: what was shown of that one does not lead to this one, and the gap says so.
            Updates++;
            (market.Bids.Changed, market.Asks.Changed) = (new HashSet<long>(), new HashSet<long>());
        }
        data.ChangesShownTo = Updates;
    }

    private void ShowAllTickers(long now)
    {
        Hub.Publish(MarketMessages.AllTickers, () => All(MarketMessages.WriteTicker));
        Hub.Publish(MarketMessages.AllMiniTickers, () => All(MarketMessages.WriteMiniTicker));

        byte[] All(Action<Utf8JsonWriter, Market, MarketData, long> write) => Json.Write(json =>
        {
            json.WriteStartArray();
            foreach (var instrument in Rules.Instruments)
                write(json, _exchange[instrument], _data[instrument.Index], now);
            json.WriteEndArray();
        });
    }

    /// <summary>Keeps the journal bounded, and opens it anew when it has failed: start-up is recovery.</summary>
    private async Task MendAsync()
    {
        using var timer = new PeriodicTimer(MendEvery, _clock);
        while (await NextAsync(timer))
        {
            Hub.EndOldKeys();
            try
            {
                if ((_journal.Failure ?? _suspect) is not null)
                    Mend();
                else if (_journal.Bytes >= _snapshotAt)
                    await WriteSnapshotAsync();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or JournalException or PaperVenueException)
            {
                _log.LogError(e, "The journal is not as it should be yet; the next look at it is in {Seconds} s.", MendEvery.TotalSeconds);
            }
        }
    }

    private void Mend()
    {
        lock (_gate)
        {
            _journal.Dispose();
            _untold.Clear();
            (_exchange, _journal) = Open();
            _suspect = null;
            foreach (var instrument in Rules.Instruments)
                Step(instrument, first: true);
            ReleaseHeld();
        }
        _log.LogInformation("The journal is open again; the venue stands where its disk says.");
    }

    private async Task WriteSnapshotAsync()
    {
        ExchangeSnapshot snapshot;
        long sequence;
        Task durable;
        lock (_gate)
        {
            snapshot = _exchange.Capture();
            (sequence, durable) = _journal.Seal();
        }
        await durable;
        JournalFiles.WriteSnapshot(_folder, snapshot, sequence);
        _snapshotAt = _journal.Bytes + _options.SnapshotBytes;
    }

    private async Task<bool> NextAsync(PeriodicTimer timer)
    {
        try
        {
            return await timer.WaitForNextTickAsync(_stop.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }
}
