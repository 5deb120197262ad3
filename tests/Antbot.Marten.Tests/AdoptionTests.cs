using Antbot.EventStore.Contract;
using Antbot.EventStore.Marten;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Postgres;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;
using JasperFx.Events;
using Xunit;

namespace Antbot.MartenTests;

/// <summary>What a real Marten appended becomes part of the proof; what both engines append stays one history.</summary>
public sealed class AdoptionTests(PostgresFixture fixture) : IAsyncLifetime
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

    [Theory]
    [InlineData(EventAppendMode.Rich)]
    [InlineData(EventAppendMode.Quick)]
    [InlineData(EventAppendMode.QuickWithServerTimestamps)]
    public async Task The_sealer_adopts_what_a_Marten_appended(EventAppendMode mode)
    {
        var (existing, fresh) = (Some.Stream(), Some.Stream());
        var ours = await AppendAsync(_store, Orders.Opened(existing));
        await using (var marten = Orders.OpenStranger(_stores.ConnectionString, o => o.Events.AppendMode = mode))
        {
            await using var session = marten.LightweightSession();
            session.CorrelationId = "theirs";
            session.Events.Append(existing.Value, new OrderFilled(0.5m, 1.10m));
            session.Events.Append(fresh.Value, new OrderOpened("ETHUSDT", 3m, Side.Buy), new OrderFilled(3m, 0.30m));
            await session.SaveChangesAsync(Cancel);
        }

        var unsealed = await _store.Ledger.FindUnsealedAsync(10, Cancel);
        Assert.Equal(3, unsealed.Count);
        Assert.DoesNotContain(unsealed, e => ours.Any(o => o.EventId == e.EventId));
        Assert.Equal(ours.Count, (await PageAsync()).Count);

        Assert.Equal(3, (await _store.Ledger.SealAsync(10, cancellationToken: Cancel)).Sealed);

        Assert.Empty(await _store.Ledger.FindUnsealedAsync(10, Cancel));
        Assert.Empty(await _store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.Equal([false, false, false, true, true, true], await VerifiedAsync());
        Assert.Equal(ours.Select(e => e.EventId).Concat(unsealed.Select(e => e.EventId)), (await PageAsync()).Select(e => e.EventId));
        Assert.Equal(3, (await _store.FindByCorrelationAsync("theirs", cancellationToken: Cancel)).Count);
        var read = await StreamAsync(_store, fresh.Value);
        Assert.Equal(["order_opened_v2", "order_part_filled"], read.Select(e => e.Type));
        Assert.Equal(new OrderFilled(3m, 0.30m), new EventCodec(Orders.Registry).Decode(read[1]));
    }

    [Fact]
    public async Task A_version_that_the_other_engine_took_is_a_conflict()
    {
        await using var marten = _stores.OpenMarten();
        var stream = Some.Stream();
        await AppendAsync(marten, Orders.Opened(stream) with { Expected = ExpectedVersion.None });
        await AppendAsync(_store, Orders.Append(stream, new OrderFilled(1m, 1m)) with { Expected = ExpectedVersion.Exactly(3) });

        var late = Orders.Append(stream, new OrderFilled(2m, 2m)) with { Expected = ExpectedVersion.Exactly(3) };
        var conflict = new AppendOutcome.Conflict(stream, ExpectedVersion.Exactly(3), 4);
        Assert.Equal(conflict, await marten.AppendAsync(late, Cancel));
        Assert.Equal(conflict, await _store.AppendAsync(late, Cancel));

        await using (var stranger = Orders.OpenStranger(_stores.ConnectionString))
            await StrangerTests.AppendAsync(stranger, stream, new OrderFilled(5m, 5m));
        var later = Orders.Append(stream, new OrderFilled(2m, 2m)) with { Expected = ExpectedVersion.Exactly(4) };
        Assert.Equal(new AppendOutcome.Conflict(stream, ExpectedVersion.Exactly(4), 5), await marten.AppendAsync(later, Cancel));
    }

    [Fact]
    public async Task Both_engines_and_a_stranger_append_at_once_and_the_history_is_one()
    {
        const int Each = 40;
        await using var marten = _stores.OpenMarten();
        await using var stranger = Orders.OpenStranger(_stores.ConnectionString);
        await stranger.Storage.ApplyAllConfiguredChangesToDatabaseAsync();
        var shared = Some.Stream();

        var work = Enumerable.Range(0, Each).SelectMany(i => new[]
        {
            Task.Run(() => AppendAsync(marten, Orders.Append(shared, new OrderFilled(i, 1m))), Cancel),
            Task.Run(() => AppendAsync(_store, Orders.Append(shared, new OrderFilled(i, 2m))), Cancel),
        }).ToList();
        for (var i = 0; i < Each; i++)
            await StrangerTests.AppendAsync(stranger, Some.Stream(), new OrderFilled(i, 3m));
        await Task.WhenAll(work);
        while ((await _store.Ledger.SealAsync(100, cancellationToken: Cancel)).Sealed > 0)
        {
        }

        Assert.Equal(Enumerable.Range(1, 2 * Each).Select(v => (long)v), (await StreamAsync(_store, shared.Value)).Select(e => e.Version));
        Assert.Equal(Each, (await VerifiedAsync()).Count(foreign => foreign));
        Assert.Empty(await _store.Ledger.FindHeadMismatchesAsync(10, Cancel));
    }

    [Fact]
    public async Task An_append_through_Marten_leaves_the_row_that_the_other_engine_would_have_written()
    {
        await using var marten = _stores.OpenMarten();
        var (one, other) = (Some.Stream(), Some.Stream());
        var meta = new EventMeta("c", "d", "e", "f");
        await AppendAsync(marten, Orders.Opened(one) with { Meta = meta });
        await AppendAsync(_store, Orders.Opened(other) with { Meta = meta });

        var (a, b) = (await StreamAsync(_store, one.Value), await StreamAsync(_store, other.Value));
        for (var i = 0; i < a.Count; i++)
        {
            var renamed = b[i] with { Stream = one.Value, EventId = a[i].EventId };
            Assert.Equal(renamed.ContentHash(), a[i].ContentHash());
        }
        Assert.Empty(await _store.Ledger.FindHeadMismatchesAsync(10, Cancel));
        Assert.Equal([false, false, false, false, false, false], await VerifiedAsync());
    }

    [Fact]
    public async Task The_callers_activity_leaves_no_trace_in_an_event()
    {
        await using var marten = _stores.OpenMarten();
        using var activity = new System.Diagnostics.Activity("somebody's request").Start();
        var stored = Assert.Single(await AppendAsync(marten, Orders.Append(Some.Stream(), new OrderFilled(1m, 1m))));
        var read = Assert.Single(await StreamAsync(_store, stored.Stream));
        Assert.Equal((null, null, null), (read.CorrelationId, read.CausationId, read.Actor));
        Assert.Null(read.Headers);
    }

    [Fact]
    public async Task The_control_only_role_is_refused_at_once() =>
        await Assert.ThrowsAsync<ArgumentException>(() => Task.FromResult(
            new MartenEventStore(new PostgresStoreOptions { ConnectionString = _stores.ConnectionString, ControlOnly = true })));

    private static async Task<IReadOnlyList<StoredEvent>> AppendAsync(IEventStore store, AppendRequest request) =>
        Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(request, Cancel)).Events;

    private static async Task<List<StoredEvent>> StreamAsync(IEventStore store, string stream)
    {
        var events = new List<StoredEvent>();
        await foreach (var e in store.ReadStreamAsync(new(stream), cancellationToken: Cancel))
            events.Add(e);
        return events;
    }

    private Task<IReadOnlyList<StoredEvent>> PageAsync() => _store.ReadPageAsync(0, 1_000, Cancel);

    /// <summary>Recomputes every link from its event's row and says which are marked as foreign.</summary>
    private async Task<List<bool>> VerifiedAsync()
    {
        var head = await _store.Ledger.ReadHeadAsync(Cancel);
        var (previous, position, foreign) = (ChainLink.Genesis(head.StoreId), 0L, new List<bool>());
        await foreach (var link in _store.Ledger.ReadLinksAsync(0, Cancel))
        {
            Assert.Equal(++position, link.Position);
            Assert.NotNull(link.Event);
            Assert.Equal(previous, link.PreviousHash);
            Assert.Equal(ChainLink.Hash(previous, link.Event.ContentHash(), position, link.Sequence, link.Event.Version, link.Foreign), link.Hash);
            previous = link.Hash;
            foreign.Add(link.Foreign);
        }
        Assert.Equal(head.Hash, previous);
        return foreign;
    }
}
