using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Contracts.Venue;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.PaperVenue;
using Antbot.Integration.Tests.Postgres;
using Antbot.Integration.Tests.Support;
using Antbot.LocalServers;
using Antbot.Runtime.Venue;
using Antbot.Venues;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Antbot.Integration.Tests.Venues;

/// <summary>Several budgets on one PostgreSQL, as several processes have them, and two adapters against one venue with Binance's kind of limits.</summary>
public sealed class SharedBudgetTests(PostgresFixture fixture) : IAsyncLifetime
{
    private const int Limit = 100;

    private readonly ManualClock _clock = new(new DateTimeOffset(2026, 3, 1, 12, 0, 5, TimeSpan.Zero));
    private readonly List<IAsyncDisposable> _connections = [];
    private PostgresDatabase _database = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.Server.CreateDatabaseAsync(cancellationToken: Cancel);
        await PostgresSchema.EnsureAsync(_database.ConnectionString, Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
            await connection.DisposeAsync();
        await fixture.Server.DropDatabaseAsync(_database.Name, CancellationToken.None);
    }

    [Fact]
    public async Task Five_processes_together_use_the_limit_and_never_more_and_entries_leave_the_reserve()
    {
        var processes = Enumerable.Range(0, 5).Select(_ => Shared(_database.ConnectionString)).ToList();
        Assert.Equal(70, await DrawAllAsync(slot: 1, cap: 70));
        Assert.Equal(30, await DrawAllAsync(slot: 1, cap: 100));
        Assert.Equal(100, await DrawAllAsync(slot: 9, cap: 100));
        // Counts that are over do not pile up.
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync(Cancel);
        await using var command = new NpgsqlCommand("select count(*) from antbot.venue_budget", connection);
        Assert.Equal(1L, await command.ExecuteScalarAsync(Cancel));

        async Task<long> DrawAllAsync(long slot, long cap)
        {
            var drawn = await Task.WhenAll(processes.Select(async process =>
            {
                var sum = 0L;
                for (var i = 0; i < 60; i++)
                    sum += (await process.DrawAsync("venue", [new BudgetDraw("venue", "weight", slot, Need: 1, Wanted: 1, cap, Seen: 0)], Cancel)).Granted.Sum();
                return sum;
            }));
            return drawn.Sum();
        }
    }

    [Fact]
    public async Task Several_processes_never_exceed_the_limit_not_even_where_the_database_is_too_slow_for_some()
    {
        var budgets = Enumerable.Range(0, 3).Select(_ => New()).ToList();
        var entries = (await Task.WhenAll(budgets.Select(b => TakeAsync(b, 40, reserved: false)))).Sum();
        Assert.InRange(entries, 1, 70);
        Assert.InRange(entries + (await Task.WhenAll(budgets.Select(b => TakeAsync(b, 60, reserved: true)))).Sum(), entries + 1, Limit);
        budgets.ForEach(b => b.Dispose());
    }

    /// <summary>What is proved of the one in memory holds of the one in the database.</summary>
    [Fact]
    public async Task The_budget_in_the_database_answers_as_the_one_in_memory_does()
    {
        var (random, stored, local) = (new Random(7), Shared(_database.ConnectionString), new LocalVenueBudget(TimeProvider.System));
        for (var i = 0; i < 300; i++)
        {
            var draws = Enumerable.Range(0, random.Next(1, 4))
                .Select(n => new BudgetDraw($"scope-{n}", "weight", i / 50, random.Next(1, 5), random.Next(5, 9), random.Next(20, 120), random.Next(8) == 0 ? random.Next(100) : 0)).ToList();
            var (one, other) = (await stored.DrawAsync("venue", draws, Cancel), await local.DrawAsync("venue", draws, Cancel));
            Assert.Equal(other.Granted, one.Granted);
            Assert.Equal(other.Used, one.Used);
            Assert.Equal(other.Blocked, one.Blocked);
        }
    }

    [Fact]
    public async Task A_wait_that_one_is_told_is_known_to_all_and_ends_by_itself()
    {
        using var one = New();
        using var other = New();
        await one.BlockAsync(TimeSpan.FromSeconds(2));
        var refused = await other.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel);
        Assert.InRange(refused.RetryAfter, TimeSpan.FromMilliseconds(1), TimeSpan.FromSeconds(2));
        // By the server's clock: that of this process stands still.
        using var late = New();
        await Eventually.HoldsAsync(async () => (await late.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel)).IsGranted || Moved(), "the wait ends");

        bool Moved()
        {
            _clock.Move(TimeSpan.FromMilliseconds(50));
            return false;
        }
    }

    [Fact]
    public async Task With_the_store_down_what_is_reserved_goes_on_entries_do_not_and_a_wait_is_told_when_it_is_back()
    {
        var port = new NpgsqlConnectionStringBuilder(_database.ConnectionString).Port;
        await using var link = new TcpProxy(port);
        var through = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Host = "127.0.0.1", Port = link.Port }.ConnectionString;
        using var cut = New(through, TimeProvider.System);
        using var other = New(clock: TimeProvider.System);
        Assert.True((await cut.TakeAsync(1, isOrder: false, BudgetPart.Shared, Cancel)).IsGranted);
        link.Down = true;
        link.BreakAll();
        Assert.Contains("cannot be asked", (await cut.TakeAsync(1, isOrder: false, BudgetPart.Shared, Cancel)).Why!, StringComparison.Ordinal);
        Assert.True((await cut.TakeAsync(1, isOrder: true, BudgetPart.Leaving, Cancel)).IsGranted);
        await cut.BlockAsync(TimeSpan.FromMinutes(5));
        Assert.False((await cut.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel)).IsGranted);
        Assert.True((await other.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel)).IsGranted);
        link.Down = false;
        await Eventually.HoldsAsync(
            async () =>
            {
                await other.TakeAsync(1, isOrder: false, BudgetPart.Leaving, Cancel);
                return other.Blocked > TimeSpan.Zero;
            },
            "the other is told");
        Assert.InRange(other.Blocked, TimeSpan.FromMinutes(4), TimeSpan.FromMinutes(5));
    }

    [Fact]
    public async Task Two_processes_under_pressure_never_hear_that_it_is_too_much()
    {
        await using var server = await RunningVenue.StartAsync(o => o with { WeightPerMinute = 400, OrdersPerTenSeconds = 20, Deposits = Funds });
        using var one = Open("one", server);
        using var two = Open("two", server);
        foreach (var process in new[] { one, two })
            Assert.IsType<VenueAnswer<IReadOnlyList<SymbolRules>>.Said>(await process.Venue.ReadRulesAsync(Cancel));
        var answers = new ConcurrentQueue<VenueAnswer<OrderReport>>();
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        end.CancelAfter(TimeSpan.FromSeconds(12));
        await Task.WhenAll(new[] { one, two }.SelectMany(p => Enumerable.Range(0, 4).Select(n => PressAsync(p, n, answers, end.Token))));
        Assert.DoesNotContain(answers, a => a is VenueAnswer<OrderReport>.Refused { Refusal: Refusal.RateLimited });
        // It was pressure: some were held back, and others went on.
        Assert.Contains(answers, a => a is VenueAnswer<OrderReport>.NotSent);
        Assert.Contains(answers, a => a is VenueAnswer<OrderReport>.Said);
        Assert.NotEmpty(one.Sent);
        Assert.NotEmpty(two.Sent);
    }

    /// <summary>Whoever goes on after a 429 is banned: one process heard it and the other went on.</summary>
    [Fact]
    public async Task Told_to_wait_by_one_request_neither_process_sends_anything_before_it_is_over()
    {
        await using var server = await RunningVenue.StartAsync(o => o with { WeightPerMinute = 6_000, OrdersPerTenSeconds = 100, Deposits = Funds });
        using var one = Open("one", server);
        using var two = Open("two", server);
        foreach (var process in new[] { one, two })
            Assert.IsType<VenueAnswer<IReadOnlyList<SymbolRules>>.Said>(await process.Venue.ReadRulesAsync(Cancel));
        await server.Client.FaultAsync(new { kind = "rateLimit", route = "query", count = 1, ms = 3_000 });
        var limited = Assert.IsType<VenueAnswer<OrderReport>.Refused>(await one.Venue.FindOrderAsync(VenueProcess.Btc, new ClientOrderId("none"), Cancel));
        Assert.Equal(Refusal.RateLimited, limited.Refusal);
        var over = Assert.Single(one.Told).AddSeconds(3);
        var (before, answers) = ((one.Sent.Count, two.Sent.Count), new ConcurrentQueue<VenueAnswer<OrderReport>>());
        using var end = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        end.CancelAfter(TimeSpan.FromSeconds(6));
        await Task.WhenAll(new[] { one, two }.SelectMany(p => Enumerable.Range(0, 2).Select(n => PressAsync(p, n, answers, end.Token))));
        foreach (var (process, sent) in new[] { (one, before.Item1), (two, before.Item2) })
        {
            var after = process.Sent.Skip(sent).ToList();
            Assert.NotEmpty(after);
            Assert.All(after, at => Assert.True(at >= over, $"One left {over - at} before it was over"));
        }
        Assert.Single(one.Told.Concat(two.Told));
    }

    private static IReadOnlyDictionary<string, string> Funds { get; } = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "1000000", ["BTC"] = "10" };

    private static async Task PressAsync(VenueProcess process, int which, ConcurrentQueue<VenueAnswer<OrderReport>> answers, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                answers.Enqueue(which switch
                {
                    0 => await process.Venue.PlaceAsync(process.Buy(), cancellationToken),
                    1 => await process.Venue.PlaceAsync(process.Sell(), cancellationToken),
                    2 => await process.Venue.FindOrderAsync(VenueProcess.Btc, new ClientOrderId("none"), cancellationToken),
                    _ => await process.Venue.CancelAsync(VenueProcess.Btc, new ClientOrderId("none"), cancellationToken),
                });
                await Task.Delay(10, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private static async Task<int> TakeAsync(RequestBudget budget, int times, bool reserved)
    {
        var taken = 0;
        for (var i = 0; i < times; i++)
            taken += (await budget.TakeAsync(1, isOrder: false, reserved ? BudgetPart.Leaving : BudgetPart.Shared, Cancel)).IsGranted ? 1 : 0;
        return taken;
    }

    private VenueProcess Open(string name, RunningVenue server) => new(name, server.Server.Address, server.Server.Key.Key, server.Server.Key.Secret, Shared(_database.ConnectionString));

    private PostgresVenueBudget Shared(string connectionString)
    {
        var shared = new PostgresVenueBudget(connectionString);
        _connections.Add(shared);
        return shared;
    }

    private RequestBudget New(string? connectionString = null, TimeProvider? clock = null)
    {
        var options = new VenueOptions { Address = new Uri("http://venue.invalid/"), Key = "key", Secret = "secret" };
        var budget = new RequestBudget(options, Shared(connectionString ?? _database.ConnectionString), new VenueClock(clock ?? _clock), clock ?? _clock, NullLogger.Instance);
        budget.SetLimits(new VenueLimits(Limit, null, null));
        return budget;
    }
}
