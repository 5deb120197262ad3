using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.ConsoleService.Access;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Fuzz.Making;
using Antbot.Hosting;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
using Antbot.Resilience;
using Antbot.Runtime.Store;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Antbot.Fuzz.Targets;

/// <summary>
/// What somebody who bears the token asks the Console: bodies, ids, keys and queries. It is done and recorded as it was said, or refused
/// with a reason and nothing is recorded. Everything goes through the Console's own routes.
/// </summary>
public sealed class OperatorRequestTarget : IFuzzTarget
{
    private const string Operator = "anna";
    private const string Token = "fuzz-console-token-0123456789";
    private const string Tokens = $"{Operator}={Token},ben=another-console-token-0123456789";
    private const string SignalTrade = "0123456789abcdef0123456789abcdef";
    private const string DoubtfulOrder = $"e0-{SignalTrade}";
    private const int MessageLengthMax = 1_000;

    private static readonly EventCodec Codec = new(EventRegistry.From(EventTarget.ServiceAssemblies()));

    private static readonly (string Path, string Body)[] Orders =
    [
        ("/api/control/halt", """{"Reason":"drill","By":"anna"}"""),
        ("/api/control/resume", """{"Reason":"drill is over","By":"anna@desk-1"}"""),
        ("/api/control/reduce", """{"Reason":"news","By":"b.o"}"""),
        ("/api/control/mode", """{"Mode":"Live","Reason":"opening","By":"anna"}"""),
        ("/api/control/maintenance", """{"On":true,"Reason":"new disks","By":"anna"}"""),
        ($"/api/trades/{SignalTrade}/close", """{"Reason":"enough","By":"anna"}"""),
        ($"/api/orders/{DoubtfulOrder}/settlement", """{"Reason":"the venue says nothing"}"""),
        ($"/api/orders/{DoubtfulOrder}/settlement/confirm", """{"Reason":"nor does it to me"}"""),
    ];

    /// <summary>What can be asked about, by a name in its path.</summary>
    private static readonly (string Before, string After)[] Named = [("trades", ""), ("trades", "/close"), ("reconciliation", ""), ("orders", "/settlement"), ("orders", "/settlement/confirm")];

    private static readonly string[] Lists = ["trades", "orders", "positions"];

    private static readonly string[] Words =
    [
        "", "a", "Open", "open,Closed", "Open,", "3", "-1", "99999999999", "BTCUSDT", "btc usdt", "main", SignalTrade, SignalTrade[..4], "0123", "ABCD", "%00", "\u0000", "'; drop table x; --", "../..", "ü€😀", "\ud800", "1e5", "NaN", "1000", "1001", "0",
        new('x', 300), new('9', 5_000),
    ];

    private static readonly string[] Names = ["state", "symbol", "account", "trade", "limit", "after", "State", "x", "", "limit[]"];

    private readonly ServiceProvider _services = Services();
    private readonly RequestDelegate _pipeline;

    public OperatorRequestTarget()
    {
        var app = new ApplicationBuilder(_services);
        app.UseRouting();
        app.UseEndpoints(routes =>
        {
            ReadRoutes.Map(routes);
            ControlRoutes.Map(routes);
            SettlementRoutes.Map(routes);
            routes.MapGuardedRest();
        });
        _pipeline = app.Build();
    }

    public string Name => "operator-request";

    public string What => "what an operator asks the Console";

    public int Cases => 100_000;

    public FuzzOutcome Try(Random random) => TryAsync(random).GetAwaiter().GetResult();

    private async Task<FuzzOutcome> TryAsync(Random random)
    {
        await using var scope = _services.CreateAsyncScope();
        using var answer = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = scope.ServiceProvider, Response = { Body = answer } };
        context.Request.Headers.Authorization = $"Bearer {Token}";
        if (random.Next(4) == 0)
            AskForAList(context.Request, random);
        else
            GiveAnOrder(context.Request, random);
        await _pipeline(context);
        return await JudgeAsync(context, answer.ToArray(), scope.ServiceProvider.GetRequiredService<IEventStore>());
    }

    private static void AskForAList(HttpRequest request, Random random)
    {
        request.Method = HttpMethods.Get;
        request.Path = new PathString(random.Next(5) switch
        {
            0 => $"/api/trades/{PathWord(random)}",
            1 => random.Next(2) == 0 ? "/api/reconciliation/main" : $"/api/reconciliation/{PathWord(random)}",
            _ => $"/api/{Lists[random.Next(Lists.Length)]}",
        });
        var query = QueryString.Empty;
        for (var n = random.Next(4); n > 0; n--)
            query = query.Add(Names[random.Next(Names.Length)], Word(random));
        request.QueryString = query;
    }

    private static void GiveAnOrder(HttpRequest request, Random random)
    {
        var (path, body) = Orders[random.Next(Orders.Length)];
        request.Method = HttpMethods.Post;
        request.Path = path;
        if (random.Next(10) == 0 && Named[random.Next(Named.Length)] is var (before, after))
            request.Path = new PathString($"/api/{before}/{PathWord(random)}{after}");
        request.Body = new MemoryStream(Mutator.Spoil(body, random));
        if (random.Next(5) == 0)
            request.Headers["Idempotency-Key"] = Word(random);
    }

    private static string Word(Random random) => random.Next(4) == 0 ? new string((char)random.Next(1, 0x2fff), random.Next(1, 120)) : Words[random.Next(Words.Length)];

    private static string PathWord(Random random) => Word(random).Replace('/', '-');

    private static async Task<FuzzOutcome> JudgeAsync(HttpContext context, byte[] answer, IEventStore store)
    {
        var events = (await store.ReadPageAsync(AnsweringStore.Before, 10)).Select(Codec.Decode).ToList();
        using var said = JsonDocument.Parse(answer);
        var what = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} was answered {context.Response.StatusCode} {Encoding.UTF8.GetString(answer)}";
        switch (context.Response.StatusCode)
        {
            case StatusCodes.Status200OK when HttpMethods.IsGet(context.Request.Method):
                return events.Count == 0 ? FuzzOutcome.Taken : throw new FuzzException($"{what}, and {events[0]} was recorded.");
            case StatusCodes.Status200OK or StatusCodes.Status202Accepted:
                Defined.Check(events);
                return events is [ActivitySet or TradingModeSet or MaintenanceSet, OperatorCommandRecorded { ControlVersion: 1 } done] && IsSound(done.Reason, done.By) || events is [TradeCloseOrdered close] && IsSound(close.Reason, close.By)
                    || events is [OrderSettlementOrdered { By: Operator, Order.Value: DoubtfulOrder } settle, ..] && IsSound(settle.Reason, settle.By) && events.Count == (AnsweringStore.AnswerTo(settle) is null ? 1 : 2)
                    ? FuzzOutcome.Taken
                    : throw new FuzzException($"{what}, and [{string.Join(", ", events)}] was recorded.");
            case >= 400 and < 500:
                // What was asked for is history, and so is that it was refused.
                if (events.Count > 0 && events is not [OrderSettlementOrdered, OrderSettlementRefused])
                    throw new FuzzException($"{what}, and {events[0]} was recorded.");
                return said.RootElement.GetProperty("Message").GetString() is { Length: > 0 and <= MessageLengthMax } && said.RootElement.GetProperty("Error").GetString() is { Length: > 0 }
                    ? FuzzOutcome.Refused
                    : throw new FuzzException($"{what}: no reason, or more than anybody would read.");
            default:
                throw new FuzzException(what);
        }
    }

    private static bool IsSound(string reason, string by) => ControlCommands.ReasonFault(reason) is null && ControlCommands.OperatorFault(by) is null;

    /// <summary>As the Console's module puts it together, with a store of its own for each request.</summary>
    private static ServiceProvider Services() => new ServiceCollection()
        .AddLogging()
        .AddRouting()
        .AddSingleton(new DiagnosticListener("fuzz"))
        .AddSingleton<TimeProvider>(new HurriedClock())
        .AddSingleton(Codec)
        .AddSingleton(new ConsoleOptions { Token = Tokens })
        .AddSingleton<Bearer>()
        .AddSingleton<IDegradation, Normal>()
        .AddSingleton<IReadModels, OneTrade>()
        .AddScoped<IEventStore>(_ => new AnsweringStore(new InMemoryEventStore(DeterministicId.From("fuzz"))))
        .AddSingleton<BreakerPanel>()
        .AddScoped<ServiceHealth>()
        .AddScoped<ViewProjection>()
        .AddScoped<ReadModelQueries>()
        .AddScoped<AccessBook>()
        .AddScoped<Audit>()
        .AddScoped<ReadRoutes>()
        .AddScoped<ControlRoutes>()
        .AddScoped<SettlementRoutes>()
        .BuildServiceProvider();

    private sealed class Normal : IDegradation
    {
        public DegradationLevel Level => DegradationLevel.Normal;
    }

    /// <summary>A second passes whenever somebody looks, and nobody waits.</summary>
    private sealed class HurriedClock : TimeProvider
    {
        private long _seconds;

        public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero).AddSeconds(Interlocked.Increment(ref _seconds));

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => System.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? TimeSpan.Zero : dueTime, period);
    }

    /// <summary>Begins with an order in doubt and a reconciled account, and answers to a settlement at once, as Execution does; to some it never does.</summary>
    private sealed class AnsweringStore : IEventStore
    {
        private static readonly AccountId Main = new("main");
        private static readonly ClientOrderId Order = new(DoubtfulOrder);

        private readonly InMemoryEventStore _inner;

        public AnsweringStore(InMemoryEventStore inner)
        {
            _inner = inner;
            Append(Streams.Order(TradeId.From(SignalTrade)), new OrderIntended(Order, TradeId.From(SignalTrade), Main, OrderRole.Entry, new Symbol("BTCUSDT"), Side.Buy, OrderKind.Market, new Quantity(1), null, null, ReduceOnly: false, null, "fuzz", null));
            Append(Streams.Reconciliation(Main), new StartReconciled(1, Main, "fuzz", 1, 0, 0));
        }

        /// <summary>The last sequence of what it begins with.</summary>
        public const long Before = 2;

        public ILedger Ledger => _inner.Ledger;

        public long AppendMark => _inner.AppendMark;

        /// <summary>What is said is decided by the words alone; null for nothing at all.</summary>
        public static object? AnswerTo(OrderSettlementOrdered said) => (said.Reason.Length % 4) switch
        {
            0 => null,
            1 => new OrderSettlementProposed(said.Order, said.Request, said.By, said.Reason, "the venue says nothing", DateTimeOffset.UnixEpoch),
            2 => new OrderSettlementRefused(said.Order, said.Request, said.By, said.Reason, [new Verdict("in-doubt", Passed: false, "it is Filled")]),
            _ => new OrderSettled(said.Order, said.Request, said.By, said.Reason, "ben", "the venue says nothing"),
        };

        public async Task<AppendOutcome> AppendAsync(AppendRequest request, CancellationToken cancellationToken = default)
        {
            var outcome = await _inner.AppendAsync(request, cancellationToken);
            if (outcome is AppendOutcome.Appended { Events: [var stored] } && Codec.Find<OrderSettlementOrdered>(stored) is { } said && AnswerTo(said) is { } answer)
                Append(Streams.Order(said.Trade), answer);
            return outcome;
        }

        public Task<IReadOnlyList<StoredEvent>> FindDecisionAsync(Decision decision, CancellationToken cancellationToken = default) => _inner.FindDecisionAsync(decision, cancellationToken);

        public Task<long> ReadVersionAsync(StreamId stream, CancellationToken cancellationToken = default) => _inner.ReadVersionAsync(stream, cancellationToken);

        public IAsyncEnumerable<StoredEvent> ReadStreamAsync(StreamId stream, long fromVersion = 1, CancellationToken cancellationToken = default) => _inner.ReadStreamAsync(stream, fromVersion, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> ReadPageAsync(long afterSequence, int limit, CancellationToken cancellationToken = default) => _inner.ReadPageAsync(afterSequence, limit, cancellationToken);

        public Task<IReadOnlyList<StoredEvent>> FindByCorrelationAsync(string correlationId, int limit = 1_000, CancellationToken cancellationToken = default) => _inner.FindByCorrelationAsync(correlationId, limit, cancellationToken);

        public Task WaitForAppendAsync(long mark, TimeSpan atMost, CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task<long> LoadCheckpointAsync(string subscription, CancellationToken cancellationToken = default) => _inner.LoadCheckpointAsync(subscription, cancellationToken);

        public Task SaveCheckpointAsync(string subscription, long sequence, CancellationToken cancellationToken = default) => _inner.SaveCheckpointAsync(subscription, sequence, cancellationToken);

        public Task<Snapshot?> LoadSnapshotAsync(StreamId stream, string name, CancellationToken cancellationToken = default) => _inner.LoadSnapshotAsync(stream, name, cancellationToken);

        public Task SaveSnapshotAsync(Snapshot snapshot, CancellationToken cancellationToken = default) => _inner.SaveSnapshotAsync(snapshot, cancellationToken);

        public ValueTask DisposeAsync() => _inner.DisposeAsync();

        private void Append(StreamId stream, object @event) => _inner.Append(PreparedAppend.From(new AppendRequest
        {
            Stream = stream,
            Expected = ExpectedVersion.Any,
            Decision = new Decision(DeterministicId.From("fuzz", stream.Value, @event.GetType().Name), "fuzz"),
            Events = [Codec.Encode(@event)],
            At = DateTimeOffset.UnixEpoch,
        }));
    }

    /// <summary>What there is to see: one open trade.</summary>
    private sealed class OneTrade : IReadModels
    {
        private static readonly ViewRow Row = new(
            ViewTable.Trades, SignalTrade, 1, SignalTrade, "main", "BTCUSDT", nameof(TradePhase.Open), DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch,
            JsonSerializer.SerializeToUtf8Bytes(
                new TradeView(
                    TradeId.From(SignalTrade), new AccountId("main"), new Symbol("BTCUSDT"), Side.Buy, "webhook:fuzz", TradePhase.Open, false, ReconciledPart.Nothing, 0, DateTimeOffset.UnixEpoch,
                    DateTimeOffset.UnixEpoch, null, new Price(65_000), new Money(100), 0.9m, null, null, null, null, null, null, null, null, "", []),
                ReadModelJson.Options));

        public Task<long> ReadPositionAsync(CancellationToken cancellationToken = default) => Task.FromResult(1L);

        public Task<IReadOnlyDictionary<RowKey, ViewRow>> FindAsync(IReadOnlyCollection<RowKey> keys, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyDictionary<RowKey, ViewRow>>(keys.Contains(Row.Key) ? ImmutableDictionary<RowKey, ViewRow>.Empty.Add(Row.Key, Row) : ImmutableDictionary<RowKey, ViewRow>.Empty);

        public Task<bool> ApplyAsync(long from, long to, IReadOnlyCollection<ViewRow> rows, CancellationToken cancellationToken = default) => throw new NotSupportedException("Nothing follows the history here.");

        public Task ClearAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException("Nothing is forgotten here.");

        public Task<IReadOnlyList<ViewRow>> ListAsync(ViewTable table, ViewQuery query, CancellationToken cancellationToken = default) =>
            Task.FromResult<IReadOnlyList<ViewRow>>(table == ViewTable.Trades && (query.IdPrefix is not { } prefix || SignalTrade.StartsWith(prefix, StringComparison.Ordinal)) ? [Row] : []);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
