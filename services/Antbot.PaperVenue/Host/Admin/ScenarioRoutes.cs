using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Admin;

/// <summary>The market in hand: a price that is held, or another program.</summary>
internal sealed class ScenarioRoutes(Venue venue, PaperVenueOptions options)
{
    private VenueRules Rules => venue.Rules;

    public async Task<byte[]> DirectAsync(Body body)
    {
        var instrument = Rules.Find(body.NeedText("symbol")) ?? throw ApiException.BadSymbol();
        var price = body.FindText("price") is { } text ? Words.Amount(text).FloorTo(instrument.Tick) : (Fixed8?)null;
        if (price is { } given && (given < new Fixed8(instrument.Tick.Units * 100) || given > instrument.MaxPrice))
            throw new ApiException(-1013, "Filter failure: PRICE_FILTER");
        var freeze = body.Flag("frozen") ?? (price is null ? throw ApiException.Missing("price") : true);
        await venue.ChangeAsync((exchange, now) =>
        {
            var market = exchange[instrument];
            var program = options.Follow is not null && market.Last.IsPositive ? market.Last : venue.Weather.Of(instrument, exchange, now).Middle;
            var current = price ?? (market.HeldAt.IsPositive ? market.HeldAt : program);
            // Let go, it moves on from where it is: the program goes on with it, and has moved it by as much as before.
            var usual = SyntheticMarket.Middle(instrument, options.Seed, now * options.Speed, market.Shift);
            var path = new Fixed8(Math.Max(instrument.Tick.Units, (long)((Int128)current.Units * usual.Units / program.Units)));
            exchange.Direct(instrument, freeze ? current : Fixed8.Zero, venue.ShiftTo(instrument, path, now), now);
            return 0;
        });
        venue.Move(instrument);
        return venue.Show(instrument, (market, _) => Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("symbol", instrument.Symbol).Field("frozen", market.HeldAt.IsPositive).Number("last", market.Last)
                .Number("bid", market.Bids.Best?.Price ?? Fixed8.Zero).Number("ask", market.Asks.Best?.Price ?? Fixed8.Zero);
            json.WriteEndObject();
        }));
    }

    public Task<byte[]> ScenarioAsync() => venue.ReadAsync((exchange, now) => Json.Write(json =>
    {
        var program = exchange.Program;
        json.WriteStartObject();
        json.Field("scenario", ScenarioNames.Hyphened(program.Scenario)).Field("since", program.Since).Field("seconds", program.Length / 1_000);
        if (program.File.Length > 0)
            json.Field("file", program.File);
        json.WriteStartArray("instruments");
        foreach (var instrument in Rules.Instruments)
        {
            var conditions = venue.Weather.Of(instrument, exchange, now);
            json.WriteStartObject();
            json.Field("symbol", instrument.Symbol).Number("middle", conditions.Middle).Field("depthPerMille", conditions.Depth).Field("volumePerMille", conditions.Volume)
                .Field("failedOrdersPerMille", conditions.FailedOrders).Field("gasGwei", conditions.GasGwei);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }));

    public async Task<byte[]> ChooseAsync(Body body)
    {
        var scenario = ScenarioNames.Find(body.NeedText("scenario")) ?? throw new ApiException(-1102, $"'scenario' is one of {ScenarioNames.All}.");
        if (options.Follow is not null)
            throw new ApiException(-1102, "This venue follows a real market, which goes by no scenario.", 409);
        var file = body.FindText("file") ?? "";
        if (file.Length > 0 != (scenario == Scenario.Replay))
            throw new ApiException(-1102, "'file' is for a replay, and a replay needs it: the name of a candle file.");
        var length = body.Has("seconds") ? body.Whole("seconds", 1, 1, 86_400) * 1_000L : Scenarios.DefaultLength(scenario);
        try
        {
            if (scenario == Scenario.Replay)
                venue.Weather.Load(file);
        }
        catch (FormatException e)
        {
            throw new ApiException(-1102, e.Message);
        }
        await venue.ChooseAsync(scenario, length, file);
        return await ScenarioAsync();
    }
}
