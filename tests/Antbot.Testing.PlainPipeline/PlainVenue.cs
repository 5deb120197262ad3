using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;

namespace Antbot.Testing.PlainPipeline;

/// <param name="BaseFee">What the venue took of the asset bought.</param>
public sealed record PlacedOrder(string OrderId, decimal Executed, decimal Cost, decimal BaseFee, DateTimeOffset At)
{
    public decimal Average => Cost / Executed;
}

/// <summary>Signed requests to the venue and their answers, with nothing around them: no breaker, no budget, no way back from a fault.</summary>
public sealed class PlainVenue : IDisposable
{
    private readonly HttpClient _http;
    private readonly byte[] _secret;
    private readonly Lazy<Task<IReadOnlyDictionary<string, (decimal Step, decimal Tick)>>> _rules;

    public PlainVenue(Uri address, string key, string secret)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 128, UseProxy = false }) { BaseAddress = address };
        _http.DefaultRequestHeaders.Add("X-MBX-APIKEY", key);
        _secret = Encoding.UTF8.GetBytes(secret);
        _rules = new(ReadRulesAsync);
    }

    public async Task<PlacedOrder> BuyAsync(Symbol symbol, ClientOrderId id, Money most, Price reference)
    {
        var (step, _) = (await _rules.Value)[symbol.Value];
        return await PlaceAsync(symbol, "BUY", Floor(most.Value / (reference.Value * 1.005m), step), id);
    }

    public async Task<PlacedOrder> SellAsync(Symbol symbol, ClientOrderId id, decimal held) => await PlaceAsync(symbol, "SELL", Floor(held, (await _rules.Value)[symbol.Value].Step), id);

    public async Task PlaceStopAsync(Symbol symbol, ClientOrderId id, decimal held, decimal average)
    {
        var (step, tick) = (await _rules.Value)[symbol.Value];
        await AskAsync(HttpMethod.Post, "/api/v3/order", $"symbol={symbol}&side=SELL&type=STOP_LOSS&quantity={Text(Floor(held, step))}&stopPrice={Text(Floor(average * 0.98m, tick))}&newClientOrderId={id}&newOrderRespType=FULL");
    }

    public Task CancelAsync(Symbol symbol, ClientOrderId id) => AskAsync(HttpMethod.Delete, "/api/v3/order", $"symbol={symbol}&origClientOrderId={id}");

    public async Task<string> FindAsync(Symbol symbol, ClientOrderId id)
    {
        var order = await AskAsync(HttpMethod.Get, "/api/v3/order", $"symbol={symbol}&origClientOrderId={id}");
        return $"{id} is the venue's order {order.GetProperty("orderId").GetInt64()}: {order.GetProperty("status").GetString()}, executed {order.GetProperty("executedQty").GetString()} for {order.GetProperty("cummulativeQuoteQty").GetString()}";
    }

    public void Dispose() => _http.Dispose();

    private async Task<PlacedOrder> PlaceAsync(Symbol symbol, string side, decimal quantity, ClientOrderId id)
    {
        var order = await AskAsync(HttpMethod.Post, "/api/v3/order", $"symbol={symbol}&side={side}&type=MARKET&quantity={Text(quantity)}&newClientOrderId={id}&newOrderRespType=FULL");
        var baseFee = order.GetProperty("fills").EnumerateArray()
            .Where(f => symbol.Value.StartsWith(f.GetProperty("commissionAsset").GetString()!, StringComparison.Ordinal)).Sum(f => f.GetProperty("commission").GetDecimalText());
        return new PlacedOrder(
            order.GetProperty("orderId").GetInt64().ToString(CultureInfo.InvariantCulture), order.GetProperty("executedQty").GetDecimalText(), order.GetProperty("cummulativeQuoteQty").GetDecimalText(), baseFee,
            DateTimeOffset.FromUnixTimeMilliseconds(order.GetProperty("transactTime").GetInt64()));
    }

    private async Task<IReadOnlyDictionary<string, (decimal Step, decimal Tick)>> ReadRulesAsync()
    {
        var info = await AskAsync(HttpMethod.Get, "/api/v3/exchangeInfo", parameters: null);
        return info.GetProperty("symbols").EnumerateArray().ToDictionary(
            s => s.GetProperty("symbol").GetString()!, s => (Filter(s, "LOT_SIZE", "stepSize"), Filter(s, "PRICE_FILTER", "tickSize")), StringComparer.Ordinal);

        static decimal Filter(JsonElement symbol, string filter, string field) =>
            symbol.GetProperty("filters").EnumerateArray().First(f => f.GetProperty("filterType").GetString() == filter).GetProperty(field).GetDecimalText();
    }

    /// <param name="parameters">Null for what needs no signature.</param>
    private async Task<JsonElement> AskAsync(HttpMethod method, string path, string? parameters)
    {
        var query = "";
        if (parameters is not null)
        {
            query = $"{parameters}&timestamp={DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}&recvWindow=5000";
            query = $"{query}&signature={Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(query)))}";
        }
        using var request = method == HttpMethod.Post
            ? new HttpRequestMessage(method, path) { Content = new StringContent(query, Encoding.UTF8, "application/x-www-form-urlencoded") }
            : new HttpRequestMessage(method, query.Length == 0 ? path : $"{path}?{query}");
        using var response = await _http.SendAsync(request);
        var body = await response.Content.ReadAsByteArrayAsync();
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException($"{method} {path}: {(int)response.StatusCode} {Encoding.UTF8.GetString(body)}");
        return JsonElement.Parse(body);
    }

    private static decimal Floor(decimal value, decimal step) => Math.Floor(value / step) * step;

    private static string Text(decimal value) => value.ToString("0.########", CultureInfo.InvariantCulture);
}

internal static class JsonNumbers
{
    /// <summary>The venue writes amounts as text.</summary>
    public static decimal GetDecimalText(this JsonElement element) => decimal.Parse(element.GetString()!, CultureInfo.InvariantCulture);
}
