using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Support;
using Antbot.Integration.Tests.Venues.Conformance;
using Antbot.Resilience;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Antbot.Venues.Recording;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;
using VenueStream = Antbot.Venues.VenueStream;

namespace Antbot.Integration.Tests.Venues.Recordings;

/// <summary>The adapter over real HTTP and WebSockets against the paper venue, with all that goes wrong, and what the recording says of it afterwards.</summary>
public sealed class RecordedVenueTests : IAsyncLifetime
{
    private static readonly Symbol Btc = new("BTCUSDT");
    private static readonly TradeId Trade = new(Guid.Parse("0123456789abcdef0123456789abcdef"));
    private static readonly ClientOrderId Entry = ClientOrderId.Of(Trade, OrderRole.Entry, 0);

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-recorded-").FullName;
    private RunningVenue _server = null!;
    private VenueFront _front = null!;
    private Recorded _recorded = null!;
    private readonly List<string> _signatures = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _server = await RunningVenue.StartAsync(o => o with { Deposits = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "100000", ["BTC"] = "10" } });
        _front = await VenueFront.StartAsync(PassOnAsync);
        _recorded = new Recorded(_front.Address, _server.Server, _folder);
        Assert.IsType<VenueAnswer<DateTimeOffset>.Said>(await _recorded.Venue.MeasureClockAsync(Cancel));
    }

    public async ValueTask DisposeAsync()
    {
        await _recorded.DisposeAsync();
        await _front.DisposeAsync();
        await _server.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Everything_that_was_said_of_an_order_is_found_by_its_id_and_by_its_trade()
    {
        var placed = Said(await _recorded.Venue.PlaceAsync(Order(Entry), Cancel));
        Said(await _recorded.Venue.PlaceAsync(Order(new ClientOrderId("another")), Cancel));
        Said(await _recorded.Venue.FindOrderAsync(Btc, Entry, Cancel));
        Assert.IsType<VenueAnswer<IReadOnlyList<FillReport>>.Said>(await _recorded.Venue.ListFillsAsync(Btc, placed.VenueOrderId, Cancel));
        await _recorded.DisposeAsync();
        foreach (var query in new[] { Everything with { Order = Entry.Value }, Everything with { Trade = Trade.Value }, Everything with { Trade = Trade.Value[..6] } })
        {
            var of = Read(query);
            Assert.Equal(["POST /api/v3/order", "GET /api/v3/order", "GET /api/v3/myTrades"], of.Select(r => $"{r.Method} {r.Path}"));
            Assert.Equal(["entry", "query", "query"], of.Select(r => r.Route));
            Assert.All(of, r => Assert.Equal((200, "said", "BTCUSDT"), (r.Status, r.Outcome, r.Symbol)));
            Assert.All(of.Take(2), r => Assert.Equal((Entry.Value, Trade.Value), (r.Order, r.Trade)));
            Assert.All(of, r => Assert.InRange(r.Microseconds!.Value, 1, 60_000_000));
            Assert.StartsWith("symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01", of[0].Parameters, StringComparison.Ordinal);
            // Byte for byte what the venue has said.
            Assert.Equal(placed.VenueOrderId, System.Text.Json.JsonDocument.Parse(of[0].Body!.Text).RootElement.GetProperty("orderId").GetRawText());
        }
        Assert.Empty(Read(Everything with { Trade = "fedc" }));
        Assert.Equal(["another"], Read(Everything with { Order = "another" }).Where(r => r.Order is not null).Select(r => r.Order));
        Assert.Contains(Read(Everything), r => r.Path == "/api/v3/time");
        Assert.DoesNotContain(Read(Everything with { Symbol = "BTCUSDT" }), r => r.Path == "/api/v3/time");
    }

    [Fact]
    public async Task What_went_wrong_is_there_with_what_we_took_it_for()
    {
        Assert.IsType<VenueAnswer<OrderReport>.Refused>(await _recorded.Venue.FindOrderAsync(Btc, new ClientOrderId("nobody"), Cancel));
        _front.Instead(async (_, context) =>
        {
            context.Response.ContentLength = 1_000;
            await context.Response.WriteAsync("{\"half\":", Cancel);
            await context.Response.Body.FlushAsync(Cancel);
            // What was said shall have been heard.
            await Task.Delay(200, Cancel);
            context.Abort();
            return true;
        });
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _recorded.Venue.PlaceAsync(Order(new ClientOrderId("half")), Cancel));
        _front.Answer("POST", "/api/v3/order", FrontReply.Of(503, "<html>away</html>"));
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _recorded.Venue.PlaceAsync(Order(new ClientOrderId("away")), Cancel));
        _front.Instead(async (_, context) =>
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            return true;
        });
        using var hurry = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _recorded.Venue.PlaceAsync(Order(new ClientOrderId("stopped")), hurry.Token));
        Assert.IsType<VenueAnswer<OrderReport>.Unknown>(await _recorded.Venue.PlaceAsync(Order(new ClientOrderId("silent")), Cancel));
        _front.BeHonest();
        await _recorded.DisposeAsync();
        Assert.StartsWith("refused (UnknownOrder): -2013", One("nobody").Outcome, StringComparison.Ordinal);
        Assert.Equal((200, "{\"half\":", 8), (One("half").Status, One("half").Body!.Text, One("half").Body!.Length));
        Assert.StartsWith("unknown: the connection broke", One("half").Outcome, StringComparison.Ordinal);
        Assert.Equal((503, "<html>away</html>"), (One("away").Status, One("away").Body!.Text));
        Assert.StartsWith("given up: ", One("stopped").Outcome, StringComparison.Ordinal);
        Assert.Equal((null, "unknown: no answer within 3000 ms"), (One("silent").Status, One("silent").Outcome));

        TrafficRecord One(string order) => Assert.Single(Read(Everything with { Order = order }));
    }

    [Fact]
    public async Task What_the_market_says_is_there_and_when_its_stream_breaks()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var prices = _recorded.Market.FollowPricesAsync([Btc], stop.Token);
        var candles = 0;
        await foreach (var _ in _recorded.Market.FollowCandlesAsync([Btc], TimeSpan.FromSeconds(1), Cancel))
        {
            if (++candles == 2)
                break;
        }
        await Eventually.HoldsAsync(() => _recorded.Market.Latest(Btc) is not null, "a price was heard");
        await stop.CancelAsync();
        await prices.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        await _recorded.DisposeAsync();
        var all = Read(Everything with { Symbol = "BTCUSDT" }).Where(r => r.Kind == TrafficKind.Heard).ToList();
        Assert.Contains(all, r => r.Stream == "btcusdt@bookTicker" && r.Body!.Text.Contains("\"u\":", StringComparison.Ordinal));
        Assert.Contains(all, r => r.Stream == "btcusdt@kline_1s" && r.Body!.Text.Contains("\"x\":true", StringComparison.Ordinal));
        Assert.Contains(Read(Everything), r => r.Kind == TrafficKind.Stream && r.Text == $"connected to {_server.Server.Address.Authority}");
    }

    /// <summary>A venue, or a proxy before it, that says back whatever it was sent, in every place and form that there is.</summary>
    [Fact]
    public async Task No_secret_is_in_any_file_whatever_the_venue_says()
    {
        var (key, secret) = (_server.Server.Key.Key, _server.Server.Key.Secret);
        const string listen = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1";
        Said(await _recorded.Venue.PlaceAsync(Order(Entry), Cancel));
        foreach (var status in new[] { 200, 400, 401, 500 })
        {
            foreach (var form in new Func<FrontRequest, string>[]
            {
                r => $$"""{"code":-1022,"msg":"signature of {{r.Query}} by {{r.ApiKey}} is not that of {{secret}}"}""",
                r => $"<html>X-MBX-APIKEY: {r.ApiKey}\n https://me:{secret}@host/api/v3/order?{r.Query}</html>",
                r => Uri.EscapeDataString($"?{r.Query}&apiKey={r.ApiKey}&secret={secret}&listenKey={listen}"),
                r => $$"""{"listenKey":"{{listen}}","echo":"{\"apiKey\":\"{{r.ApiKey}}\",\"signature\":\"{{r["signature"]}}\"}"}""",
                r => new string('x', 900) + r.ApiKey + secret + r["signature"],
            })
            {
                // One of its own for each: whoever hears nothing but this soon asks no more.
                await using var one = new Recorded(_front.Address, _server.Server, _folder);
                _front.BeHonest();
                await one.Venue.MeasureClockAsync(Cancel);
                _front.Instead(async (request, context) =>
                {
                    await VenueFront.WriteAsync(context, FrontReply.Of(status, form(request)));
                    return true;
                });
                await one.Venue.FindOrderAsync(Btc, Entry, Cancel);
                await one.Venue.PlaceAsync(Order(Entry), Cancel);
            }
        }
        _recorded.Recorder.Stream($"wss://host/ws?listenKey={listen}", $"broken: wss://{key}:{secret}@host/stream?token={listen} does not answer");
        _recorded.Recorder.Heard("btcusdt@bookTicker", Encoding.UTF8.GetBytes($$"""{"listenKey":"{{listen}}","key":"{{key}}"}"""), keep: true);
        await _recorded.DisposeAsync();

        _signatures.AddRange(_front.Asked.Select(r => r["signature"]).Where(s => s.Length > 0));
        Assert.InRange(_signatures.Count, 40, 1_000);
        var bytes = Directory.EnumerateFiles(_folder).SelectMany(Unpacked).ToList();
        var text = string.Concat(bytes);
        Assert.Contains("is not that of ***", text, StringComparison.Ordinal);
        Assert.Contains(Entry.Value, text, StringComparison.Ordinal);
        Assert.All(_signatures.Distinct().Append(key).Append(secret).Append(listen), s => Assert.DoesNotContain(s[..12], text, StringComparison.OrdinalIgnoreCase));
    }

    /// <summary>With its folder in nobody's reach an order takes no longer and none is lost.</summary>
    [Fact]
    public async Task An_order_does_not_wait_for_a_recording_that_cannot_be_written()
    {
        await using var stuck = new Recorded(_front.Address, _server.Server, Path.Combine(_folder, "file"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "file"), "in the way", Cancel);
        Said(await stuck.Venue.PlaceAsync(Order(new ClientOrderId("stuck-0")), Cancel));
        Assert.False(stuck.Recorder.Flush());
        for (var i = 1; i <= 20; i++)
            Said(await stuck.Venue.PlaceAsync(Order(new ClientOrderId($"stuck-{i}")), Cancel));
        Assert.NotNull(stuck.Recorder.Trouble);
    }

    private static RecordingQuery Everything { get; } = new(null, null, null, null, null, null, RecordingQuery.LimitMax);

    private static IEnumerable<string> Unpacked(string file)
    {
        using var stream = File.OpenRead(file);
        var (state, raw, next) = Frame.Read(stream, 0);
        while (state == FrameState.Whole)
        {
            yield return Encoding.UTF8.GetString(raw);
            (state, raw, next) = Frame.Read(stream, next);
        }
        Assert.Equal(FrameState.End, state);
    }

    private List<TrafficRecord> Read(RecordingQuery query) => [.. new RecordingReader(_folder).Read(query, Cancel).Records.Select(r => r.Record)];

    private VenueOrder Order(ClientOrderId id) => new(
        id, Btc, Side.Buy, OrderKind.Market, new Quantity(0.01m), null, null, DateTimeOffset.FromUnixTimeMilliseconds(_recorded.Venue.Now!.Value.ToUnixTimeMilliseconds()), TimeSpan.FromSeconds(5), ReduceOnly: false);

    private static T Said<T>(VenueAnswer<T> answer) => Assert.IsType<VenueAnswer<T>.Said>(answer).Value;

    private async Task<FrontReply> PassOnAsync(FrontRequest request)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var isPost = request.Method == "POST";
        using var message = new HttpRequestMessage(new HttpMethod(request.Method), new Uri(_server.Server.Address, isPost || request.Query.Length == 0 ? request.Path : $"{request.Path}?{request.Query}"));
        if (isPost)
            message.Content = new StringContent(request.Query, Encoding.UTF8, "application/x-www-form-urlencoded");
        message.Headers.Add("X-MBX-APIKEY", request.ApiKey);
        using var response = await http.SendAsync(message);
        return new FrontReply((int)response.StatusCode, await response.Content.ReadAsByteArrayAsync());
    }

    /// <summary>A process's adapter with its recorder.</summary>
    private sealed class Recorded : IAsyncDisposable
    {
        private readonly BreakerPanel _breakers = new();
        private readonly RequestBudget _budget;
        private readonly VenueHttp _http;
        private bool _ended;

        public Recorded(Uri address, Antbot.PaperVenue.PaperVenueServer server, string folder)
        {
            var options = new VenueOptions { Address = address, StreamAddress = new UriBuilder(server.Address) { Scheme = "ws" }.Uri, Key = server.Key.Key, Secret = server.Key.Secret, Paper = true, TimeoutMilliseconds = 3_000 };
            var (clock, listing) = (new VenueClock(TimeProvider.System), new Listing(options, NullLogger<Listing>.Instance));
            Recorder = new TrafficRecorder(
                new RecordingOptions { Folder = folder, FreeMegabytes = 0, AnswerBytes = 1_000 }, new RecordingFile(default, "execution", "execution", "0123abcd", 0), "build", [options.Key, options.Secret], TimeProvider.System, NullLogger.Instance);
            _budget = new RequestBudget(options, new LocalVenueBudget(TimeProvider.System), clock, TimeProvider.System, NullLogger.Instance);
            _http = new VenueHttp(options, _breakers, _budget, TimeProvider.System, NullLogger.Instance, recorder: Recorder);
            Venue = new BinanceVenue(options, _http, _budget, clock, new KeyWatch(TimeProvider.System), listing, TimeProvider.System);
            Market = new BinanceMarketData(
                _http, new VenueStream(options, _budget, new StreamWatch(TimeProvider.System, NullLogger<StreamWatch>.Instance), TimeProvider.System, Recorder), Venue, listing, TimeProvider.System, NullLogger<BinanceMarketData>.Instance);
        }

        public TrafficRecorder Recorder { get; }

        public IVenue Venue { get; }

        public IMarketData Market { get; }

        public ValueTask DisposeAsync()
        {
            if (_ended)
                return ValueTask.CompletedTask;
            _ended = true;
            _http.Dispose();
            _budget.Dispose();
            _breakers.Dispose();
            Recorder.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
