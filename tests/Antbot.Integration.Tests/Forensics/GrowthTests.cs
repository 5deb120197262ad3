using System.Collections.Concurrent;
using Antbot.ConsoleService;
using Antbot.Contracts;
using Antbot.EventStore;
using Antbot.EventStore.Contract;
using Antbot.Forensics;
using Antbot.Hosting;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>A store that fills its disk stops the trading: that it will is said while there is time.</summary>
public sealed class GrowthTests : IDisposable
{
    private const long Gigabyte = 1_000_000_000;

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-growth-").FullName;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Address => $"sqlite:{Path.Combine(_folder, "antbot.db")}";

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Room_lasts_as_long_as_what_comes_goes_into_it()
    {
        // A gigabyte for a million events, of which a hundred thousand came in half a day: 0.2 GB a day.
        var growth = Growth.Of(new StoreSize(Gigabyte, 10 * Gigabyte), null, 1_000_000, 100_000, TimeSpan.FromHours(12));
        Assert.Equal((200_000, 0.2 * Gigabyte, 50), (growth.EventsPerDay, growth.BytesPerDay, growth.DaysLeft));
    }

    [Theory]
    [InlineData(10L, null, 10L)]
    [InlineData(null, 4L, 3L)]
    [InlineData(10L, 4L, 3L)]
    [InlineData(2L, 4L, 2L)]
    [InlineData(10L, 1L, 0L)]
    [InlineData(null, null, null)]
    public void The_disk_and_what_is_allotted_both_bound_it(long? free, long? most, long? room) =>
        Assert.Equal(room * Gigabyte, Growth.Of(new StoreSize(Gigabyte, free * Gigabyte), most * Gigabyte, 1_000, 1_000, TimeSpan.FromDays(1)).RoomBytes);

    /// <summary>Prevents an alarm in the first minutes, in which a new database weighs more than all that is in it.</summary>
    [Fact]
    public void A_history_of_minutes_foretells_nothing()
    {
        var growth = Growth.Of(new StoreSize(Gigabyte, Gigabyte), null, 10, 10, TimeSpan.FromMinutes(59));
        Assert.Equal((null, null, null), (growth.EventsPerDay, growth.BytesPerDay, growth.DaysLeft));
    }

    [Fact]
    public async Task What_came_in_the_last_seven_days_is_counted_and_nothing_before_it()
    {
        await using var store = await StoreAddress.OpenAsync(Address, create: true, Cancel);
        var now = DateTimeOffset.UtcNow;
        for (var day = 20; day > 0; day--)
            await store.AppendAsync(Some.Append(new StreamId($"order-{day}"), Some.Events(10)) with { At = now.AddDays(-day).AddMinutes(1) }, Cancel);
        var growth = await Growth.OfAsync(store, await StoreAddress.OpenSize(Address).ReadAsync(Cancel), null, now, Cancel);
        Assert.Equal(200, growth.Events);
        Assert.Equal(10, growth.EventsPerDay!.Value, tolerance: 0.01);
        Assert.Equal(10 * growth.Bytes / 200.0, growth.BytesPerDay!.Value, tolerance: growth.Bytes / 1_000.0);
        Assert.True(growth.RoomBytes > 0 && growth.DaysLeft > 0);

        // Six days without anything, and then as much as in a week: that is a week's.
        for (var n = 0; n < 6; n++)
            await store.AppendAsync(Some.Append(new StreamId($"order-late-{n}"), Some.Events(10)) with { At = now.AddMinutes(-90 + n) }, Cancel);
        var idle = await Growth.OfAsync(store, new StoreSize(growth.Bytes, null), null, now.AddDays(6).AddHours(22), Cancel);
        Assert.Equal(60 / 7.0, idle.EventsPerDay!.Value, tolerance: 0.01);

        var much = await Growth.OfAsync(store, new StoreSize(growth.Bytes, null), growth.Bytes, now, Cancel);
        Assert.Equal(0, much.DaysLeft);
    }

    [Fact]
    public async Task A_store_is_as_large_as_its_files()
    {
        await using var store = await StoreAddress.OpenAsync(Address, create: true, Cancel);
        var before = (await StoreAddress.OpenSize(Address).ReadAsync(Cancel)).Bytes;
        await store.AppendAsync(Some.Append(Some.Stream(), Some.Events(500)), Cancel);
        Assert.True((await StoreAddress.OpenSize(Address).ReadAsync(Cancel)).Bytes > before + 50_000);
    }

    [Theory]
    [InlineData(0, HealthState.Ok)]
    [InlineData(1, HealthState.Degraded)]
    public async Task The_Consoles_health_says_that_there_is_no_room_and_nothing_trades_less_for_it(long bytesMax, HealthState state)
    {
        await using var store = await StoreAddress.OpenAsync(Address, create: true, Cancel);
        await store.AppendAsync(Some.Append(Some.Stream()), Cancel);
        var heard = new Heard();
        using var watch = new GrowthWatch(store, new PlatformOptions { Store = Address }, heard, new ConsoleOptions { StoreBytesMax = bytesMax }, TimeProvider.System, NullLogger<GrowthWatch>.Instance);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var running = watch.RunAsync(stop.Token);
        while (watch.Last is null)
            await Task.Delay(5, Cancel);
        Assert.Equal((state, DegradationLevel.Normal), (watch.Health.State, watch.Health.Level));
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        Assert.Equal(state == HealthState.Ok ? [] : ["store-growth"], heard.Alerts.Select(a => a.Cause));
    }

    private sealed class Heard : IIncidents
    {
        public ConcurrentQueue<IncidentAlert> Alerts { get; } = new();

        public Task RaiseAsync(IncidentAlert alert, CancellationToken cancellationToken = default)
        {
            Alerts.Enqueue(alert);
            return Task.CompletedTask;
        }
    }
}
