using System.Collections.Immutable;
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Fuzz.Making;
using Antbot.Hosting;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Control;
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
    private const string Token = "fuzz-console-token-0123456789";
    private const string SignalTrade = "0123456789abcdef0123456789abcdef";
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
    ];

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
        request.Path = random.Next(5) == 0 ? new PathString($"/api/trades/{Word(random).Replace('/', '-')}") : $"/api/{Lists[random.Next(Lists.Length)]}";
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
        request.Body = new MemoryStream(Mutator.Spoil(body, random));
        if (random.Next(5) == 0)
            request.Headers["Idempotency-Key"] = Word(random);
    }

    private static string Word(Random random) => random.Next(4) == 0 ? new string((char)random.Next(1, 0x2fff), random.Next(1, 120)) : Words[random.Next(Words.Length)];

    private static async Task<FuzzOutcome> JudgeAsync(HttpContext context, byte[] answer, IEventStore store)
    {
        var events = (await store.ReadPageAsync(0, 10)).Select(Codec.Decode).ToList();
        using var said = JsonDocument.Parse(answer);
        var what = $"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} was answered {context.Response.StatusCode} {Encoding.UTF8.GetString(answer)}";
        switch (context.Response.StatusCode)
        {
            case StatusCodes.Status200OK when HttpMethods.IsGet(context.Request.Method):
                return events.Count == 0 ? FuzzOutcome.Taken : throw new FuzzException($"{what}, and {events[0]} was recorded.");
            case StatusCodes.Status200OK or StatusCodes.Status202Accepted:
                Defined.Check(events);
                return events is [ActivitySet or TradingModeSet or MaintenanceSet, OperatorCommandRecorded { ControlVersion: 1 } done] && IsSound(done.Reason, done.By) || events is [TradeCloseOrdered close] && IsSound(close.Reason, close.By)
                    ? FuzzOutcome.Taken
                    : throw new FuzzException($"{what}, and [{string.Join(", ", events)}] was recorded.");
            case >= 400 and < 500:
                if (events.Count > 0)
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
        .AddSingleton(TimeProvider.System)
        .AddSingleton(Codec)
        .AddSingleton(new ConsoleOptions { Token = Token })
        .AddSingleton<Bearer>()
        .AddSingleton<IDegradation, Normal>()
        .AddSingleton<IReadModels, OneTrade>()
        .AddScoped<IEventStore>(_ => new InMemoryEventStore(DeterministicId.From("fuzz")))
        .AddScoped<ServiceHealth>()
        .AddScoped<ViewProjection>()
        .AddScoped<ReadModelQueries>()
        .AddScoped<Audit>()
        .AddScoped<ReadRoutes>()
        .AddScoped<ControlRoutes>()
        .BuildServiceProvider();

    private sealed class Normal : IDegradation
    {
        public DegradationLevel Level => DegradationLevel.Normal;
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
