using System.Net;
using Antbot.ConsoleService;
using Antbot.ConsoleService.Incidents;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Integration.Tests.DeadLetters;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Identity;
using Antbot.Resilience;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>What goes on is found in the lists, in the accounts' streams and in what services say of themselves, and told once for each cause.</summary>
public sealed class TroubleWatchTests : IAsyncLifetime
{
    private static readonly AccountId Account = new("main");

    private readonly ManualClock _clock = new(DateTimeOffset.UtcNow);
    private readonly BreakerPanel _breakers = new();
    private readonly Heard _heard = new();
    private readonly ConsoleOptions _options = new() { LettersOfCauseAlert = 3, LettersAlert = 5, DifferenceAlertMinutes = 10, BreakerAlertSeconds = 60 };
    private ViewedHistory _history = null!;
    private ServiceHealth _services = null!;
    private TroubleWatch _watch = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _history = await ViewedHistory.OpenAsync();
        _services = new ServiceHealth(_options, new Normal(), _breakers);
        var parts = new PipelineParts(_history.Store, RandomHistory.Codec, new NoBus(), _clock, NoCrashPoints.Instance);
        _watch = new TroubleWatch(parts, _history.Models, _services, _heard, _options, NullLogger<TroubleWatch>.Instance);
    }

    public async ValueTask DisposeAsync()
    {
        _services.Dispose();
        _breakers.Dispose();
        await _history.DisposeAsync();
    }

    [Fact]
    public async Task Letters_that_pile_up_are_told_once_for_each_cause_and_again_only_after_a_while()
    {
        for (var i = 0; i < 4; i++)
            await SeededLetters.KeepAsync(_history.Store, k => k with { Fingerprint = "0123456789abcdef" });
        Assert.Equal(["dead-letters:0123456789abcdef"], await LookAsync());
        Assert.Contains("4 dead letters of one cause wait", _heard.Alerts[0].What, StringComparison.Ordinal);
        Assert.Contains("SettleOrder to execution", _heard.Alerts[0].What, StringComparison.Ordinal);
        var other = await SeededLetters.KeepAsync(_history.Store, k => k with { Fingerprint = "another" });
        Assert.Equal(["dead-letters"], await LookAsync());
        Assert.Equal([], await LookAsync());
        // What somebody has decided about waits no longer.
        await SeededLetters.AppendAsync(_history.Store, other, new DeadLetterDiscarded(other.Letter, Guid.NewGuid(), "another", "of no use", "anna"));
        _clock.Move(TimeSpan.FromMinutes(10));
        Assert.Equal(["dead-letters:0123456789abcdef"], await LookAsync());
        Assert.Equal(3, _heard.Alerts.Select(a => a.Id).Distinct().Count());
    }

    /// <summary>Forty causes at once would leave no room for a halt among the incidents of an hour.</summary>
    [Fact]
    public async Task Of_many_causes_at_once_a_few_are_told_alone_and_the_rest_together()
    {
        for (var cause = 0; cause < 10; cause++)
        {
            for (var i = 0; i < 4; i++)
                await SeededLetters.KeepAsync(_history.Store, k => k with { Fingerprint = $"cause-{cause}" });
        }
        var told = await LookAsync();
        Assert.Equal(4, told.Count());
        Assert.Equal("many: dead letters", told.Last());
        Assert.StartsWith("8 more: ", _heard.Alerts[^1].What, StringComparison.Ordinal);
        Assert.Equal([], await LookAsync());
    }

    [Fact]
    public async Task A_difference_that_stays_is_told_with_its_trade_and_one_that_is_settled_is_not()
    {
        var (trade, found) = (new TradeId(Guid.NewGuid()), _clock.GetUtcNow());
        await RecordAsync(new DifferenceFound(1, Account, DifferenceKind.VanishedOrder, "order-1", trade, true, "it is gone", "no such order", 1, found), new DifferenceFound(1, Account, DifferenceKind.Balance, "BTC", null, true, "2 are missing", "1 BTC", 1, found));
        _clock.Move(TimeSpan.FromMinutes(9));
        Assert.Equal([], await LookAsync());
        // Found again it is the same; another account's is another.
        await RecordAsync(new DifferenceSettled(2, Account, DifferenceKind.Balance, "BTC", found), new DifferenceFound(2, Account, DifferenceKind.VanishedOrder, "order-1", trade, true, "it is gone", "still no such order", 1, _clock.GetUtcNow()));
        _clock.Move(TimeSpan.FromMinutes(1));
        Assert.Equal(["difference:main:VanishedOrder:order-1"], await LookAsync());
        var alert = Assert.Single(_heard.Alerts);
        Assert.Equal((trade, found.ToString("u")), (Assert.Single(alert.Trades), alert.Since!.Value.ToString("u")));
        Assert.Contains("the venue says: still no such order", alert.What, StringComparison.Ordinal);
        await RecordAsync(new DifferenceSettled(3, Account, DifferenceKind.VanishedOrder, "order-1", found));
        _clock.Move(TimeSpan.FromHours(1));
        Assert.Equal([], await LookAsync());
    }

    [Fact]
    public async Task A_breaker_that_does_not_close_is_told_whichever_service_has_it()
    {
        using var service = new HttpListener();
        var address = $"http://127.0.0.1:{FreePort()}/";
        service.Prefixes.Add(address);
        service.Start();
        var body = """{"ready":true,"degradation_level":"reduced","breakers":{"venue-orders":"open"}}""";
        var answering = AnswerAsync();
        _options.Services["Execution"] = address.TrimEnd('/');
        var here = _breakers.Get("here", new BreakerOptions(1, TimeSpan.FromDays(1)), _clock);
        here.TryEnter(out _)!.Value.Failed();
        Assert.Equal([], await LookAsync());
        _clock.Move(TimeSpan.FromSeconds(59));
        Assert.Equal([], await LookAsync());
        _clock.Move(TimeSpan.FromSeconds(1));
        Assert.Equal(["breaker:execution/venue-orders", "breaker:this process/here"], (await LookAsync()).Order(StringComparer.Ordinal));
        // Closed in between, it begins anew.
        body = """{"ready":true,"breakers":{}}""";
        _clock.Move(TimeSpan.FromMinutes(10));
        Assert.Equal(["breaker:this process/here"], await LookAsync());
        body = """{"ready":false,"breakers":{"venue-orders":"half_open"},"reasons":[]}""";
        Assert.Equal([], await LookAsync());
        // What is no such thing says nothing.
        body = """{"breakers":["venue-orders"]}""";
        _clock.Move(TimeSpan.FromMinutes(10));
        Assert.Equal(["breaker:this process/here"], await LookAsync());
        // Whoever does not answer for a moment has not closed it.
        body = """{"breakers":{"venue-orders":"open"}}""";
        Assert.Equal([], await LookAsync());
        (var silent, _options.Services["Execution"]) = (_options.Services["Execution"], $"http://127.0.0.1:{FreePort()}");
        _clock.Move(TimeSpan.FromSeconds(40));
        Assert.Equal([], await LookAsync());
        _options.Services["Execution"] = silent;
        _clock.Move(TimeSpan.FromSeconds(20));
        Assert.Equal(["breaker:execution/venue-orders"], await LookAsync());
        service.Stop();
        await answering;

        async Task AnswerAsync()
        {
            try
            {
                while (true)
                {
                    var asked = await service.GetContextAsync();
                    await asked.Response.OutputStream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(body), Cancel);
                    asked.Response.Close();
                }
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // It was stopped.
            }
        }
    }

    /// <summary>Over a whole Console: it looks by itself, and what it tells is an incident.</summary>
    [Fact]
    public async Task The_Console_opens_one_incident_of_what_it_finds()
    {
        await using var console = await RunningConsole.StartAsync(_history.Folder, "--console:lettersOfCauseAlert=2");
        for (var i = 0; i < 3; i++)
            await SeededLetters.KeepAsync(console.Store, k => k with { Fingerprint = "0123456789abcdef" });
        await Eventually.HoldsAsync(async () => (await console.GetAsync("/api/incidents?state=open")).GetProperty("Items").GetArrayLength() == 1, "there is an incident");
        var incident = (await console.GetAsync("/api/incidents")).GetProperty("Items")[0];
        Assert.Equal(("Alert", "dead-letters:0123456789abcdef", 1), (incident.GetProperty("Source").GetString(), incident.GetProperty("Cause").GetString(), incident.GetProperty("Times").GetInt32()));
    }

    private async Task<IReadOnlyList<string>> LookAsync()
    {
        await _history.CatchUpAsync();
        var before = _heard.Alerts.Count;
        await _watch.LookAsync(Cancel);
        return [.. _heard.Alerts.Skip(before).Select(a => a.Cause)];
    }

    private async Task RecordAsync(params object[] events)
    {
        foreach (var @event in events)
        {
            var request = SeededLetters.Append(Streams.Reconciliation(Account), new Decision(Guid.NewGuid(), "reconciliation"), @event, _clock.GetUtcNow());
            Assert.IsType<AppendOutcome.Appended>(await _history.Store.AppendAsync(request, Cancel));
        }
    }

    private static int FreePort()
    {
        using var listener = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private sealed class Normal : IDegradation
    {
        public DegradationLevel Level => DegradationLevel.Normal;
    }

    private sealed class NoBus : IMessageBus
    {
        public Task PublishAsync(IReadOnlyList<OutboundMessage> messages, CancellationToken cancellationToken = default) => throw new InvalidOperationException("Nothing is said here.");
    }

    private sealed class Heard : IIncidents
    {
        public List<IncidentAlert> Alerts { get; } = [];

        public Task RaiseAsync(IncidentAlert alert, CancellationToken cancellationToken = default)
        {
            Alerts.Add(alert);
            return Task.CompletedTask;
        }
    }
}
