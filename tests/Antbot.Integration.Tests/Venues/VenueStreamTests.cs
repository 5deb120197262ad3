using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
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
        _options = new VenueOptions { Address = address, StreamAddress = new UriBuilder(address) { Scheme = "ws" }.Uri, Key = "key", Secret = "secret", Paper = true };
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

    /// <summary>Until it is so.</summary>
    private async Task FollowAsync(RequestBudget budget, TimeProvider clock, Func<bool> until, Action? connected = null)
    {
        var stream = new Antbot.Venues.VenueStream(_options, budget, new StreamWatch(clock, NullLogger<StreamWatch>.Instance), clock);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var following = stream.FollowAsync(["btcusdt@bookTicker"], ConnectedAsync, (_, _) => ValueTask.FromResult(false), TimeSpan.FromMinutes(5), end.Token);
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
