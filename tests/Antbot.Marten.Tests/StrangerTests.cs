using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Postgres;
using Antbot.Runtime.Store;
using JasperFx.Events;
using JasperFx.Events.Projections;
using Marten;
using Xunit;

namespace Antbot.MartenTests;

/// <summary>A real Marten opens, reads and projects what the Npgsql engine wrote.</summary>
public sealed class StrangerTests(PostgresFixture fixture) : IAsyncLifetime
{
    private readonly Stores _stores = new(fixture);
    private PostgresEventStore _store = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await _stores.CreateAsync();
        _store = _stores.OpenNpgsql();
    }

    public async ValueTask DisposeAsync()
    {
        await _store.DisposeAsync();
        await _stores.DropAsync();
    }

    [Fact]
    public async Task Martens_migration_alters_and_drops_nothing()
    {
        await AppendAsync(Orders.Opened(Some.Stream()) with { Meta = new EventMeta("c", "d", "e", "f") });
        await AppendAsync(Orders.Opened(Some.Stream()));
        await _store.SaveCheckpointAsync("trades", 3, Cancel);
        var rowsBefore = await Layout.RowsAsync(_stores.ConnectionString, "public.mt_streams", "public.mt_events", "antbot.ledger", "antbot.identity");
        var progressBefore = await Layout.RowsAsync(_stores.ConnectionString, "public.mt_event_progression");
        var tablesBefore = await Layout.OfAsync(_stores.ConnectionString, "public", Layout.MartenTables);
        var progressionBefore = await Layout.OfAsync(_stores.ConnectionString, "public", "mt_event_progression");
        var oursBefore = await Layout.OfAsync(_stores.ConnectionString, "antbot", Layout.OurTables);
        var functionsBefore = await Layout.FunctionsAsync(_stores.ConnectionString, "antbot");

        await using (var marten = Orders.OpenStranger(_stores.ConnectionString))
            await marten.Storage.ApplyAllConfiguredChangesToDatabaseAsync();

        Assert.Equal(rowsBefore, await Layout.RowsAsync(_stores.ConnectionString, "public.mt_streams", "public.mt_events", "antbot.ledger", "antbot.identity"));
        Assert.Equal(tablesBefore, await Layout.OfAsync(_stores.ConnectionString, "public", Layout.MartenTables));
        Assert.Equal(oursBefore, await Layout.OfAsync(_stores.ConnectionString, "antbot", Layout.OurTables));
        Assert.Equal(functionsBefore, await Layout.FunctionsAsync(_stores.ConnectionString, "antbot"));
        // Later releases add the daemon's columns here; ours, and what is in them, stay.
        Assert.Superset(progressionBefore.ToHashSet(), (await Layout.OfAsync(_stores.ConnectionString, "public", "mt_event_progression")).ToHashSet());
        var progressAfter = await Layout.RowsAsync(_stores.ConnectionString, "public.mt_event_progression");
        Assert.All(progressBefore, before => Assert.Contains(progressAfter, after => Layout.Holds(Body(after), Body(before))));
        Assert.Equal(3, await _store.LoadCheckpointAsync("trades", Cancel));
        await AppendAsync(Orders.Opened(Some.Stream()));
        Assert.Empty(await _store.Ledger.FindHeadMismatchesAsync(10, Cancel));
    }

    [Fact]
    public async Task Marten_reads_typed_events_with_their_metadata_and_versions()
    {
        var stream = Some.Stream();
        var request = Orders.Opened(stream) with { Meta = new EventMeta("corr", "cause", "operator:łucja", "trace-1") };
        var appended = await AppendAsync(request);
        await AppendAsync(Orders.Append(stream, new OrderFilled(1m, 2.5m)));

        await using var marten = Orders.OpenStranger(_stores.ConnectionString);
        await using var session = marten.QuerySession();
        var events = await session.Events.FetchStreamAsync(stream.Value, token: Cancel);

        Assert.Equal([1L, 2L, 3L, 4L], events.Select(e => e.Version));
        Assert.Equal(new OrderOpened("BTCUSDT", 1.50m, Side.Sell), events[0].Data);
        Assert.Equal(new OrderFilled(0.25m, 60000.10m), events[1].Data);
        Assert.Equal(new OrderFilled(0.0000001m, 60000.2m), events[2].Data);
        Assert.Equal(new OrderFilled(1m, 2.5m), events[3].Data);
        for (var i = 0; i < appended.Count; i++)
            AssertSame(appended[i], events[i]);
        Assert.Equal("trace-1", events[0].GetHeader(EventHeaders.TraceId)?.ToString());
        Assert.Null(events[3].CorrelationId);
    }

    [Fact]
    public async Task A_live_aggregation_folds_our_events()
    {
        var stream = Some.Stream();
        await AppendAsync(Orders.Opened(stream));

        await using var marten = Orders.OpenStranger(_stores.ConnectionString, o => o.Projections.Add<OrderProjection>(ProjectionLifecycle.Live));
        await using var session = marten.QuerySession();
        AssertOpened(stream, await session.Events.AggregateStreamAsync<OrderView>(stream.Value, token: Cancel), fills: 2, filled: 0.2500001m);
    }

    [Fact]
    public async Task The_async_daemon_projects_our_events_and_its_own()
    {
        var stream = Some.Stream();
        await AppendAsync(Orders.Opened(stream));
        await using var marten = Orders.OpenStranger(_stores.ConnectionString, o => o.Projections.Add<OrderProjection>(ProjectionLifecycle.Async));
        await marten.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        await AppendAsync(marten, stream, new OrderFilled(0.5m, 60001m));

        using (var daemon = await marten.BuildProjectionDaemonAsync())
        {
            await daemon.StartAllAsync();
            await daemon.WaitForNonStaleData(TimeSpan.FromSeconds(30));
            await daemon.StopAllAsync();
        }

        await using var session = marten.QuerySession();
        AssertOpened(stream, await session.LoadAsync<OrderView>(stream.Value, Cancel), fills: 3, filled: 0.7500001m);
        Assert.Equal(0, await _store.LoadCheckpointAsync("trades", Cancel));
    }

    [Fact]
    public async Task An_inline_projection_works_beside_our_tables()
    {
        var stream = Some.Stream();
        await using var marten = Orders.OpenStranger(_stores.ConnectionString, o => o.Projections.Add<OrderProjection>(ProjectionLifecycle.Inline));
        await AppendAsync(marten, stream, new OrderOpened("ETHUSDT", 2m, Side.Buy), new OrderFilled(2m, 3000m));

        await using var session = marten.QuerySession();
        var view = await session.LoadAsync<OrderView>(stream.Value, Cancel);
        Assert.NotNull(view);
        Assert.Equal(("ETHUSDT", Side.Buy, 2m, 1), (view.Symbol, view.Side, view.Filled, view.Fills));
        Assert.Equal(2, await _store.ReadVersionAsync(stream, Cancel));
    }

    internal static async Task AppendAsync(DocumentStore marten, StreamId stream, params object[] events)
    {
        await using var session = marten.LightweightSession();
        session.Events.Append(stream.Value, events);
        await session.SaveChangesAsync(Cancel);
    }

    private async Task<IReadOnlyList<StoredEvent>> AppendAsync(AppendRequest request) =>
        Assert.IsType<AppendOutcome.Appended>(await _store.AppendAsync(request, Cancel)).Events;

    private static string Body(string row) => row[row.IndexOf('{', StringComparison.Ordinal)..];

    private static void AssertSame(StoredEvent ours, IEvent theirs)
    {
        Assert.Equal(ours.EventId, theirs.Id);
        Assert.Equal(ours.Sequence, theirs.Sequence);
        Assert.Equal(ours.Stream, theirs.StreamKey);
        Assert.Equal(ours.Timestamp, theirs.Timestamp.ToUniversalTime());
        Assert.Equal(ours.CorrelationId, theirs.CorrelationId);
        Assert.Equal(ours.CausationId, theirs.CausationId);
        Assert.Equal(ours.Actor, theirs.UserName);
        Assert.Equal(ours.Type, theirs.EventTypeName);
    }

    private static void AssertOpened(StreamId stream, OrderView? view, int fills, decimal filled)
    {
        Assert.NotNull(view);
        Assert.Equal(stream.Value, view.Id);
        Assert.Equal(("BTCUSDT", Side.Sell, 1.50m), (view.Symbol, view.Side, view.Ordered));
        Assert.Equal((fills, filled), (view.Fills, view.Filled));
    }
}
