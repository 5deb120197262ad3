namespace Antbot.PaperVenue.Http;

/// <summary>What clients ask an exchange beside the market: whether it is up, which assets there are, what a key may; and that there are no futures here.</summary>
internal sealed class WalletRoutes(Venue venue)
{
    private VenueRules Rules => venue.Rules;

    public IEnumerable<(string Method, string Path, Route Route)> All =>
    [
        Open("/sapi/v1/system/status", () => Json.Write(json =>
        {
            json.WriteStartObject();
            json.Field("status", 0).Field("msg", "normal");
            json.WriteEndObject();
        })),
        Open("/sapi/v1/margin/allPairs", NoList),
        Open("/sapi/v1/margin/allAssets", NoList),
        Open("/sapi/v1/margin/isolated/allPairs", NoList),
        Open("/fapi/v1/exchangeInfo", NoInstruments),
        Open("/dapi/v1/exchangeInfo", NoInstruments),
        Signed("/sapi/v1/capital/config/getall", 10, AssetsAsync),
        Signed("/sapi/v1/asset/tradeFee", 1, FeesAsync),
        Signed("/sapi/v1/account/apiRestrictions", 1, RestrictionsAsync),
    ];

    private static (string Method, string Path, Route Route) Open(string path, Func<byte[]> answer) =>
        ("GET", path, new Route(RouteGroup.Market, Security.Open, _ => 1, _ => ValueTask.FromResult(answer())));

    private static (string Method, string Path, Route Route) Signed(string path, int weight, Func<Call, ValueTask<byte[]>> answer) =>
        ("GET", path, new Route(RouteGroup.Account, Security.Signed, _ => weight, answer));

    private static byte[] NoList() => "[]"u8.ToArray();

    /// <summary>A client that knows futures and margin too lists their markets before it trades spot.</summary>
    private byte[] NoInstruments() => Json.Write(json =>
    {
        json.WriteStartObject();
        json.Field("timezone", "UTC").Field("serverTime", venue.Now);
        foreach (var list in (string[])["rateLimits", "exchangeFilters", "assets", "symbols"])
        {
            json.WriteStartArray(list);
            json.WriteEndArray();
        }
        json.WriteEndObject();
    });

    private ValueTask<byte[]> AssetsAsync(Call call) => new(venue.ReadAsync((exchange, _) => Json.Write(json =>
    {
        var account = exchange.FindAccount(call.Account)!;
        json.WriteStartArray();
        for (var asset = 0; asset < Rules.Assets.Count; asset++)
        {
            var (name, balance) = (Rules.Assets[asset], account.Balances[asset]);
            json.WriteStartObject();
            json.Field("coin", name).Field("name", name).Field("depositAllEnable", false).Field("withdrawAllEnable", false).Field("trading", true).Field("isLegalMoney", false)
                .Number("free", balance.Free).Number("locked", balance.Locked);
            foreach (var nothing in (string[])["freeze", "withdrawing", "ipoing", "ipoable", "storage"])
                json.Number(nothing, Fixed8.Zero);
            json.WriteStartArray("networkList");
            json.WriteEndArray();
            json.WriteEndObject();
        }
        json.WriteEndArray();
    })));

    private ValueTask<byte[]> FeesAsync(Call call)
    {
        var one = call.Parameters.FindSymbol(Rules);
        return ValueTask.FromResult(Json.Write(json =>
        {
            json.WriteStartArray();
            foreach (var instrument in Rules.Instruments.Where(i => one is null || i == one))
            {
                json.WriteStartObject();
                json.Field("symbol", instrument.Symbol).Number("makerCommission", Rules.MakerFee).Number("takerCommission", Rules.TakerFee);
                json.WriteEndObject();
            }
            json.WriteEndArray();
        }));
    }

    private static ValueTask<byte[]> RestrictionsAsync(Call call) => ValueTask.FromResult(Json.Write(json =>
    {
        var may = call.Caller.Permissions;
        json.WriteStartObject();
        json.Field("ipRestrict", false).Field("createTime", 0).Field("enableReading", may.HasFlag(Permissions.Read))
            .Field("enableSpotAndMarginTrading", may.HasFlag(Permissions.Trade)).Field("enableWithdrawals", may.HasFlag(Permissions.Withdraw))
            .Field("enableInternalTransfer", false).Field("permitsUniversalTransfer", false).Field("enableMargin", false).Field("enableFutures", false)
            .Field("enableVanillaOptions", false).Field("enablePortfolioMarginTrading", false);
        json.WriteEndObject();
    }));
}
