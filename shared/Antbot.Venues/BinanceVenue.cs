using System.Globalization;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Runtime.Venue;

namespace Antbot.Venues;

/// <summary>A venue that speaks Binance's spot REST: Binance itself, and the paper venue.</summary>
internal sealed class BinanceVenue(VenueOptions options, VenueHttp http, RequestBudget budget, VenueClock venueClock, KeyWatch key, Listing listing, TimeProvider clock) : IVenue
{
    private const int ClockSamples = 5;
    private const int FillPage = 1_000;
    private const int FillPagesMax = 20;
    private const int QueryWindow = 5_000;

    public string Name => options.Name;

    public AccountId Account { get; } = new(options.Account);

    public bool IsPaper => options.Paper;

    public DateTimeOffset? Now => venueClock.Now;

    public async Task<VenueAnswer<DateTimeOffset>> MeasureClockAsync(CancellationToken cancellationToken = default)
    {
        (TimeSpan Took, DateTimeOffset Told, long Asked, long Answered)? best = null;
        VenueAnswer<DateTimeOffset>? bad = null;
        for (var i = 0; i < ClockSamples && bad is null; i++)
        {
            var asked = clock.GetTimestamp();
            var answer = await http.SendAsync(VenueRoute.Clock, 1, HttpMethod.Get, "/api/v3/time", "", isSigned: false, j => j.Time("serverTime"), cancellationToken);
            var answered = clock.GetTimestamp();
            var took = clock.GetElapsedTime(asked, answered);
            if (answer is not VenueAnswer<DateTimeOffset>.Said said)
                bad = answer;
            else if (best is null || took < best.Value.Took)
                best = (took, said.Value, asked, answered);
        }
        if (best is not { } sample)
            return bad!;
        venueClock.Set(sample.Told, sample.Asked, sample.Answered);
        return new VenueAnswer<DateTimeOffset>.Said(venueClock.Now!.Value);
    }

    public async Task<VenueAnswer<IReadOnlyList<SymbolRules>>> ReadRulesAsync(CancellationToken cancellationToken = default)
    {
        var answer = await http.SendAsync(VenueRoute.Rules, 20, HttpMethod.Get, "/api/v3/exchangeInfo", "", isSigned: false, ReadRules, cancellationToken);
        if (answer is VenueAnswer<(IReadOnlyList<SymbolRules> Rules, VenueLimits Limits)>.Said { Value: var said })
            budget.SetLimits(said.Limits);
        return Map(answer, a => a.Rules);
    }

    public async Task<VenueAnswer<OrderReport>> PlaceAsync(VenueOrder order, CancellationToken cancellationToken = default)
    {
        var answer = await http.SendAsync(
            RouteOf(order), 1, HttpMethod.Post, "/api/v3/order", Parameters(order), isSigned: true, j => BinanceReader.Placed(j, order), cancellationToken);
        await HeedClockAsync(answer, cancellationToken);
        return answer;
    }

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) =>
        SignedAsync(VenueRoute.Query, 4, HttpMethod.Get, "/api/v3/order", Of(symbol, order), j => Asked(BinanceReader.Order(j), symbol, order), cancellationToken);

    public Task<VenueAnswer<OrderReport>> FindOrderAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) =>
        SignedAsync(
            VenueRoute.Query, 4, HttpMethod.Get, "/api/v3/order", $"symbol={symbol.Value}&orderId={Uri.EscapeDataString(venueOrderId)}",
            j => BinanceReader.Order(j) is { } report && report.VenueOrderId == venueOrderId && report.Symbol == symbol ? report : throw new BadAnswerException($"it speaks of another order than {venueOrderId}"),
            cancellationToken);

    public Task<VenueAnswer<OrderReport>> CancelAsync(Symbol symbol, ClientOrderId order, CancellationToken cancellationToken = default) =>
        SignedAsync(VenueRoute.Cancel, 1, HttpMethod.Delete, "/api/v3/order", Of(symbol, order), j => Asked(BinanceReader.Cancelled(j), symbol, order), cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(CancellationToken cancellationToken = default) => ListOpenOrdersAsync(VenueRoute.Query, 80, "", cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(Symbol symbol, CancellationToken cancellationToken = default) => ListOpenOrdersAsync(VenueRoute.Query, symbol, cancellationToken);

    public Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersForEntryAsync(Symbol symbol, CancellationToken cancellationToken = default) =>
        ListOpenOrdersAsync(VenueRoute.QueryForEntry, symbol, cancellationToken);

    private async Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(VenueRoute route, Symbol symbol, CancellationToken cancellationToken) =>
        Map(await ListOpenOrdersAsync(route, 6, $"symbol={symbol.Value}", cancellationToken), IReadOnlyList<OrderReport> (orders) => [.. orders.Where(o => o.Symbol == symbol)]);

    private Task<VenueAnswer<IReadOnlyList<OrderReport>>> ListOpenOrdersAsync(VenueRoute route, int weight, string parameters, CancellationToken cancellationToken) =>
        ListAsync(route, weight, "/api/v3/openOrders", parameters, body => listing.Read(body, "open order", BinanceReader.Order, j => j.Text("clientOrderId")), cancellationToken);

    public async Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, string venueOrderId, CancellationToken cancellationToken = default) =>
        Map(
            await ListFillsAsync(symbol, 5, $"&orderId={Uri.EscapeDataString(venueOrderId)}", $"&orderId={Uri.EscapeDataString(venueOrderId)}", $"order {venueOrderId}", cancellationToken),
            IReadOnlyList<FillReport> (fills) => [.. fills.Where(f => f.VenueOrderId == venueOrderId)]);

    /// <summary>The first page goes by the time; each further one by the number after the last, which the venue does not take together with a time.</summary>
    public Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, DateTimeOffset since, CancellationToken cancellationToken = default) =>
        ListFillsAsync(symbol, 20, string.Create(CultureInfo.InvariantCulture, $"&startTime={since.ToUnixTimeMilliseconds()}"), "", $"{symbol} since {since:O}", cancellationToken);

    private async Task<VenueAnswer<IReadOnlyList<FillReport>>> ListFillsAsync(Symbol symbol, int weight, string firstPage, string everyOther, string what, CancellationToken cancellationToken)
    {
        var all = new List<FillReport>();
        var names = new List<string>();
        var (filter, passedOver) = (firstPage, 0);
        for (var page = 0; page < FillPagesMax; page++)
        {
            var answer = await SignedAsync(
                VenueRoute.Query, weight, HttpMethod.Get, "/api/v3/myTrades", $"symbol={symbol.Value}{filter}&limit={FillPage}",
                (ReadOnlyMemory<byte> body) => listing.Read(body, "fill", BinanceReader.Fill, j => j.Id("orderId")), cancellationToken);
            if (answer is not VenueAnswer<Listed<FillReport>>.Said { Value: var fills })
                return Map(answer, IReadOnlyList<FillReport> (f) => f);
            var count = fills.Count + fills.PassedOver;
            all.AddRange(fills.Where(f => f.Symbol == symbol));
            passedOver += fills.PassedOver;
            names.AddRange(fills.Names);
            if (count < FillPage)
                return new VenueAnswer<IReadOnlyList<FillReport>>.Said([.. all.DistinctBy(f => f.FillId)], passedOver, names);
            if (fills.Count == 0)
                return new VenueAnswer<IReadOnlyList<FillReport>>.Unknown($"a page of {count} fills, none of which makes sense");
            filter = string.Create(CultureInfo.InvariantCulture, $"{everyOther}&fromId={fills.Max(f => long.Parse(f.FillId, CultureInfo.InvariantCulture)) + 1}");
        }
        return new VenueAnswer<IReadOnlyList<FillReport>>.Unknown($"there are more than {FillPage * FillPagesMax} fills of {what}");
    }

    public Task<VenueAnswer<IReadOnlyList<Balance>>> ReadBalancesAsync(CancellationToken cancellationToken = default) =>
        ListAsync(VenueRoute.Account, 20, "/api/v3/account", "omitZeroBalances=true", VenueHttp.Whole(j => listing.Read(j.Need("balances"), "balance", BinanceReader.Balance, b => b.Text("asset"))), cancellationToken);

    public string? LiveBar => IsPaper ? null : key.Bar;

    public async Task<VenueAnswer<KeyPermissions>> ReadPermissionsAsync(CancellationToken cancellationToken = default)
    {
        var answer = await SignedAsync(VenueRoute.Account, 1, HttpMethod.Get, "/sapi/v1/account/apiRestrictions", "", BinanceReader.Permissions, cancellationToken);
        key.Heard(answer);
        return answer;
    }

    private async Task<VenueAnswer<IReadOnlyList<T>>> ListAsync<T>(VenueRoute route, int weight, string path, string parameters, Func<ReadOnlyMemory<byte>, Listed<T>> read, CancellationToken cancellationToken) =>
        await SignedAsync(route, weight, HttpMethod.Get, path, parameters, read, cancellationToken) switch
        {
            VenueAnswer<Listed<T>>.Said { Value: var list } => new VenueAnswer<IReadOnlyList<T>>.Said(list, list.PassedOver, list.Names),
            var other => Map(other, IReadOnlyList<T> (list) => list),
        };

    private Task<VenueAnswer<T>> SignedAsync<T>(VenueRoute route, int weight, HttpMethod method, string path, string parameters, Func<JsonElement, T> read, CancellationToken cancellationToken) =>
        SignedAsync(route, weight, method, path, parameters, VenueHttp.Whole(read), cancellationToken);

    private async Task<VenueAnswer<T>> SignedAsync<T>(
        VenueRoute route, int weight, HttpMethod method, string path, string parameters, Func<ReadOnlyMemory<byte>, T> read, CancellationToken cancellationToken)
    {
        if (Now is null)
            await MeasureClockAsync(cancellationToken);
        if (Now is not { } now)
            return new VenueAnswer<T>.NotSent("the venue's clock is not known", null);
        var stamped = string.Create(CultureInfo.InvariantCulture, $"{parameters}{(parameters.Length > 0 ? "&" : "")}recvWindow={QueryWindow}&timestamp={now.ToUnixTimeMilliseconds()}");
        var answer = await http.SendAsync(route, weight, method, path, stamped, isSigned: true, read, cancellationToken);
        await HeedClockAsync(answer, cancellationToken);
        return answer;
    }

    /// <summary>Who signs with a wrong time is told so; the next attempt shall not be.</summary>
    private async Task HeedClockAsync<T>(VenueAnswer<T> answer, CancellationToken cancellationToken)
    {
        if (answer is VenueAnswer<T>.Refused { Refusal: Refusal.OutOfWindow })
            await MeasureClockAsync(cancellationToken);
    }

    private static string Parameters(VenueOrder order)
    {
        var (type, text) = (TypeOf(order), new StringBuilder(256));
        text.Append(CultureInfo.InvariantCulture, $"symbol={order.Symbol.Value}&side={(order.Side == Side.Buy ? "BUY" : "SELL")}&type={type}");
        if (order.Kind == OrderKind.Limit)
            text.Append(CultureInfo.InvariantCulture, $"&timeInForce=GTC&price={order.Limit!.Value}");
        if (order.Trigger is { } trigger)
            text.Append(CultureInfo.InvariantCulture, $"&stopPrice={trigger}");
        text.Append(CultureInfo.InvariantCulture, $"&quantity={order.Quantity}&newClientOrderId={Uri.EscapeDataString(order.Id.Value)}&newOrderRespType=FULL");
        text.Append(CultureInfo.InvariantCulture, $"&recvWindow={(long)order.Window.TotalMilliseconds}&timestamp={order.SignedAt.ToUnixTimeMilliseconds()}");
        return text.ToString();
    }

    private static VenueRoute RouteOf(VenueOrder order) => !order.ReduceOnly ? VenueRoute.Entry : order.Trigger is null ? VenueRoute.Exit : VenueRoute.Stop;

    private static string TypeOf(VenueOrder order) => (order.Kind, order.Trigger) switch
    {
        (OrderKind.Market, null) => "MARKET",
        (OrderKind.Limit, null) => "LIMIT",
        (OrderKind.Market, _) => "STOP_LOSS",
        (OrderKind.Limit, _) => "STOP_LOSS_LIMIT",
        _ => throw new ArgumentException($"{order.Kind} is no kind of order.", nameof(order)),
    };

    private static string Of(Symbol symbol, ClientOrderId order) => $"symbol={symbol.Value}&origClientOrderId={Uri.EscapeDataString(order.Value)}";

    private static OrderReport Asked(OrderReport report, Symbol symbol, ClientOrderId order) =>
        report.Id == order && report.Symbol == symbol ? report : throw new BadAnswerException($"it speaks of {report.Id} {report.Symbol}");

    private (IReadOnlyList<SymbolRules> Rules, VenueLimits Limits) ReadRules(JsonElement json)
    {
        var limits = listing.Read(json.Need("rateLimits"), "rate limit", BinanceReader.Limit);
        var rules = listing.Read(json.Need("symbols"), "symbol", BinanceReader.Rules).OfType<SymbolRules>().ToList();
        return (rules, new VenueLimits(Find("REQUEST_WEIGHT 1 MINUTE"), Find("ORDERS 10 SECOND"), Find("ORDERS 1 DAY")));

        long? Find(string of) => limits.Where(l => l.Of == of).Select(l => (long?)l.Limit).FirstOrDefault();
    }

    private static VenueAnswer<TTo> Map<TFrom, TTo>(VenueAnswer<TFrom> answer, Func<TFrom, TTo> map) => answer switch
    {
        VenueAnswer<TFrom>.Said said => new VenueAnswer<TTo>.Said(map(said.Value), said.PassedOver, said.Names),
        VenueAnswer<TFrom>.Refused refused => new VenueAnswer<TTo>.Refused(refused.Refusal, refused.Code, refused.Text, refused.RetryAfter),
        VenueAnswer<TFrom>.Unknown unknown => new VenueAnswer<TTo>.Unknown(unknown.Text),
        VenueAnswer<TFrom>.NotSent notSent => new VenueAnswer<TTo>.NotSent(notSent.Text, notSent.RetryAfter),
        _ => throw new InvalidOperationException("An answer is one of four."),
    };
}
