using System.Text.Json;
using Antbot.PaperVenue.Streams;

namespace Antbot.PaperVenue;

/// <summary>What of the market is told by streams.</summary>
internal sealed partial class Venue
{
    private void ShowBest(Instrument instrument) => Hub.Publish(MarketMessages.BookTickerStream(instrument), () =>
    {
        var view = ViewOf(_exchange[instrument]);
        return MarketMessages.BookTicker(instrument, view, view.Update ?? Updates);
    });

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
            Hub.Publish(MarketMessages.ChangeStream(market.Instrument), () =>
            {
                var view = FalseViewOf(market);
                return MarketMessages.Changes(market.Instrument, data.Bids.Next(market.Bids, view?.Bids), data.Asks.Next(market.Asks, view?.Asks), first, Updates, now);
            });
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
}
