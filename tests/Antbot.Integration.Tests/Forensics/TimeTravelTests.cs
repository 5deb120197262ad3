using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Antbot.Simulation.Faults;
using Antbot.Simulation.World;
using Xunit;

namespace Antbot.Integration.Tests.Forensics;

/// <summary>What there was at a moment, held against what was there when it was that moment.</summary>
public sealed class TimeTravelTests
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>Every state that was ever live in a run of the simulator, taken while it was, under faults of all kinds.</summary>
    [Fact]
    public async Task The_state_of_any_stream_at_any_moment_is_what_was_live_then()
    {
        var states = 0;
        for (var seed = 1UL; seed <= 20; seed++)
            states += await HoldAsync(seed);
        Assert.True(states > 1_000, $"{states} states");
    }

    /// <summary>How many states were held against those that were live.</summary>
    private static async Task<int> HoldAsync(ulong seed)
    {
        var live = new List<(long Sequence, string Stream, string Json)>();
        var world = SimRun.WorldOf(Planner.From(seed), w =>
        {
            var committed = w.Disk.Committed;
            w.Disk.Committed = events =>
            {
                committed(events);
                if (w.Checker.StateOf(events[0].Stream) is { } state)
                    live.Add((events[^1].Sequence, events[0].Stream, Json(state)));
            };
        });
        var travel = new TimeTravel(world.Disk.Data);
        foreach (var (sequence, stream, json) in live)
        {
            var then = await travel.StreamAsync(new StreamId(stream), new Moment(sequence, null), Cancel);
            Assert.Equal((stream, Hash(json)), (then!.Stream, then.Hash));
        }
        // And of the whole system: what was live last of each of its streams by then.
        foreach (var sequence in live.Select(l => l.Sequence).Where((_, i) => i % 20 == 0))
        {
            var all = await travel.SystemAsync(new Moment(sequence, null), account: null, cancellationToken: Cancel);
            Assert.All(all.States, s => Assert.Equal(live.Where(l => l.Sequence <= sequence && l.Stream == s.Stream).Select(l => Hash(l.Json)).LastOrDefault(s.Hash), s.Hash));
            Assert.True(all.Events > 0);
        }
        return live.Count;
    }

    [Fact]
    public async Task The_system_is_the_same_as_long_as_nothing_happens_and_another_as_soon_as_something_does()
    {
        var world = SimRun.WorldOf(new Plan(3, 4, 1, []));
        var travel = new TimeTravel(world.Disk.Data);
        var events = await world.Disk.Data.ReadPageAsync(0, 10_000, Cancel);
        var hashes = new List<string>();
        foreach (var sequence in events.Select(e => e.Sequence))
            hashes.Add((await travel.SystemAsync(new Moment(sequence, null), null, cancellationToken: Cancel)).Hash);
        Assert.Equal(hashes.Count, hashes.Distinct(StringComparer.Ordinal).Count());
        Assert.Equal(hashes[^1], (await travel.SystemAsync(new Moment(long.MaxValue, null), null, cancellationToken: Cancel)).Hash);
        var nothing = await travel.SystemAsync(new Moment(0, null), null, cancellationToken: Cancel);
        Assert.Equal((0L, 0), (nothing.Events, nothing.States.Count));
    }

    [Fact]
    public async Task A_time_is_the_last_event_that_was_recorded_by_then_whichever_clock_said_so()
    {
        var store = new InMemoryEventStore(Guid.NewGuid());
        var start = new DateTimeOffset(2026, 4, 5, 6, 0, 0, TimeSpan.Zero);
        // Clocks of services are not the same: one that is behind writes after one that is ahead.
        int[] seconds = [0, 10, 7, 20, 12, 15, 40, 31, 50];
        for (var i = 0; i < seconds.Length; i++)
            await WordAsync(store, i, start.AddSeconds(seconds[i]));
        var sequences = (await store.ReadPageAsync(0, 100, Cancel)).Select(e => e.Sequence).ToArray();
        foreach (var (at, last) in new[] { (-1, -1), (0, 0), (6, 0), (7, 2), (9, 2), (10, 2), (11, 2), (14, 4), (19, 5), (20, 5), (30, 5), (33, 7), (45, 7), (50, 8), (5_000, 8) })
        {
            var moment = await Moment.FindAsync(store, start.AddSeconds(at).ToString("O"), Cancel);
            Assert.Equal((at, last < 0 ? 0 : sequences[last]), (at, moment.Sequence));
        }
        Assert.Equal(sequences[3], (await Moment.FindAsync(store, $"{sequences[3]}", Cancel)).Sequence);
        Assert.Equal(sequences[^1], (await Moment.FindAsync(store, "999999999", Cancel)).Sequence);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-1")]
    [InlineData("now")]
    [InlineData("99999999999999999999")]
    [InlineData("2026-13-01")]
    [InlineData("2026-01-01T00:00:00Z and then")]
    public void What_is_no_moment_is_said_to_be_none(string text) => Assert.NotNull(Moment.Fault(text));

    [Fact]
    public async Task Between_two_moments_exactly_what_happened_is_another()
    {
        var world = SimRun.WorldOf(new Plan(5, 6, 1, []));
        var (store, travel) = (world.Disk.Data, new TimeTravel(world.Disk.Data));
        var events = await store.ReadPageAsync(0, 10_000, Cancel);
        var random = new Random(2);
        for (var round = 0; round < 20; round++)
        {
            var (a, b) = (random.Next(events.Count), random.Next(events.Count));
            var (from, to) = (new Moment(events[Math.Min(a, b)].Sequence, null), new Moment(events[Math.Max(a, b)].Sequence, null));
            var difference = (await travel.DiffAsync(from, to, null, null, cancellationToken: Cancel))!;
            var touched = events.Where(e => e.Sequence > from.Sequence && e.Sequence <= to.Sequence && StreamKinds.Find(e.Stream) is not null).Select(e => e.Stream).Distinct().Order(StringComparer.Ordinal);
            Assert.Equal(touched, difference.Streams.Select(s => s.Stream));
            foreach (var change in difference.Streams.Take(3))
            {
                var one = Assert.Single((await travel.DiffAsync(from, to, new StreamId(change.Stream), null, cancellationToken: Cancel))!.Streams);
                Assert.Equal(JsonSerializer.Serialize(change), JsonSerializer.Serialize(one));
                var (was, now) = (await travel.StreamAsync(new StreamId(change.Stream), from, Cancel), (await travel.StreamAsync(new StreamId(change.Stream), to, Cancel))!);
                Assert.Equal((was?.Version ?? 0, now.Version), (change.From, change.To));
                Assert.Equal(JsonSerializer.Serialize(JsonChange.Between(was?.State ?? JsonElement.Parse("{}"u8), now.State)), JsonSerializer.Serialize(change.Changes));
            }
        }
        await Assert.ThrowsAsync<ArgumentException>(() => travel.DiffAsync(new Moment(9, null), new Moment(3, null), null, null, cancellationToken: Cancel));
    }

    [Fact]
    public async Task An_account_is_its_own_streams_and_those_of_its_trades()
    {
        var world = SimRun.WorldOf(new Plan(5, 6, 1, []));
        var travel = new TimeTravel(world.Disk.Data);
        var events = await world.Disk.Data.ReadPageAsync(0, 10_000, Cancel);
        var account = StreamKinds.Registry is var registry ? events.Select(new EventCodec(registry).Find<SignalRecorded>).OfType<SignalRecorded>().First().Signal.Account : default;
        var middle = new Moment(events[events.Count / 2].Sequence, null);
        var (own, others) = (await travel.SystemAsync(middle, account, cancellationToken: Cancel), await travel.SystemAsync(middle, new AccountId("nobody"), cancellationToken: Cancel));
        Assert.Contains(own.States, s => s.Stream == $"account-{account}");
        Assert.Contains(own.States, s => s.Stream.StartsWith(Streams.OrderPrefix, StringComparison.Ordinal));
        Assert.DoesNotContain(own.States, s => s.Stream.StartsWith(Streams.ValidationPrefix, StringComparison.Ordinal));
        Assert.Empty(others.States);
    }

    [Fact]
    public async Task A_trade_is_stepped_through_event_by_event_and_each_step_ends_where_the_next_begins()
    {
        var world = SimRun.WorldOf(new Plan(5, 6, 1, []));
        var travel = new TimeTravel(world.Disk.Data);
        var events = await world.Disk.Data.ReadPageAsync(0, 10_000, Cancel);
        var trade = new EventCodec(StreamKinds.Registry) is var codec ? events.Select(codec.Find<PositionClosed>).OfType<PositionClosed>().First().Trade : default;
        var steps = (await travel.StepsAsync(trade, Cancel)).Steps;
        Assert.Equal(events.Where(e => e.CorrelationId == trade.Value).Select(e => e.Sequence), steps.Select(s => s.Sequence));
        Assert.Equal(Enumerable.Range(1, steps.Count), steps.Select(s => s.Number));
        foreach (var step in steps)
        {
            var then = (await travel.StreamAsync(new StreamId(step.Stream), new Moment(step.Sequence, null), Cancel))!;
            if (step.Stream.EndsWith(trade.Value, StringComparison.Ordinal))
                Assert.Equal(then.State.GetRawText(), step.State!.Value.GetRawText());
            else
                Assert.Null(step.State);
            var before = await travel.StreamAsync(new StreamId(step.Stream), new Moment(step.Sequence - 1, null), Cancel);
            if (before is not null)
                Assert.Equal(JsonSerializer.Serialize(JsonChange.Between(before.State, then.State)), JsonSerializer.Serialize(step.Changes));
        }
        Assert.Contains(steps, s => s.Stream.StartsWith("account-", StringComparison.Ordinal) && s.Changes.Any(c => c.Path.Contains(trade.Value, StringComparison.Ordinal)));
        Assert.Empty((await travel.StepsAsync(new TradeId(Guid.NewGuid()), Cancel)).Steps);
    }

    [Fact]
    public void A_stream_that_is_folded_to_nothing_is_said_to_be_none()
    {
        Assert.Null(StreamKinds.Fault("account-main"));
        Assert.Contains("audit-2026-01-01", StreamKinds.Fault("audit-2026-01-01"), StringComparison.Ordinal);
    }

    private static async Task WordAsync(InMemoryEventStore store, int number, DateTimeOffset at)
    {
        var codec = new EventCodec(StreamKinds.Registry);
        await store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Control, Expected = ExpectedVersion.Any, Decision = new Decision(DeterministicId.From("word", $"{number}"), "operator"), At = at,
                Events = [codec.Encode(new MaintenanceSet(On: true, $"word {number}", "anna"))],
            },
            Cancel);
    }

    private static string Json(object state) => JsonSerializer.Serialize(state, state.GetType(), EventCodec.Json);

    private static string Hash(string json) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Antbot.Kernel.Proof.CanonicalJson.From(System.Text.Encoding.UTF8.GetBytes(json))));
}
