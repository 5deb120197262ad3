using Antbot.Chaos.Faults;
using Antbot.Chaos.Running;

namespace Antbot.Chaos;

/// <summary>The whole table.</summary>
internal static class Cases
{
    private static readonly Layout TwoOfThem = Layout.Twice("execution", "coordinator");

    /// <summary>What the Console decides on: no trade passes there, so that each comes with what brings it to its points.</summary>
    private static readonly IReadOnlyDictionary<string, Func<Scene, string, Task>> OfTheConsole = new Dictionary<string, Func<Scene, string, Task>>(StringComparer.Ordinal)
    {
        ["dead-letters"] = DeadLetters.DieAtAsync, ["replays"] = DeadLetters.DieAtAsync,
        ["incidents"] = (s, p) => Words.DieAtAsync(s, p, Words.Incidents), ["access"] = (s, p) => Words.DieAtAsync(s, p, Words.Tokens),
    };

    public static IReadOnlyList<string> Points { get; } =
    [
        "signal.before-append", "signal.after-append",
        "coordinator.before-append", "coordinator.after-append", "coordinator.after-publish",
        "validation.before-append", "validation.after-append", "validation.after-publish",
        "risk.before-append", "risk.after-append", "risk.after-publish",
        "execution.before-append", "execution.after-append", "execution.before-send", "execution.after-send", "execution.after-publish",
        "reconciliation.before-append", "reconciliation.after-append", "reconciliation.after-publish",
        "dead-letters.before-append", "dead-letters.after-append", "dead-letters.after-publish", "dead-letters.after-send",
        "replays.before-append", "replays.after-append", "replays.after-publish",
        "incidents.before-append", "incidents.after-append", "incidents.after-publish",
        "access.before-append", "access.after-append", "access.after-publish",
    ];

    /// <summary>Who speaks with whom.</summary>
    public static IReadOnlyList<(string From, string To)> Pairs { get; } =
    [
        .. new[] { "signal", "coordinator", "validation", "risk", "execution", "reconciliation", "console" }.Select(s => (s, "postgres")),
        .. new[] { "signal", "coordinator", "validation", "risk", "execution", "reconciliation", "console" }.Select(s => (s, "rabbitmq")),
        .. new[] { "signal", "execution", "reconciliation" }.Select(s => (s, "venue")),
    ];

    /// <summary>Those that run on the same servers and processes one after the other, and last what leaves them unfit for the next: each start of all costs twenty seconds.</summary>
    public static IEnumerable<Case> InRunningOrder(IEnumerable<Case> cases) => cases.GroupBy(c => (c.Layout, c.Standalone)).SelectMany(g => g.OrderBy(c => c.Spoils));

    private const string Venue = "venue";

    private static readonly string[] Servers = ["postgres", "rabbitmq", Venue];

    public static IReadOnlyList<Case> All { get; } =
    [
        new("kill-each", "Killed", "every service, the venue and both servers are killed, and both servers restarted in order, spread over 200 trades", Processes.KillEachAsync) { InShortRun = true, MayOpenBreaker = true, Rate = 5, EnteredPartMin = 0.5, TurnsAway = true },
        .. Points.Select(DiesAt),
        new("restart-rolling", "Killed", "every service is stopped in order and started again, one after the other", Processes.RollAsync),

        .. new[] { "signal", "validation", "risk", "reconciliation", "console", "venue" }.Select(n => new Case($"freeze-{n}", "Frozen", $"{n} stands still for 10 s", s => s.FreezeAsync(n, 10))
        { InShortRun = n == "risk", MayOpenBreaker = n == "venue" }),
        .. new[] { (Name: "execution", Lease: "execution/keeper"), (Name: "coordinator", Lease: "coordinator/sweeper") }
            .Select(n => new Case($"freeze-{n.Name}", "Frozen", $"the {n.Name} of two that holds the lease stands still for 120 s and wakes; the other has long taken it", s => Zombies.FreezeAsync(s, n.Name, n.Lease, 120)) { Layout = TwoOfThem, Rate = 3 }),

        new("rabbitmq-killed", "RabbitMQ", "the broker is killed", ServerFaults.KillRabbitAsync),
        new("rabbitmq-restarted", "RabbitMQ", "the broker ends in order and is started again", ServerFaults.RestartRabbitAsync),
        new("rabbitmq-memory-alarm", "RabbitMQ", "the broker's memory is used up for 20 s: it blocks who publishes", s => ServerFaults.AlarmRabbitAsync(s, ["set_vm_memory_high_watermark", "absolute", "1MB"], ["set_vm_memory_high_watermark", "absolute", "1024MB"])),
        new("rabbitmq-blocked", "RabbitMQ", "the broker's disk is too full for 20 s: it blocks who publishes", s => ServerFaults.AlarmRabbitAsync(s, ["set_disk_free_limit", "1000000GB"], ["set_disk_free_limit", "50MB"])),
        new("rabbitmq-data-lost", "RabbitMQ", "the broker is killed and its data folder deleted", ServerFaults.LoseRabbitDataAsync) { Spoils = true, InShortRun = true },

        new("postgres-stopped", "PostgreSQL", "the database is stopped at once, without a checkpoint", s => ServerFaults.RestartPostgresAsync(s, s.Services.Postgres.StopImmediateAsync)),
        new("postgres-restarted", "PostgreSQL", "the database ends in order and is started again", s => ServerFaults.RestartPostgresAsync(s, s.Services.Postgres.StopAsync)),
        new("postgres-killed", "PostgreSQL", "the database is killed", s => ServerFaults.RestartPostgresAsync(s, s.Services.Postgres.KillAsync)),
        new("postgres-page-corrupted", "PostgreSQL", "a page of the history is overwritten, and restored 10 s later", ServerFaults.CorruptPageAsync) { Spoils = true },
        new("postgres-disk-full", "PostgreSQL", "the disk of the database's tables is full for 15 s", ServerFaults.FillPostgresDiskAsync) { Layout = Layout.Plain with { SmallDiskMegabytes = 96 }, Spoils = true },
        new("postgres-log-disk-full", "PostgreSQL", "the disk of the database's log is full for 15 s: it falls over, and is started again when there is room", ServerFaults.FillPostgresLogDiskAsync) { Layout = Layout.Plain with { SmallDiskMegabytes = 96, LogOnSmallDisk = true }, Spoils = true },

        .. Pairs.Select(p => new Case($"part-{p.From}-{p.To}", "Parted", $"nothing gets through between {p.From} and {p.To}: 6 s both ways, 6 s one way, 6 s the other", s => LinkFaults.PartAsync(s, p.From, p.To)) { MayOpenBreaker = p.To == "venue" }),
        new("part-all", "Parted", "nothing gets through anywhere for 30 s", LinkFaults.PartAllAsync) { MayOpenBreaker = true },
        .. Servers.SelectMany<string, Case>(to =>
        [
            new($"slow-1s-{to}", "Slow and broken links", $"everything between the services and {to} takes a second more, for 20 s", s => LinkFaults.SlowAsync(s, to, 1, 20)) { MayOpenBreaker = to == Venue },
            new($"slow-30s-{to}", "Slow and broken links", $"everything between the services and {to} takes 30 s more, for 35 s", s => LinkFaults.SlowAsync(s, to, 30, 35)) { MayOpenBreaker = to == Venue },
            new($"trickle-{to}", "Slow and broken links", $"2,000 bytes a second get through between each service and {to}, for 15 s", s => LinkFaults.TrickleAsync(s, to)) { MayOpenBreaker = to == Venue },
            new($"reset-{to}", "Slow and broken links", $"every connection to {to} is reset, and each new one for 5 s", s => LinkFaults.ResetAsync(s, to)) { MayOpenBreaker = to == Venue },
            new($"half-close-{to}", "Slow and broken links", $"every connection to {to} is closed in one direction, three times", s => LinkFaults.HalfCloseAsync(s, to)) { MayOpenBreaker = to == Venue },
            new($"black-hole-{to}", "Slow and broken links", $"what is sent to {to} is lost for 10 s, and these connections stay dumb", s => LinkFaults.LoseAsync(s, to)) { MayOpenBreaker = to == Venue },
        ]),

        new("venue-accepts-and-is-silent", "Venue", "a third of the orders are accepted and never answered, for 20 s", s => VenueFaults.ManyAsync(s, ("acceptThenTimeout", "order", 0.3, 10_000))) { InShortRun = true, MayOpenBreaker = true },
        new("venue-away", "Venue", "the venue answers 503 for 30 s", s => VenueFaults.AwayAsync(s, "503")) { MayOpenBreaker = true },
        new("venue-resets", "Venue", "the venue resets every connection for 30 s", s => VenueFaults.AwayAsync(s, "reset")) { MayOpenBreaker = true },
        new("venue-times-out", "Venue", "the venue answers nothing for 60 s", s => VenueFaults.ManyAsync(s, 60, ("drop", "all", 1, 60_000))) { MayOpenBreaker = true },
        new("venue-clock-ahead", "Venue", "the venue's clock goes 90 s ahead, and right again 20 s later", s => VenueFaults.ClockAsync(s, 90)) { MayOpenBreaker = true },
        new("venue-clock-behind", "Venue", "the venue's clock goes 90 s behind, and right again 20 s later", s => VenueFaults.ClockAsync(s, -90)) { MayOpenBreaker = true },

        new("venue-fills", "Venue", "orders are filled in parts and late, for 20 s", s => VenueFaults.ManyAsync(s, ("partial", "order", 0.3, 1_000), ("lateFill", "order", 0.3, 2_000))) { MayOpenBreaker = true },
        new("venue-repeats", "Venue", "every third request that places nothing is done twice, for 20 s", s => VenueFaults.ManyAsync(s, [.. new[] { "cancel", "query", "openOrders", "account", "trades" }.Select(r => ("duplicate", r, 0.3, 0))])) { MayOpenBreaker = true },
        new("venue-limits", "Venue", "every fifth request is told that there were too many, for 20 s", s => VenueFaults.ManyAsync(s, ("rateLimit", "all", 0.2, 3_000))) { MayOpenBreaker = true },
        new("venue-lies", "Venue", "half of the answers tell wrong balances, for 20 s", s => VenueFaults.ManyAsync(s, ("wrongBalances", "account", 0.5, 0))) { Spoils = true },
        new("venue-silent", "Venue", "every stream stays open and says nothing, for 20 s", s => VenueFaults.ManyAsync(s, ("silentStream", "all", 1, 0))) { MayOpenBreaker = true },
        new("venue-books", "Venue", "every book is shown as it was for 18 s, then with its sides crossed", VenueFaults.BooksAsync),
        new("all-dead", "Venue", "every service is dead for 30 s, and the market falls through every stop", Deserted.CrashAsync) { Spoils = true },

        .. new[] { "coordinator", "risk", "execution" }.SelectMany<string, Case>(n =>
        [
            new($"clock-ahead-{n}", "Clock", $"the clock of {n} goes 90 s ahead, and right again 20 s later", s => Clocks.MoveAsync(s, n, 90)) { MayOpenBreaker = n == "execution", DueLater = TimeSpan.FromSeconds(90) },
            new($"clock-behind-{n}", "Clock", $"the clock of {n} goes 90 s behind, and right again 20 s later", s => Clocks.MoveAsync(s, n, -90)) { MayOpenBreaker = n == "execution" },
        ]),

        new("somebody-buys-and-sells", "Somebody else", "coins are bought by hand, adopted, and sold by hand under their stop", Strangers.BuyAndSellAsync) { Spoils = true },
        new("somebody-bids-and-cancels", "Somebody else", "an order is placed by hand, adopted and cancelled, and so are stops of ours", Strangers.BidAndCancelAsync),

        new("dead-letters", "Dead letters", "10,000 dead letters are sent once more while the Console, Execution, RabbitMQ and PostgreSQL die again and again", DeadLetters.ReplayAsync) { Spoils = true, Alone = true },

        new("memory", "Scarce", "every service has hardly more memory than it uses, for 30 s", Scarcity.MemoryAsync) { Alone = true },
        new("cpu", "Scarce", "every service has a tenth of a processor, for 30 s", Scarcity.ProcessorAsync) { Rate = 2, Alone = true },

        new("builds", "Upgrade", "this build beside the one before, this one alone, the one before alone, and both again", Builds.UpAndBackAsync) { Layout = Builds.TwoOfAll, WithPrevious = true, Spoils = true, Alone = true },

        new("load-1000", "Load", "1,000 orders at 10 a second, 10 % of them fail: at the end all is normal and no breaker open", LoadTests.ThousandAsync) { Rate = 10, Signals = 1_000, Layout = LoadTests.Afresh, EnteredPartMin = 0.8, Alone = true },
        new("load-breaker", "Load", "the same with a venue that fails to the end, which the same check must find", LoadTests.BreakerAsync) { Rate = 10, Signals = 150, Layout = LoadTests.Afresh, Alone = true },
        new("load-5-minutes", "Load", "100 signals a second for five minutes, with a fault every 20 s", LoadTests.LongAsync) { Rate = 100, Signals = 30_000, Layout = LoadTests.Long, Spoils = true, MayOpenBreaker = true, LateWithin = TimeSpan.FromMinutes(15), EnteredPartMin = 0.3, TurnsAway = true, Alone = true },

        new("standalone-killed", "Standalone", "one process on SQLite is killed five times", StandaloneFaults.KillAsync) { Standalone = new StandaloneLayout(), InShortRun = true },
        new("standalone-frozen", "Standalone", "one process on SQLite stands still for 20 s", s => s.FreezeAsync("standalone", 20)) { Standalone = new StandaloneLayout() },
        new("standalone-disk-full", "Standalone", "the disk of one process on SQLite is full for 15 s", StandaloneFaults.FillDiskAsync) { Standalone = new StandaloneLayout(SmallDiskMegabytes: 256), Spoils = true },
    ];

    private static Case DiesAt(string point)
    {
        var (consumer, name) = (point.Split('.')[0], $"kill-{point.Replace('.', '-')}");
        return OfTheConsole.TryGetValue(consumer, out var die)
            ? new Case(name, "Killed", $"the Console dies at {point}, three times", s => die(s, point))
            : new Case(name, "Killed", $"{consumer} dies at {point}, three times", s => Processes.DieAtAsync(s, consumer, point)) { InShortRun = point is "execution.after-send" };
    }
}
