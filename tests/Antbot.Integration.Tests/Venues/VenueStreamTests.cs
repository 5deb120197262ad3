using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using Antbot.Integration.Tests.Support;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>How a stream comes back to a venue that ends it, or does not let it in.</summary>
public sealed class VenueStreamTests : IAsyncLifetime
{
    private readonly ConcurrentQueue<DateTimeOffset> _connected = new();
    private Func<int, HttpContext, Task> _answer = null!;
    private WebApplication _web = null!;
    private VenueOptions _options = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _web = builder.Build();
        _web.UseWebSockets();
        _web.Run(async context =>
        {
            _connected.Enqueue(DateTimeOffset.UtcNow);
            await _answer(_connected.Count, context);
        });
        await _web.StartAsync();
        var address = new Uri(_web.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        _options = new VenueOptions { Address = address, StreamAddress = new UriBuilder(address) { Scheme = "ws" }.Uri, Key = "key", Secret = "secret", Paper = true, Name = "stream-tests" };
    }

    public async ValueTask DisposeAsync() => await _web.DisposeAsync();

    /// <summary>Prevents a ban: venues count connections, and one that is cut as soon as it is made was made again at once, for ever.</summary>
    [Fact]
    public async Task One_that_is_cut_again_and_again_is_asked_for_ever_more_slowly_down_to_every_ten_seconds_until_it_lasts()
    {
        const int hurry = 10;
        const int lasting = 11;
        var clock = new HurryingClock(hurry);
        var knowsOfIt = new TaskCompletionSource();
        _answer = async (count, context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            if (count == lasting)
            {
                await knowsOfIt.Task.WaitAsync(Cancel);
                clock.Leap(TimeSpan.FromMinutes(1));
            }
            await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "not now", Cancel);
        };
        using var budget = new RequestBudget(_options, new LocalVenueBudget(clock), new VenueClock(clock), clock, NullLogger.Instance);
        await FollowAsync(budget, clock, () => _connected.Count >= lasting + 4, () =>
        {
            if (_connected.Count == lasting)
                knowsOfIt.TrySetResult();
        });

        var pauses = _connected.Zip(_connected.Skip(1), (a, b) => (b - a) * hurry).Select(p => p.TotalSeconds).ToList();
        Assert.All(new[] { 0.5, 1, 2, 4, 8, 10, 10, 10, 10, 10 }.Zip(pauses), p => Assert.True(p.Second >= p.First * 0.95, $"One of {p.First} s was {p.Second} s"));
        // Doubled without an end it would be 256 s.
        Assert.InRange(pauses[9], 9.5, 80);
        // It had lasted, and the next are asked for as quickly as the first: four of ten seconds otherwise.
        Assert.InRange(pauses[10..14].Sum(), 3.5, 38);
    }

    /// <summary>Prevents a ban: whoever was not let in because it was too much knocked again a moment later, and everything else was asked on.</summary>
    [Theory]
    [InlineData(429, false)]
    [InlineData(429, true)]
    [InlineData(418, false)]
    [InlineData(403, false)]
    [InlineData(503, false)]
    public async Task One_that_is_not_let_in_because_it_is_too_much_waits_as_everything_else_does(int status, bool asDate)
    {
        var said = DateTimeOffset.MinValue;
        _answer = async (count, context) =>
        {
            if (count > 1)
            {
                using var socket = await context.WebSockets.AcceptWebSocketAsync();
                await socket.CloseOutputAsync(WebSocketCloseStatus.EndpointUnavailable, "", Cancel);
                return;
            }
            said = DateTimeOffset.UtcNow;
            context.Response.StatusCode = status;
            context.Response.Headers["Date"] = said.ToString("R", CultureInfo.InvariantCulture);
            context.Response.Headers["Retry-After"] = asDate ? said.AddSeconds(3).ToString("R", CultureInfo.InvariantCulture) : "3";
        };
        var shared = new LocalVenueBudget(TimeProvider.System);
        using var budget = new RequestBudget(_options, shared, new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        using var other = new RequestBudget(_options, shared, new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        var following = FollowAsync(budget, TimeProvider.System, () => _connected.Count > 1);
        while (budget.Blocked == TimeSpan.Zero && _connected.Count < 2)
            await Task.Delay(10, Cancel);
        foreach (var one in new[] { budget, other })
        {
            var wait = (await one.TakeAsync(1, isOrder: true, BudgetPart.Leaving, Cancel)).RetryAfter;
            Assert.InRange(wait, said.AddSeconds(2) - DateTimeOffset.UtcNow, TimeSpan.FromSeconds(3));
        }
        await following;
        Assert.InRange(_connected.Skip(1).First() - said, TimeSpan.FromSeconds(2.9), TimeSpan.FromSeconds(30));
    }

    /// <summary>Where it does not say until when.</summary>
    [Fact]
    public async Task A_ban_of_unknown_length_is_waited_out_for_two_minutes()
    {
        _answer = (_, context) =>
        {
            context.Response.StatusCode = 418;
            return Task.CompletedTask;
        };
        using var budget = new RequestBudget(_options, new LocalVenueBudget(TimeProvider.System), new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        await FollowAsync(budget, TimeProvider.System, () => budget.Blocked > TimeSpan.FromSeconds(110));
        Assert.Single(_connected);
    }

    /// <summary>One symbol's message that could not be read broke the connection that carries all symbols, and their prices grew old while it was made again.</summary>
    [Fact]
    public async Task A_message_that_makes_no_sense_is_counted_told_and_passed_over_and_the_others_count()
    {
        string[] nonsense =
        [
            "no JSON", "", "[]", "null", """{"stream":"btcusdt@bookTicker"}""", """{"stream":"btcusdt@bookTicker","data":null}""", """{"stream":"btcusdt@bookTicker","data":{"s":"BTCUSDT","b":1,"a":"2"}}""",
            """{"stream":"\ud800","data":{}}""", $$$"""{"stream":"btcusdt@bookTicker","data":{"s":"{{{new string('B', 600_000)}}}","b":"1","a":"2"}}""", """{"stream":"ethusdt@bookTicker","data":{"s":"ETHUSDT","b":"1"}}""",
        ];
        _answer = async (_, context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            for (var i = 0; i < nonsense.Length; i++)
            {
                await SayAsync(socket, nonsense[i]);
                await SayAsync(socket, $$$"""{"stream":"btcusdt@bookTicker","data":{"s":"BTCUSDT","b":"{{{100 + i}}}","a":"{{{100 + i}}}"}}""");
            }
            await Task.Delay(Timeout.Infinite, Cancel).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        };
        var log = new Lines();
        var passedOver = 0L;
        using var listener = new MeterListener { InstrumentPublished = (instrument, all) => { if (instrument.Name == "antbot_venue_malformed_total") all.EnableMeasurementEvents(instrument); } };
        listener.SetMeasurementEventCallback<long>((_, value, tags, _) =>
        {
            if (tags.ToArray().Contains(new("venue", _options.Name)) && tags.ToArray().Contains(new("what", "stream message")))
                Interlocked.Add(ref passedOver, value);
        });
        listener.Start();
        var heard = new ConcurrentQueue<decimal>();
        using var budget = new RequestBudget(_options, new LocalVenueBudget(TimeProvider.System), new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        await FollowAsync(budget, TimeProvider.System, () => heard.Count >= nonsense.Length, log: log, heard: json => heard.Enqueue(BinanceReader.Best(json, "s", "b", "a", DateTimeOffset.UtcNow)!.Bid.Value));

        Assert.Equal(Enumerable.Range(100, nonsense.Length).Select(p => (decimal)p), heard);
        Assert.Single(_connected);
        Assert.Equal(nonsense.Length, passedOver);
        // The others of this minute are told with the next.
        var told = Assert.Single(log.All);
        Assert.StartsWith("1 messages of the market's stream btcusdt@bookTicker made no sense and were passed over, the last of them of none that is followed: ", told, StringComparison.Ordinal);
    }

    [Fact]
    public void What_makes_no_sense_is_told_once_a_minute_with_how_many_there_were()
    {
        var (clock, log) = (new ManualClock(DateTimeOffset.UtcNow), new Lines());
        using var watched = new StreamWatch(clock, log).Begin(["btcusdt@bookTicker"], TimeSpan.FromSeconds(5));
        for (var second = 0; second < 121; second++)
        {
            watched.MadeNoSense("btcusdt@bookTicker", $"it is number {second}");
            clock.Move(TimeSpan.FromSeconds(1));
        }
        Assert.Equal([(1, 0), (60, 60), (60, 120)], log.All.Select(l => (int.Parse(l.Split(' ')[0], CultureInfo.InvariantCulture), int.Parse(l.Split(' ')[^1], CultureInfo.InvariantCulture))));
    }

    /// <summary>A stream that says nothing but nonsense is as silent as one that says nothing.</summary>
    [Fact]
    public async Task One_that_makes_no_sense_for_as_long_as_it_may_be_silent_is_connected_again()
    {
        _answer = async (_, context) =>
        {
            using var socket = await context.WebSockets.AcceptWebSocketAsync();
            while (socket.State == WebSocketState.Open)
            {
                await SayAsync(socket, "no JSON");
                await Task.Delay(20, Cancel);
            }
        };
        using var budget = new RequestBudget(_options, new LocalVenueBudget(TimeProvider.System), new VenueClock(TimeProvider.System), TimeProvider.System, NullLogger.Instance);
        var log = new Lines();
        await FollowAsync(budget, TimeProvider.System, () => _connected.Count >= 2, log: log, silence: TimeSpan.FromSeconds(1));
        Assert.InRange(_connected.Skip(1).First() - _connected.First(), TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(30));
        Assert.Contains("The market's stream btcusdt@bookTicker is broken: nothing that makes sense was heard for 1 s", log.All);
    }

    private static Task SayAsync(WebSocket socket, string message) => socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, endOfMessage: true, Cancel);

    /// <summary>Until it is so.</summary>
    private async Task FollowAsync(RequestBudget budget, TimeProvider clock, Func<bool> until, Action? connected = null, ILogger<StreamWatch>? log = null, Action<JsonElement>? heard = null, TimeSpan? silence = null)
    {
        var stream = new Antbot.Venues.VenueStream(_options, budget, new StreamWatch(clock, log ?? NullLogger<StreamWatch>.Instance), clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = stream.FollowAsync(["btcusdt@bookTicker"], ConnectedAsync, Hear, silence ?? TimeSpan.FromMinutes(5), end.Token);
        var limit = DateTimeOffset.UtcNow.AddSeconds(60);
        while (!until() && !following.IsCompleted)
        {
            Assert.True(DateTimeOffset.UtcNow < limit, $"It was connected {_connected.Count} times.");
            await Task.Delay(5, Cancel);
        }
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => following);

        Task ConnectedAsync(CancellationToken cancellationToken)
        {
            connected?.Invoke();
            return Task.CompletedTask;
        }

        ValueTask<bool> Hear(JsonElement json, CancellationToken cancellationToken)
        {
            heard?.Invoke(json);
            return ValueTask.FromResult(false);
        }
    }

    private sealed class Lines : ILogger<StreamWatch>
    {
        private readonly ConcurrentQueue<string> _lines = new();

        public IReadOnlyList<string> All => [.. _lines];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) => _lines.Enqueue(formatter(state, exception));
    }

    /// <summary>So many times as fast as the system's, its timers included.</summary>
    private sealed class HurryingClock(int times) : TimeProvider
    {
        private readonly DateTimeOffset _start = DateTimeOffset.UtcNow;
        private readonly long _from = System.GetTimestamp();
        private long _ahead;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => _start.AddTicks(GetTimestamp());

        public override long GetTimestamp() => System.GetElapsedTime(_from).Ticks * times + Volatile.Read(ref _ahead);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, Shorter(dueTime), Shorter(period));

        public void Leap(TimeSpan by) => Interlocked.Add(ref _ahead, by.Ticks);

        private TimeSpan Shorter(TimeSpan time) => time == Timeout.InfiniteTimeSpan ? time : time / times;
    }
}
