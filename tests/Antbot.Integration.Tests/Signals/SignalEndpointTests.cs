using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Integration.Tests.Sqlite;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Antbot.Signals;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Webhook;
using Xunit;

namespace Antbot.Integration.Tests.Signals;

public sealed class SignalEndpointTests : IDisposable
{
    private readonly SqliteFolder _folder = new();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_signal_is_recorded_answered_with_its_trade_and_told_to_the_coordinator()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var answer = await process.PostAsync(SignalProcess.Body());
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
        var trade = await SignalProcess.TradeOf(answer);
        var recorded = await RecordedAsync(process, trade);
        Assert.Equal((trade, Side.Buy, "webhook:default"), (recorded.Signal.Trade, recorded.Signal.Side, recorded.Signal.Source));
        await Eventually.HoldsAsync(() => process.Coordinator.Taken.Count == 1, "the Coordinator is told");
        var (told, input) = process.Coordinator.Taken[0];
        Assert.Equal(recorded.Signal, told.Signal);
        Assert.Equal(trade.Value, input.CorrelationId);
    }

    [Fact]
    public async Task A_key_is_needed_and_both_ways_to_bear_it_are_good()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        foreach (var (header, value, status) in new (string, string?, HttpStatusCode)[]
        {
            ("X-Api-Key", null, HttpStatusCode.Unauthorized), ("X-Api-Key", "wrong-key-of-some-length", HttpStatusCode.Unauthorized), ("X-Api-Key", "", HttpStatusCode.Unauthorized),
            ("X-Api-Key", new string('k', 5_000), HttpStatusCode.Unauthorized), ("Authorization", "Basic YTpi", HttpStatusCode.Unauthorized),
            ("Authorization", "Bearer wrong-key-of-some-length", HttpStatusCode.Unauthorized), ("Authorization", $"Bearer {SignalProcess.Key}", HttpStatusCode.Accepted), ("X-Api-Key", SignalProcess.Key, HttpStatusCode.Accepted),
        })
        {
            using var client = new HttpClient { BaseAddress = process.Client.BaseAddress };
            if (value is not null)
                client.DefaultRequestHeaders.TryAddWithoutValidation(header, value);
            using var content = new StringContent(SignalProcess.Body(), Encoding.UTF8, "application/json");
            using var answer = await client.PostAsync("/signals", content, Cancel);
            Assert.True(answer.StatusCode == status, $"{header}: {value?[..Math.Min(20, value.Length)]} gave {answer.StatusCode}");
            Assert.Equal(status == HttpStatusCode.Unauthorized, answer.Headers.WwwAuthenticate.Any());
        }
    }

    [Fact]
    public async Task Every_fault_of_a_body_is_in_the_answer()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var answer = await process.PostAsync("""{"symbol":"?","side":"up","price":"x","confidence":2}""");
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        using var document = JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel));
        Assert.Equal(["symbol", "side", "price", "confidence"], document.RootElement.GetProperty("faults").EnumerateArray().Select(f => f.GetString()!.Split(':')[0]));
    }

    /// <summary>A body with a fault of its own was once answered as if only the market were silent.</summary>
    [Theory]
    [InlineData("""{"symbol":"ETHUSDT","side":"buy"}""", HttpStatusCode.ServiceUnavailable)]
    [InlineData("""{"symbol":"ETHUSDT","side":"up"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"ETHUSDT","side":"up","price":100}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"ETHUSDT","side":"buy","price":"x"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"SHIBUSDT","side":"buy"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"ETHUSDT","side":"buy","price":100}""", HttpStatusCode.Accepted)]
    public async Task Where_only_the_markets_price_is_not_heard_yet_the_same_may_be_sent_again(string body, HttpStatusCode status)
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var answer = await process.PostAsync(body);
        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(status == HttpStatusCode.ServiceUnavailable, answer.Headers.RetryAfter is not null);
    }

    /// <summary>A price that is cut to nothing, and a profit beyond the end of the scale, were once answered with 500.</summary>
    [Theory]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":1e-20}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"ETHUSDT","side":"buy","price":"1e-20"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","notional":1e-20}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":1e400}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":NaN}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":"Infinity"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","source":"\ud800"}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","\udc00":1}""", HttpStatusCode.BadRequest)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","quantity":1000000000000}""", HttpStatusCode.Accepted)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","limit":1000000000000}""", HttpStatusCode.Accepted)]
    [InlineData("""{"symbol":"BTCUSDT","side":"sell","limit":1e-16}""", HttpStatusCode.Accepted)]
    public async Task Odd_numbers_and_texts_are_faults_or_signals(string body, HttpStatusCode status)
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var answer = await process.PostAsync(body);
        Assert.Equal(status, answer.StatusCode);
    }

    [Fact]
    public async Task The_same_key_and_body_is_the_same_trade_for_ever_and_another_body_is_a_conflict()
    {
        TradeId first;
        await using (var process = await SignalProcess.StartAsync(_folder, Cancel))
        {
            using var answer = await process.PostAsync(SignalProcess.Body("buy", "key-1"));
            first = await SignalProcess.TradeOf(answer);
            using var again = await process.PostAsync(SignalProcess.Body("buy", "key-1"));
            Assert.Equal((HttpStatusCode.Accepted, first), (again.StatusCode, await SignalProcess.TradeOf(again)));
        }
        await using (var process = await SignalProcess.StartAsync(_folder, Cancel))
        {
            using var again = await process.PostAsync(SignalProcess.Body("buy", "key-1"));
            Assert.Equal((HttpStatusCode.Accepted, first), (again.StatusCode, await SignalProcess.TradeOf(again)));
            using var other = await process.PostAsync(SignalProcess.Body("sell", "key-1"));
            Assert.Equal(HttpStatusCode.Conflict, other.StatusCode);
            Assert.Contains(first.Value, await other.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
            using var header = await process.PostAsync(SignalProcess.Body("buy"), "key-2");
            using var headerAgain = await process.PostAsync(SignalProcess.Body("buy"), "key-2");
            Assert.Equal(await SignalProcess.TradeOf(header), await SignalProcess.TradeOf(headerAgain));
            Assert.NotEqual(first, await SignalProcess.TradeOf(header));
            Assert.Equal(2, (await ReadAllAsync(process)).Count);
        }
    }

    /// <summary>A repetition was once judged anew: 400 where the price had moved, 503 where the market had become silent.</summary>
    [Theory]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":100}""", 90, "key-1")]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy","price":100}""", 90, null)]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy"}""", 0, "key-1")]
    [InlineData("""{"symbol":"BTCUSDT","side":"buy"}""", 0, null)]
    public async Task What_was_taken_stays_taken_however_the_market_stands_when_it_is_said_again(string body, int price, string? key)
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var first = await process.PostAsync(body, key);
        Assert.Equal(HttpStatusCode.Accepted, first.StatusCode);
        process.Market.Say(SignalProcess.Symbol, Math.Max(price, 1), price > 0 ? DateTimeOffset.UtcNow.AddMinutes(5) : DateTimeOffset.UtcNow.AddMinutes(-5));
        using var again = await process.PostAsync(body, key);
        Assert.Equal((HttpStatusCode.Accepted, await SignalProcess.TradeOf(first)), (again.StatusCode, await SignalProcess.TradeOf(again)));
        using var other = await process.PostAsync(body.Replace("buy", "sell", StringComparison.Ordinal), key);
        Assert.Equal(key is not null ? HttpStatusCode.Conflict : price > 0 ? HttpStatusCode.BadRequest : HttpStatusCode.ServiceUnavailable, other.StatusCode);
        Assert.Single(await ReadAllAsync(process));
    }

    [Fact]
    public async Task A_hundred_at_once_with_one_key_are_one_trade()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).SelectMany(_ => new[] { process.PostAsync(SignalProcess.Body("buy", "key-1")), process.PostAsync(SignalProcess.Body("sell")) }));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        Assert.Equal(2, (await Task.WhenAll(answers.Select(SignalProcess.TradeOf))).Distinct().Count());
        Assert.Equal(2, (await ReadAllAsync(process)).Count);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("application/json; charset=utf-16")]
    public async Task What_is_not_called_JSON_is_not_looked_at(string? contentType)
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var answer = await process.PostAsync(Encoding.UTF8.GetBytes(SignalProcess.Body()), contentType);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, answer.StatusCode);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_body_that_is_too_large_is_refused_whether_or_not_it_says_so(bool chunked)
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/signals") { Content = new ByteArrayContent(Padded(65_537)) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        request.Headers.TransferEncodingChunked = chunked;
        using var answer = await process.Client.SendAsync(request, Cancel);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
        using var largest = await process.PostAsync(Padded(65_536), "application/json");
        Assert.Equal(HttpStatusCode.Accepted, largest.StatusCode);
    }

    [Fact]
    public async Task Who_sends_too_much_is_told_when_to_come_again()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--signal:RatePerSecond=1", "--signal:Burst=3");
        var answers = new List<HttpResponseMessage>();
        for (var i = 0; i < 8; i++)
            answers.Add(await process.PostAsync(SignalProcess.Body(n: i)));
        Assert.All(answers[..3], a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        var refused = answers.Where(a => a.StatusCode == HttpStatusCode.TooManyRequests).ToList();
        Assert.NotEmpty(refused);
        Assert.All(refused, a => Assert.InRange(a.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2)));
    }

    [Fact]
    public async Task The_load_profile_lifts_the_rate_only_while_trading_is_dry()
    {
        string[] tight = ["--Profile=load", "--signal:RatePerSecond=1", "--signal:Burst=1"];
        await using (var dry = await SignalProcess.StartAsync(_folder, Cancel, tight))
        {
            await RefreshedAsync(dry);
            Assert.All(await Task.WhenAll(Enumerable.Range(0, 20).Select(i => dry.PostAsync(SignalProcess.Body(n: i)))), a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
            var live = ControlDecider.Decide(new SetTradingMode(TradingMode.Live, "test", "operator:test")).Single();
            await dry.Store.AppendAsync(
                new AppendRequest
                {
                    Stream = Streams.Control,
                    Expected = ExpectedVersion.Any,
                    Decision = new Decision(Guid.NewGuid(), "test"),
                    Events = [new EventCodec(EventRegistry.From(typeof(TradingModeSet).Assembly)).Encode(live)],
                    At = DateTimeOffset.UtcNow,
                },
                Cancel);
        }
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, tight);
        await RefreshedAsync(process);
        var answers = await Task.WhenAll(Enumerable.Range(100, 20).Select(i => process.PostAsync(SignalProcess.Body(n: i))));
        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.TooManyRequests);
    }

    [Fact]
    public async Task Beyond_the_bound_on_those_that_wait_the_rest_is_sent_away_and_nothing_accepted_is_lost()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--Profile=load", "--signal:AtOnce=1", "--signal:WaitingMax=4");
        await RefreshedAsync(process);
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(i => process.PostAsync(SignalProcess.Body(n: i))));
        var accepted = answers.Count(a => a.StatusCode == HttpStatusCode.Accepted);
        Assert.True(accepted >= 5, $"{accepted} accepted");
        Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.TooManyRequests, $"{a.StatusCode}"));
        Assert.Contains(answers, a => a.StatusCode == HttpStatusCode.TooManyRequests && a.Headers.RetryAfter is not null);
        Assert.Equal(accepted, (await ReadAllAsync(process)).Count);
    }

    [Fact]
    public async Task Five_thousand_at_once_are_queued_recorded_and_told_once_each()
    {
        const int Signals = 5_000;
        // Nobody begins a trade here: they have time to wait for it.
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--Profile=load", "--signal:LifeSeconds=3600");
        await RefreshedAsync(process);
        var answers = await Task.WhenAll(Enumerable.Range(0, Signals).Select(i => process.PostAsync(SignalProcess.Body(n: i))));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Accepted, a.StatusCode));
        var trades = await Task.WhenAll(answers.Select(SignalProcess.TradeOf));
        Assert.Equal(Signals, trades.Distinct().Count());
        await Eventually.HoldsAsync(() => process.Coordinator.Taken.Select(t => t.Message.Trade).Distinct().Count() == Signals, "all are told");
        Assert.Equal(trades.OrderBy(t => t.Value, StringComparer.Ordinal), process.Coordinator.Taken.Select(t => t.Message.Trade).Distinct().OrderBy(t => t.Value, StringComparer.Ordinal));
    }

    [Fact]
    public async Task While_what_was_taken_waits_for_too_long_nothing_more_is_taken_and_it_is_told_and_what_was_taken_stays_taken()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--Profile=load", "--signal:LifeSeconds=6");
        await RefreshedAsync(process);
        for (var i = 0; i < Backlog.RoomMin; i++)
            Assert.Equal(HttpStatusCode.Accepted, (await process.PostAsync(SignalProcess.Body(n: i), $"key-{i}")).StatusCode);
        // Nobody begins a trade here.
        await Eventually.HoldsAsync(() => process.Door.Health().State == HealthState.Degraded, "the door is shut");
        using var refused = await process.PostAsync(SignalProcess.Body(n: 99), "key-99");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(2));
        Assert.Contains("was not taken", await refused.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
        using var repeated = await process.PostAsync(SignalProcess.Body(n: 3), "key-3");
        Assert.Equal(HttpStatusCode.Accepted, repeated.StatusCode);
        using var faulty = await process.PostAsync("{}");
        Assert.Equal(HttpStatusCode.BadRequest, faulty.StatusCode);
        Assert.Equal(Backlog.RoomMin, (await ReadAllAsync(process)).Count);
        var metrics = await process.Client.GetStringAsync("/metrics", Cancel);
        Assert.Matches(@"(?m)^antbot_signals_refused_total\S* 1$", metrics);
        Assert.Matches($@"(?m)^antbot_signals_waiting\S* {Backlog.RoomMin}$", metrics);

        // A trade begins that overtakes all of them: it goes on, and the same is taken that was not.
        var last = WebhookSignal.TradeOfKey("default", $"key-{Backlog.RoomMin - 1}");
        await process.BeginTradeAsync((await RecordedAsync(process, last)).Signal, Cancel);
        await Eventually.HoldsAsync(() => process.Door.Health().State == HealthState.Ok, "the door is open");
        using var later = await process.PostAsync(SignalProcess.Body(n: 99), "key-99");
        Assert.Equal(HttpStatusCode.Accepted, later.StatusCode);
    }

    [Fact]
    public async Task Whatever_bytes_come_in_the_service_answers_and_goes_on()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--Profile=load");
        await RefreshedAsync(process);
        var random = new Random(20_260_103);
        var good = Encoding.UTF8.GetBytes(SignalProcess.Body());
        var seen = new HashSet<HttpStatusCode>();
        for (var i = 0; i < 300; i++)
        {
            var body = good.ToArray();
            switch (i % 4)
            {
                case 0:
                    body[random.Next(body.Length)] = (byte)random.Next(256);
                    break;
                case 1:
                    body = body[..random.Next(body.Length)];
                    break;
                case 2:
                    random.NextBytes(body);
                    break;
                default:
                    body = Encoding.UTF8.GetBytes(new string('[', random.Next(1, 30_000)));
                    break;
            }
            using var answer = await process.PostAsync(body, "application/json", i % 5 == 0 ? new string((char)random.Next(33, 127), random.Next(1, 300)) : null);
            Assert.True(answer.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.BadRequest, $"{answer.StatusCode} for {Convert.ToHexString(body[..Math.Min(80, body.Length)])}");
            seen.Add(answer.StatusCode);
        }
        Assert.Contains(HttpStatusCode.BadRequest, seen);
        using var after = await process.PostAsync(SignalProcess.Body("sell"));
        Assert.Equal(HttpStatusCode.Accepted, after.StatusCode);
    }

    [Fact]
    public async Task A_sender_that_stops_in_the_middle_of_its_body_is_not_waited_for()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--signal:AtOnce=1");
        using var slow = new TcpClient();
        await slow.ConnectAsync(process.Client.BaseAddress!.Host, process.Client.BaseAddress.Port, Cancel);
        var head = $"POST /signals HTTP/1.1\r\nHost: x\r\nX-Api-Key: {SignalProcess.Key}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{{\"symbol\"";
        await slow.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head), Cancel);
        using var reader = new StreamReader(slow.GetStream());
        Assert.StartsWith("HTTP/1.1 408", await reader.ReadLineAsync(Cancel), StringComparison.Ordinal);
        using var next = await process.PostAsync(SignalProcess.Body());
        Assert.Equal(HttpStatusCode.Accepted, next.StatusCode);
    }

    [Fact]
    public async Task Without_a_configured_key_nobody_gets_in()
    {
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, "--signal:ApiKey=");
        using var answer = await process.PostAsync(SignalProcess.Body());
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("ANTBOT_SIGNAL__APIKEY", await answer.Content.ReadAsStringAsync(Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_key_may_come_from_a_file_and_several_have_names_that_keep_their_trades_apart()
    {
        var file = Path.Combine(_folder.Folder, "keys");
        await File.WriteAllTextAsync(file, "anna=key-of-anna-0123456789\nbert=key-of-bert-0123456789\n", Cancel);
        await using var process = await SignalProcess.StartAsync(_folder, Cancel, $"--signal:ApiKey_File={file}");
        var trades = new List<TradeId>();
        foreach (var name in new[] { "anna", "bert" })
        {
            process.Client.DefaultRequestHeaders.Remove("X-Api-Key");
            process.Client.DefaultRequestHeaders.Add("X-Api-Key", $"key-of-{name}-0123456789");
            using var answer = await process.PostAsync(SignalProcess.Body("buy", "one-key"));
            trades.Add(await SignalProcess.TradeOf(answer));
        }
        Assert.Equal(2, trades.Distinct().Count());
        Assert.Equal(["webhook:anna", "webhook:bert"], (await ReadAllAsync(process)).Select(e => e.Actor));
        await Eventually.HoldsAsync(() => process.Coordinator.Taken.Count == 2, "the Coordinator is told of both");
        Assert.Equal(["webhook:anna", "webhook:bert"], process.Coordinator.Taken.Select(t => t.Message.Signal.Source).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Wrong_configuration_is_told_with_every_fault_before_anything_runs()
    {
        Assert.Null(ServiceHost.Build(
            [$"--Store=sqlite:{_folder.Path}", "--signal:ApiKey=too-short", "--signal:Symbols=BTCUSDT,?", "--signal:Strategies=guess", "--signal:EmaFast=20", "--signal:Confidence=2", "--signal:Burst=0"],
            [new MarketModule(new FakeMarket()), new SignalModule()],
            out var faults));
        foreach (var name in new[] { "APIKEY", "SYMBOLS", "STRATEGIES", "EMAFAST", "CONFIDENCE", "BURST" })
            Assert.Contains(faults, f => f.Contains($"ANTBOT_SIGNAL__{name}", StringComparison.Ordinal));
        Assert.DoesNotContain(faults, f => f.Contains("too-short", StringComparison.Ordinal));
    }

    /// <summary>Prevents a service that looks well and hears no price and no candle for ever.</summary>
    [Theory]
    [InlineData("")]
    [InlineData(",")]
    public void Somebody_has_to_say_what_is_watched(string symbols)
    {
        Assert.Null(ServiceHost.Build([$"--Store=sqlite:{_folder.Path}", $"--signal:Symbols={symbols}", $"--validation:Symbols={symbols}"], [new MarketModule(new FakeMarket()), new SignalModule(), new Antbot.Validation.ValidationModule()], out var faults));
        foreach (var name in new[] { "ANTBOT_SIGNAL__SYMBOLS", "ANTBOT_VALIDATION__SYMBOLS" })
            Assert.Contains(faults, f => f.Contains(name, StringComparison.Ordinal));
    }

    private static byte[] Padded(int length)
    {
        var body = Encoding.ASCII.GetBytes($"{SignalProcess.Body()[..^1]},\"pad\":\"");
        return [.. body, .. Enumerable.Repeat((byte)'x', length - body.Length - 2), (byte)'"', (byte)'}'];
    }

    /// <summary>The control state is known, so that the profile counts.</summary>
    private static async Task RefreshedAsync(SignalProcess process) => await process.RefreshControlAsync(Cancel);

    private static async Task<SignalRecorded> RecordedAsync(SignalProcess process, TradeId trade)
    {
        var codec = new EventCodec(EventRegistry.From(typeof(SignalRecorded).Assembly));
        await foreach (var stored in process.Store.ReadStreamAsync(Streams.Signal(trade), cancellationToken: Cancel))
            return Assert.IsType<SignalRecorded>(codec.Decode(stored));
        throw new InvalidOperationException("nothing was recorded");
    }

    private static async Task<IReadOnlyList<StoredEvent>> ReadAllAsync(SignalProcess process) =>
        [.. (await process.Store.ReadPageAsync(0, 10_000, Cancel)).Where(e => e.Stream.StartsWith(Streams.SignalPrefix, StringComparison.Ordinal))];
}
