using System.Security.Cryptography;
using System.Text;
using Antbot.PaperVenue;

namespace Antbot.Benchmarks.Venue;

/// <summary>Sends small market orders, signed as any client signs.</summary>
internal sealed class OrderClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly byte[] _secret;

    public OrderClient(Uri address, ApiKey key, int connections)
    {
        _http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = connections, UseProxy = false }) { BaseAddress = address };
        _http.DefaultRequestHeaders.Add("X-MBX-APIKEY", key.Key);
        _secret = Encoding.UTF8.GetBytes(key.Secret);
    }

    public async Task OrderAsync()
    {
        var query = $"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.0001&newOrderRespType=RESULT&timestamp={DateTimeOffset.UtcNow.ToUnixTimeMilliseconds()}";
        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(_secret, Encoding.UTF8.GetBytes(query)));
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v3/order?{query}&signature={signature}");
        using var response = await _http.SendAsync(request);
        if (!response.IsSuccessStatusCode)
            throw new InvalidOperationException(await response.Content.ReadAsStringAsync());
        await response.Content.CopyToAsync(Stream.Null);
    }

    public void Dispose() => _http.Dispose();
}
