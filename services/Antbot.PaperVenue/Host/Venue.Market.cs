using Antbot.PaperVenue.Faults;
using Antbot.PaperVenue.Following;
using Antbot.PaperVenue.Http;
using Antbot.PaperVenue.Journal;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue;

/// <summary>How the market moves: its program, its prices, the faults that befall books and orders.</summary>
internal sealed partial class Venue
{
    /// <summary>Quotes again at once, for example because the price was set.</summary>
    public void Move(Instrument instrument, bool first = false)
    {
        lock (_gate)
            Keep(() => Step(instrument, first));
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
    public BookView ViewOf(Market market) => FalseViewOf(market) ?? BookView.Of(market);

    /// <summary>Null where no fault strikes.</summary>
    private BookView? FalseViewOf(Market market)
    {
        var fault = _faults.StrikeBook();
        var data = _data[market.Instrument.Index];
        if (fault?.Kind == FaultKind.StaleBook)
            return data.Stale ??= BookView.Of(market).Copied() with { Update = Updates };
        if (!_faults.Has(FaultKind.StaleBook))
            data.Stale = null;
        return fault?.Kind == FaultKind.CrossedBook ? BookView.Of(market).Crossed() : null;
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

    /// <summary>In a market that has no room for everybody. Nothing has happened then, and the code says so. Chance by the seed and the count, so that a run can be had again.</summary>
    public void RefuseInBadWeather(Instrument instrument)
    {
        int failed;
        lock (_gate)
            failed = Weather.Of(instrument, _exchange, Now).FailedOrders;
        if (failed > 0 && SyntheticMarket.Chance(_options.Seed, Interlocked.Increment(ref _turns), failed))
            throw new ApiException(-1008, "Server is currently overloaded with other requests. Please try again in a few minutes.", 503);
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
        if (_real is not null)
            return StepAfter(_real, instrument, first);
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

    /// <summary>Quotes as the real market does. Without a price there is no market: nobody quotes, nothing is traded and no candle grows.</summary>
    private bool StepAfter(RealMarket real, Instrument instrument, bool first)
    {
        var (market, data, now) = (_exchange[instrument], _data[instrument.Index], Now);
        if ((market.HeldAt.IsPositive ? (market.HeldAt, market.HeldAt) : real.Best(instrument)) is not { } best || Quotes(instrument, best) is not { } sides)
        {
            // Nothing of anybody's is passed by a price that is not there.
            _exchange.Requote(instrument, [], [], instrument.MaxPrice, Fixed8.Zero, now);
            Publish();
            ShowBest(instrument);
            return true;
        }
        var time = now / _options.StepMilliseconds * _options.StepMilliseconds;
        var conditions = new Conditions(new Fixed8((sides.Bid.Units + sides.Ask.Units) / 2).FloorTo(instrument.Tick));
        Span<Quote> bids = stackalloc Quote[SyntheticMarket.Levels];
        Span<Quote> asks = stackalloc Quote[SyntheticMarket.Levels];
        SyntheticMarket.QuotesBeside(instrument, _options.Seed, time, conditions, sides.Bid, sides.Ask, bids, asks);
        data.Advance(now);
        _exchange.Requote(instrument, bids, asks, sides.Ask, sides.Bid, now);
        var flows = SyntheticMarket.TryFlow(instrument, _options.Seed, time, conditions, out var side, out var quantity);
        if (first || market.HeldAt.IsPositive)
            _exchange.Show(instrument, conditions.Middle, instrument.Lot, now);
        else if (flows)
            _exchange.Flow(instrument, side, quantity, now);
        Publish();
        ShowMarket(instrument, now);
        return true;
    }

    /// <summary>On this venue's ticks, the ask above the bid; null for a price that it cannot have.</summary>
    private static (Fixed8 Bid, Fixed8 Ask)? Quotes(Instrument instrument, (Fixed8 Bid, Fixed8 Ask) best)
    {
        var bid = best.Bid.FloorTo(instrument.Tick);
        var ask = new Fixed8(Math.Max(best.Ask.FloorTo(instrument.Tick).Units, bid.Units + instrument.Tick.Units));
        return bid.Units >= instrument.Tick.Units * 100 && ask < instrument.MaxPrice ? (bid, ask) : null;
    }

    /// <summary>What was missed while there were no prices is as the real market had it.</summary>
    private void TakePast(History past)
    {
        lock (_gate)
        {
            foreach (var data in _data)
                data.TakePast(past);
        }
    }
}
