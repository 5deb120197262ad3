using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Market;
using Antbot.Contracts.Messages;
using Antbot.Contracts.Venue;
using Antbot.EventStore.Proof;
using Antbot.Execution;
using Antbot.Forensics;
using Antbot.Integration.Tests.Support;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Control;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Strategies;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>Makes the histories of the corpus, the same ones each time: runs of the simulator that together show as much as they can, and what it has not in it.</summary>
internal static class CorpusMaker
{
    private const ulong Seeds = 300;
    private const int TradesMax = 3;
    private const long BytesMax = 1_600_000;

    public static async Task MakeAsync(CancellationToken cancellationToken)
    {
        foreach (var old in Corpus.Histories)
            File.Delete(old);
        var operators = await OperatorsAsync();
        await File.WriteAllBytesAsync(Path.Combine(Corpus.Folder, "operators.jsonl"), await ExportAsync(operators), cancellationToken);
        var runs = new List<(ulong Seed, byte[] Export, HashSet<string> Shows)>();
        for (var seed = 1UL; seed <= Seeds; seed++)
        {
            var plan = Planner.From(seed);
            var world = SimRun.WorldOf(plan with { Trades = Math.Min(plan.Trades, TradesMax) });
            if (world.Checker.Violations.Count == 0)
                runs.Add((seed, await ExportAsync(world.Disk.Data), await ShowsAsync(world.Disk.Data)));
        }
        var (shown, bytes) = (new HashSet<string>(StringComparer.Ordinal), 0L);
        while (runs.Where(r => bytes + r.Export.Length <= BytesMax).OrderByDescending(r => (double)r.Shows.Count(s => !shown.Contains(s)) / r.Export.Length).FirstOrDefault() is { Export: not null } best && !best.Shows.IsSubsetOf(shown))
        {
            await File.WriteAllBytesAsync(Path.Combine(Corpus.Folder, $"seed-{best.Seed:000}.jsonl"), best.Export, cancellationToken);
            shown.UnionWith(best.Shows);
            bytes += best.Export.Length;
            runs.Remove(best);
        }
    }

    /// <summary>The kinds of decisions in a history: what was decided on, and what came of it.</summary>
    private static async Task<HashSet<string>> ShowsAsync(IEventStore store)
    {
        var codec = new EventCodec(StreamKinds.Registry);
        var shows = new HashSet<string>(StringComparer.Ordinal);
        var kinds = new List<string>();
        string? before = null;
        foreach (var stored in await store.ReadPageAsync(0, 10_000))
        {
            var decision = $"{stored.Stream} {stored.CausationId}";
            if (decision != before)
            {
                shows.Add(string.Join(' ', kinds));
                kinds.Clear();
            }
            before = decision;
            kinds.Add(codec.Find<OrderInput>(stored) is { } input ? input.Kind.ToString() : stored.Type);
        }
        shows.Add(string.Join(' ', kinds));
        return shows;
    }

    /// <summary>Tokens that are made, refused and revoked, words to the control stream, and what strategies thought on a market that wanders.</summary>
    private static async Task<InMemoryEventStore> OperatorsAsync()
    {
        var store = new InMemoryEventStore(DeterministicId.From("corpus", "operators"));
        var (clock, codec, random) = (new ManualClock(new DateTimeOffset(2026, 3, 2, 9, 30, 0, TimeSpan.Zero)), new EventCodec(StreamKinds.Registry), new Random(1));
        var parts = new PipelineParts(store, codec, new RecordingBus(), clock, NoCrashPoints.Instance);
        await AccessAsync(parts, clock, random);
        object[] words =
        [
            new SetTradingMode(TradingMode.Live, "the practice is over", "operator:anna"), new SetActivity(Activity.Reducing, "late", "operator:ben"), new SetActivity(Activity.Halted, "looks wrong", "operator:anna"),
            new SetMaintenance(On: true, "a new disk", "operator:ben"), new SetMaintenance(On: false, "", "operator:ben"), new SetActivity(Activity.Active, "was a disk", "operator:anna"),
        ];
        for (var i = 0; i < words.Length; i++)
        {
            clock.Move(TimeSpan.FromSeconds(random.Next(600)));
            await ControlCommands.SendAsync(store, codec, words[i], DeterministicId.From("corpus-word", $"{i}"), "operator:anna", clock);
        }
        await StrategiesAsync(store, codec, random);
        await UnsentOrderAsync(parts, clock);
        return store;
    }

    private static async Task AccessAsync(PipelineParts parts, ManualClock clock, Random random)
    {
        var access = new StreamPipeline<AccessState>(parts, AccessDecider.Behaviour);
        for (var i = 0; i < 60; i++)
        {
            clock.Move(TimeSpan.FromHours(random.Next(100)));
            var (request, name) = (DeterministicId.From("corpus-request", $"{i}"), $"name-{random.Next(9)}");
            var expires = random.Next(3) switch
            {
                0 => (DateTimeOffset?)null,
                1 => clock.GetUtcNow().AddDays(random.Next(1, 30)),
                _ => clock.GetUtcNow().AddDays(random.Next(-5, 500)),
            };
            object word = random.Next(4) == 0
                ? new RevokeToken(request, name, "gone", "anna")
                : new MakeToken(request, name, (Role)random.Next(1, 4), DeterministicId.From("corpus-token", $"{i}").ToString("N"), expires, "asked for", "anna", ["file", "name-8"]);
            await access.HandleAsync(Streams.Access, new Input(request, word, request.ToString("N"), "operator:anna"));
        }
    }

    private static async Task StrategiesAsync(InMemoryEventStore store, EventCodec codec, Random random)
    {
        var watch = Watch.Begin([new EmaCross(3, 8), new RsiReversion(5, 30, 70)], TimeSpan.FromMinutes(3));
        var (at, price) = (new DateTimeOffset(2026, 3, 3, 0, 0, 0, TimeSpan.Zero), 100m);
        for (var i = 0; i < 400; i++)
        {
            (at, price) = (at.AddMinutes(1), Math.Max(1, price + random.Next(-100, 101) / 100m));
            var candle = new Candle(new Symbol("BTCUSDT"), TimeSpan.FromMinutes(1), at.AddMinutes(-1), new Price(price), new Price(price), new Price(price), new Price(price), new Quantity(random.Next(1, 9)));
            (watch, var thoughts) = watch.On(candle);
            foreach (var recorded in thoughts.Select(t => SignalDecider.FromThought(t, SignalTerms.Default, at.AddMilliseconds(random.Next(2_000)))))
            {
                var trade = recorded.Signal.Trade;
                await store.AppendAsync(new AppendRequest
                {
                    Stream = Streams.Signal(trade), Expected = ExpectedVersion.None, Decision = new Decision(trade.Guid, SignalDecider.Consumer), Events = [codec.Encode(recorded)], At = recorded.Signal.RaisedAt,
                    Meta = new EventMeta(trade.Value, trade.Value, "service:signal"),
                });
            }
        }
    }

    /// <summary>An entry that never left, because nobody was there to connect to; the simulator's venue can always be connected to.</summary>
    private static async Task UnsentOrderAsync(PipelineParts parts, ManualClock clock)
    {
        var (trade, symbol, now) = (new TradeId(DeterministicId.From("corpus-unsent")), new Symbol("BTCUSDT"), clock.GetUtcNow());
        var orders = new StreamPipeline<OrdersState>(parts, ExecutionDecider.Behaviour);
        var signal = new Signal(trade, new AccountId("main"), "webhook", symbol, Side.Buy, OrderKind.Market, new Price(100), null, new Price(95), null, new Money(50), 0.9m, now, now.AddMinutes(5));
        var rules = new SymbolRules(symbol, "BTC", "USDT", 0.01m, 0.0001m, new Quantity(0.0001m), new Quantity(9_000), new Money(5));
        var entry = ClientOrderId.Of(trade, OrderRole.Entry, 0);
        await DecideAsync(new Enter(signal, new Money(50), rules, new Price(100), new ExecutionPolicy(0.02m, null, 0.04m, 3_600, 3, 0.005m, 0.02m, 5, 1_000, HalfSizeFallback: true, EndsWithSignal: true), Stamp()));
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            await DecideAsync(new AttemptAnswered(entry, attempt, new VenueAnswer<OrderReport>.NotSent("connection refused", attempt == 1 ? TimeSpan.FromSeconds(2) : null), Stamp()));
            clock.Move(TimeSpan.FromSeconds(20));
            await DecideAsync(new Proceed(new Price(99.99m), new Price(100.01m), Stamp()));
        }

        Stamp Stamp() => new(clock.GetUtcNow(), 3_000, 6, null, null, new Price(100));

        Task DecideAsync(ExecutionInput input) => orders.HandleAsync(Streams.Order(trade), new Input(DeterministicId.From("corpus-unsent", clock.GetUtcNow().ToString("O"), input.GetType().Name), input, trade.Value, "service:execution"));
    }

    private static async Task<byte[]> ExportAsync(InMemoryEventStore store)
    {
        using var output = new MemoryStream();
        await Exporter.ExportAsync(store.Ledger, output);
        return output.ToArray();
    }
}
