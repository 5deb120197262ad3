using System.Net.WebSockets;
using Antbot.Contracts;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.PaperVenue;

namespace Antbot.Integration.Tests.Venues.Conformance;

/// <summary>The paper venue behind the front.</summary>
internal sealed class PaperStage : IVenueStage
{
    private readonly RunningVenue _venue;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false });

    private PaperStage(RunningVenue venue) => _venue = venue;

    public VenueFront Front { get; private set; } = null!;

    public string Key => _venue.Server.Key.Key;

    public string Secret => _venue.Server.Key.Secret;

    public static async Task<PaperStage> StartAsync()
    {
        var stage = new PaperStage(await RunningVenue.StartAsync(o => o with { Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "100000", ["BTC"] = "10" } }));
        Done(await stage._venue.Client.AdminAsync(HttpMethod.Post, "/admin/market", new { symbol = "BTCUSDT", price = "65000" }));
        stage.Front = await VenueFront.StartAsync(stage.PassOnAsync, stage.SpeakAsync);
        return stage;
    }

    public async Task SetClockOffAsync(TimeSpan by) => Done(await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/clock", new { ms = (long)by.TotalMilliseconds }));

    public async Task FillInPartsAsync(ClientOrderId order, int parts)
    {
        var opened = await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/accounts", new { name = "counterpart", deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "1000000" } });
        Done(opened);
        using var other = new VenueClient(_venue.Server.Address, new ApiKey("counterpart", opened["apiKey"], opened["apiSecret"]));
        await Parallel.ForAsync(0, parts, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (_, _) => Done(await other.BuyAsync("0.0001")));
    }

    public async Task<(string Key, string Secret)> NewKeyAsync(bool mayWithdraw)
    {
        var made = await _venue.Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", permissions = mayWithdraw ? new[] { "read", "trade", "withdraw" } : ["read", "trade"] });
        Done(made);
        return (made["apiKey"], made["apiSecret"]);
    }

    public async ValueTask DisposeAsync()
    {
        await Front.DisposeAsync();
        _http.Dispose();
        await _venue.DisposeAsync();
    }

    private static void Done(Answer answer) => Xunit.Assert.True(answer.Status == 200, $"{answer.Status}: {answer.Json}");

    private async Task SpeakAsync(string streams, WebSocket to, CancellationToken cancellationToken)
    {
        using var from = new ClientWebSocket();
        await from.ConnectAsync(new UriBuilder(_venue.Server.Address) { Scheme = "ws", Path = "/stream", Query = $"streams={streams}" }.Uri, cancellationToken);
        var buffer = new byte[64 * 1024];
        while (await from.ReceiveAsync(buffer.AsMemory(), cancellationToken) is { MessageType: WebSocketMessageType.Text } got)
            await to.SendAsync(buffer.AsMemory(0, got.Count), WebSocketMessageType.Text, got.EndOfMessage, cancellationToken);
    }

    private async Task<FrontReply> PassOnAsync(FrontRequest request)
    {
        var isPost = request.Method == "POST";
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), new Uri(_venue.Server.Address, isPost || request.Query.Length == 0 ? request.Path : $"{request.Path}?{request.Query}"));
        if (isPost)
            message.Content = new StringContent(request.Query, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded");
        if (request.ApiKey is { } key)
            message.Headers.Add("X-MBX-APIKEY", key);
        using var response = await _http.SendAsync(message);
        var headers = response.Headers.Where(h => h.Key.StartsWith("X-MBX", StringComparison.OrdinalIgnoreCase) || h.Key == "Retry-After").ToDictionary(h => h.Key, h => h.Value.First(), StringComparer.Ordinal);
        return new FrontReply((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync()) { Headers = headers };
    }
}
