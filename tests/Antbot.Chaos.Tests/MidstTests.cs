using System.Collections.Concurrent;
using System.Net;
using System.Text;
using System.Text.Json;
using Antbot.Chaos.Checking;
using Antbot.Chaos.Faults;
using Antbot.Chaos.Running;
using Antbot.LocalServers;
using Xunit;

namespace Antbot.Chaos.Tests;

/// <summary>A fault says something of trades only where some are under way: the case waits for them, and fails where there are none.</summary>
public sealed class MidstTests : IAsyncLifetime
{
    private const int Trades = 60;
    private const int Part = 12;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-midst-").FullName;
    private readonly HttpListener _listener = new();
    private Uri _address = null!;
    private Trading _target = null!;
    private Load _load = null!;
    private Task _answering = Task.CompletedTask;

    /// <summary>Every tenth.</summary>
    private int _turnedAway;

    public ValueTask InitializeAsync()
    {
        _address = new Uri($"http://127.0.0.1:{FreePort.Next()}/");
        _listener.Prefixes.Add(_address.ToString());
        _listener.Start();
        _target = new Trading(_folder);
        _load = new Load([_address], "k", "run", rate: 100, givesUp: true);
        _answering = AnswerAsync();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _load.DisposeAsync();
        _listener.Stop();
        await _answering;
        ((IDisposable)_listener).Dispose();
        await _target.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Faults_come_one_after_a_part_of_the_trades_each_and_who_was_turned_away_is_none_of_them()
    {
        _target.Lives = TimeSpan.FromMinutes(1);
        var (scene, taken) = (NewScene(), new List<int>());
        await StrikeAsync(scene, taken);
        Assert.Equal(4, taken.Count);
        Assert.All(taken.Prepend(0).Zip(taken), p => Assert.True(p.Second - p.First >= Part, string.Join(' ', taken)));
        Assert.InRange(_load.AcceptedCount, Math.Max(Trades, taken[^1] + Part), int.MaxValue);
        Assert.Empty(scene.Faults);
        Assert.Matches("^4 faults in the middle of [0-9]+ trades, so many under way at each: a [1-9][0-9]*, b [1-9][0-9]*, c [1-9][0-9]*, d [1-9][0-9]*$", scene.Notes[0]);
        Assert.Matches("^[1-9][0-9]* signals were turned away and told so$", scene.Notes[1]);
        Assert.True(await _load.StopAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal((_target.Taken, _turnedAway), (_load.AcceptedCount, _load.TurnedAway));
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(60_000, false)]
    public async Task Where_no_trade_is_under_way_nothing_is_broken_and_the_case_fails(int livesMilliseconds, bool isBegun)
    {
        (_target.Lives, _target.IsBegun) = (TimeSpan.FromMilliseconds(livesMilliseconds), isBegun);
        var taken = new List<int>();
        var fault = await Assert.ThrowsAsync<ChaosException>(() => StrikeAsync(NewScene(), taken, TimeSpan.FromSeconds(2)));
        Assert.EndsWith("a trade is under way when it comes to 'a'", fault.Message, StringComparison.Ordinal);
        Assert.Empty(taken);
    }

    /// <summary>Told to come again in a minute and more, he was waited for until the case had failed.</summary>
    [Fact]
    public async Task Who_was_told_to_come_again_asks_once_more_when_no_more_come_and_is_turned_away_for_good()
    {
        await using var load = new Load([_address], "k", "other", rate: 100);
        load.Start(20);
        await load.FinishAsync(TestContext.Current.CancellationToken);
        Assert.True(await load.StopAsync(TimeSpan.FromSeconds(30)));
        Assert.Equal((20, 18, 2), (load.Sent, load.AcceptedCount, load.TurnedAway));
        Assert.Empty(load.Refused);
    }

    private async Task StrikeAsync(Scene scene, List<int> taken, TimeSpan? patience = null)
    {
        _load.Start();
        await Midst.StrikeAsync(scene, Trades, [.. new[] { "a", "b", "c", "d" }.Select(n => (n, (Func<Task>)Strike))], patience);

        Task Strike()
        {
            taken.Add(_load.AcceptedCount);
            return Task.CompletedTask;
        }
    }

    private Scene NewScene() => new(_target, _load, _ => { }, TestContext.Current.CancellationToken);

    private async Task AnswerAsync()
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var body = await JsonDocument.ParseAsync(context.Request.InputStream);
            var key = body.RootElement.GetProperty("idempotencyKey").GetString()!;
            var turnsAway = key.EndsWith('5');
            context.Response.StatusCode = turnsAway ? 429 : 202;
            if (turnsAway)
            {
                context.Response.AddHeader("Retry-After", "100");
                _turnedAway++;
            }
            try
            {
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(turnsAway ? "{}" : $$"""{"tradeId":"{{_target.Take()}}"}"""));
                context.Response.Close();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // Who is at his end hears no answer.
            }
        }
    }

    private sealed class Trading(string folder) : Target(folder)
    {
        private readonly ConcurrentQueue<(string Trade, DateTime At)> _taken = new();

        public TimeSpan Lives { get; set; }

        public bool IsBegun { get; set; } = true;

        public int Taken => _taken.Count;

        public override IReadOnlyList<Daemon> Daemons => [];

        public override IReadOnlyList<Uri> Signals => [];

        public override string SignalKey => "";

        protected override string VenueFolder => Folder;

        public string Take()
        {
            var trade = Guid.NewGuid().ToString("N");
            _taken.Enqueue((trade, DateTime.UtcNow));
            return trade;
        }

        public override Task<Store> ReadStoreAsync(CancellationToken cancellationToken)
        {
            var events = new List<EventRow>();
            foreach (var (trade, at) in _taken)
            {
                Add(trade, 1, "trade_raised", at);
                if (IsBegun)
                    Add(trade, 2, "trade_validated", at);
                Add(trade, 3, "trade_closed", at + Lives);
            }
            return Task.FromResult(new Store(Guid.Empty, events, [], []));

            void Add(string trade, long version, string type, DateTime at) => events.Add(new EventRow(
                events.Count + 1, Guid.NewGuid(), $"trade-{trade}", version, "{}"u8.ToArray(), null, type, (at.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond, null, null, null, null, null, null, false));
        }

        public override Task<IReadOnlyList<QueueDepth>> ReadQueuesAsync(CancellationToken cancellationToken) => throw new NotSupportedException();

        public override Task<string?> WhyNotReadyAsync(CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
