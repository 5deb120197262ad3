using System.Text;
using Antbot.Contracts;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.EventStore.Contract;

/// <summary>What every engine promises. An engine's test class derives from this and the others here, and says how to open a store.</summary>
public abstract class StoreTests : IAsyncLifetime
{
    protected IEventStore Store { get; private set; } = null!;

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => Store = await OpenEmptyAsync();

    public async ValueTask DisposeAsync()
    {
        await Store.DisposeAsync();
        await CleanUpAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>An empty store of this engine.</summary>
    protected abstract Task<IEventStore> OpenEmptyAsync();

    /// <summary>Another handle on the same data, as another process would have it.</summary>
    protected abstract Task<IEventStore> OpenAgainAsync();

    protected virtual ValueTask CleanUpAsync() => ValueTask.CompletedTask;

    protected async Task<IReadOnlyList<StoredEvent>> AppendAsync(AppendRequest request) =>
        Assert.IsType<AppendOutcome.Appended>(await Store.AppendAsync(request, Cancel)).Events;

    protected async Task<List<StoredEvent>> ReadStreamAsync(StreamId stream, long from = 1)
    {
        var events = new List<StoredEvent>();
        await foreach (var e in Store.ReadStreamAsync(stream, from, Cancel))
            events.Add(e);
        return events;
    }

    protected async Task<List<StoredEvent>> ReadAllAsync(IEventStore store, int page = 100)
    {
        var events = new List<StoredEvent>();
        while (true)
        {
            var more = await store.ReadPageAsync(events.Count == 0 ? 0 : events[^1].Sequence, page, Cancel);
            if (more.Count == 0)
                return events;
            events.AddRange(more);
        }
    }

    /// <summary>Forty events of a million bytes each, ten to a stream.</summary>
    protected async Task<List<StoredEvent>> AppendLargeAsync()
    {
        var all = new List<StoredEvent>();
        foreach (var stream in Enumerable.Range(0, 4).Select(_ => Some.Stream("large")).ToArray())
        {
            foreach (var count in new[] { 4, 4, 2 })
                all.AddRange(await AppendAsync(Some.Append(stream, Some.LargeEvents(count))));
        }
        return all;
    }

    protected static async Task<StoreFault> FaultOfAsync(Func<Task> act) => (await Assert.ThrowsAsync<EventStoreException>(act)).Fault;

    protected static void AssertSame(StoredEvent expected, StoredEvent actual)
    {
        Assert.Equal(Text(expected.Data), Text(actual.Data));
        Assert.Equal(expected.TraceId, actual.TraceId);
        Assert.Equal(
            expected with { Data = default, Headers = null, BinaryData = null },
            actual with { Data = default, Headers = null, BinaryData = null });
        Assert.Equal(expected.ContentHash(), actual.ContentHash());
    }

    protected static string Text(ReadOnlyMemory<byte> json) => Encoding.UTF8.GetString(CanonicalJson.From(json.Span));
}

public abstract class AppendContract : StoreTests
{
    [Fact]
    public async Task A_new_stream_begins_at_version_1_and_reads_back_as_appended()
    {
        var stream = Some.Stream();
        var appended = await AppendAsync(Some.Append(stream, Some.Events(3)) with { Expected = ExpectedVersion.None });

        Assert.Equal([1L, 2L, 3L], appended.Select(e => e.Version));
        Assert.Equal(3, await Store.ReadVersionAsync(stream, Cancel));
        var read = await ReadStreamAsync(stream);
        Assert.Equal(3, read.Count);
        for (var i = 0; i < 3; i++)
            AssertSame(appended[i], read[i]);
    }

    [Fact]
    public async Task Every_part_of_an_event_survives()
    {
        var stream = Some.Stream();
        var request = Some.Append(stream, Some.Event("""{"b":1.50,"a":"zażółć \"q\" \\ \n 🐜","nested":{"z":[1,null,true],"y":0.0000001},"big":79228162514264337593543950335}""")) with
        {
            At = new DateTimeOffset(2026, 11, 21, 12, 0, 0, TimeSpan.FromHours(2)).AddTicks(1234567),
            Meta = new EventMeta("corr-1", "cause-1", "operator:łucja", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", new Guid("4bf92f35-77b3-4da6-a3ce-929d0e0e4736")),
        };
        var appended = Assert.Single(await AppendAsync(request));

        var read = Assert.Single(await ReadStreamAsync(stream));
        AssertSame(appended, read);
        Assert.Equal(request.Decision.EventId(0), read.EventId);
        Assert.Equal("corr-1", read.CorrelationId);
        Assert.Equal("cause-1", read.CausationId);
        Assert.Equal("operator:łucja", read.Actor);
        Assert.Equal("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", read.TraceId);
        Assert.Equal(new Guid("4bf92f35-77b3-4da6-a3ce-929d0e0e4736"), read.Process);
        Assert.Equal("order_placed", read.Type);
        Assert.Equal("Antbot.Tests.OrderPlaced, Antbot.Tests", read.ClrType);
        Assert.Equal(new DateTimeOffset(2026, 11, 21, 10, 0, 0, 123, 456, TimeSpan.Zero), read.Timestamp);
        Assert.Equal(TimeSpan.Zero, read.Timestamp.Offset);
        Assert.Equal(Text(request.Events[0].Data), Text(read.Data));
    }

    [Theory]
    [InlineData("""{"x":1e-7}""", """{"x":0.0000001}""")]
    [InlineData("""{"x":1.20E+2,"y":-0.0,"z":1.50}""", """{"x":120,"y":0.0,"z":1.50}""")]
    [InlineData("""{"bb":1,"a":2,"\u0061b":3}""", """{"a":2,"ab":3,"bb":1}""")]
    [InlineData("""{ "x" : "\u0041\/\u00e9\u001f" }""", """{"x":"A/é\u001f"}""")]
    public async Task Bodies_have_one_canonical_form_whatever_the_engine_makes_of_them(string body, string canonical)
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream, Some.Event(body)));

        Assert.Equal(canonical, Text(Assert.Single(await ReadStreamAsync(stream)).Data));
    }

    [Fact]
    public async Task A_wrong_expectation_is_a_conflict_that_names_the_actual_version_and_changes_nothing()
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream, Some.Events(2)));

        foreach (var expected in new[] { ExpectedVersion.None, ExpectedVersion.Exactly(1), ExpectedVersion.Exactly(3) })
        {
            var conflict = Assert.IsType<AppendOutcome.Conflict>(await Store.AppendAsync(Some.Append(stream) with { Expected = expected }, Cancel));
            Assert.Equal(new AppendOutcome.Conflict(stream, expected, 2), conflict);
        }
        var missing = Some.Stream();
        Assert.Equal(
            new AppendOutcome.Conflict(missing, ExpectedVersion.Exactly(1), 0),
            await Store.AppendAsync(Some.Append(missing) with { Expected = ExpectedVersion.Exactly(1) }, Cancel));
        Assert.Equal(2, await Store.ReadVersionAsync(stream, Cancel));
        Assert.Equal(0, await Store.ReadVersionAsync(missing, Cancel));
        Assert.Equal(2, (await ReadAllAsync(Store)).Count);
    }

    [Fact]
    public async Task The_right_expectation_goes_through()
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream) with { Expected = ExpectedVersion.None });
        await AppendAsync(Some.Append(stream, Some.Events(2)) with { Expected = ExpectedVersion.Exactly(1) });
        var last = await AppendAsync(Some.Append(stream) with { Expected = ExpectedVersion.Any });

        Assert.Equal(4, Assert.Single(last).Version);
    }

    [Fact]
    public async Task A_decision_made_before_is_answered_with_what_was_decided_then()
    {
        var stream = Some.Stream();
        var request = Some.Append(stream, Some.Events(3)) with { Expected = ExpectedVersion.None };
        var first = await AppendAsync(request);
        await AppendAsync(Some.Append(stream));

        // State has moved on, the second decision differs and its expectation is stale: none of it matters.
        var again = request with { Events = [Some.Event("""{"other":true}""")], At = Some.Time.AddHours(1) };
        var there = Assert.IsType<AppendOutcome.AlreadyThere>(await Store.AppendAsync(again, Cancel));

        Assert.Equal(3, there.Events.Count);
        for (var i = 0; i < 3; i++)
            AssertSame(first[i], there.Events[i]);
        Assert.Equal(4, await Store.ReadVersionAsync(stream, Cancel));
    }

    [Fact]
    public async Task A_decision_is_found_whole_and_without_its_neighbours()
    {
        var stream = Some.Stream();
        var request = Some.Append(stream, Some.Events(4));
        await AppendAsync(Some.Append(stream, Some.Events(2)));
        var mine = await AppendAsync(request);
        await AppendAsync(Some.Append(stream, Some.Events(2)));

        Assert.Equal(mine.Select(e => e.EventId), (await Store.FindDecisionAsync(request.Decision, Cancel)).Select(e => e.EventId));
        Assert.Empty(await Store.FindDecisionAsync(Some.Decision(), Cancel));
        Assert.Empty(await Store.FindDecisionAsync(new(request.Decision.InputId, "another consumer"), Cancel));
    }

    [Fact]
    public async Task The_same_decision_from_many_callers_at_once_happens_once()
    {
        var stream = Some.Stream();
        var request = Some.Append(stream, Some.Events(2));

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 24).Select(_ => Task.Run(() => Store.AppendAsync(request, Cancel))));

        var appended = Assert.Single(outcomes.OfType<AppendOutcome.Appended>()).Events;
        Assert.Equal(23, outcomes.OfType<AppendOutcome.AlreadyThere>().Count());
        Assert.All(outcomes.OfType<AppendOutcome.AlreadyThere>(), o => Assert.Equal(appended.Select(e => e.Sequence), o.Events.Select(e => e.Sequence)));
        Assert.Equal(2, await Store.ReadVersionAsync(stream, Cancel));
    }

    [Fact]
    public async Task Of_many_callers_that_expect_the_same_version_one_wins()
    {
        var stream = Some.Stream();
        for (var version = 0; version < 5; version++)
        {
            var expected = ExpectedVersion.Exactly(version);
            var outcomes = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => Store.AppendAsync(Some.Append(stream) with { Expected = expected }, Cancel))));
            Assert.Single(outcomes.OfType<AppendOutcome.Appended>());
            Assert.All(outcomes.OfType<AppendOutcome.Conflict>(), c => Assert.Equal(version + 1, c.Actual));
            Assert.Equal(15, outcomes.OfType<AppendOutcome.Conflict>().Count());
        }
    }

    [Fact]
    public async Task A_failing_append_does_not_fail_its_neighbours()
    {
        var hot = Some.Stream("account");
        await AppendAsync(Some.Append(hot));
        var tasks = Enumerable.Range(0, 60).Select(i => Task.Run(() => Store.AppendAsync(
            i % 3 == 0 ? Some.Append(hot) with { Expected = ExpectedVersion.None } : i % 3 == 1 ? Some.Append(hot) : Some.Append(Some.Stream()), Cancel)));
        var outcomes = await Task.WhenAll(tasks);

        Assert.Equal(20, outcomes.OfType<AppendOutcome.Conflict>().Count());
        Assert.Equal(40, outcomes.OfType<AppendOutcome.Appended>().Count());
        Assert.Equal(Enumerable.Range(1, 21).Select(i => (long)i), (await ReadStreamAsync(hot)).Select(e => e.Version));
    }

    [Fact]
    public async Task A_guard_holds_the_append_to_another_streams_version()
    {
        var control = Some.Stream("control");
        var order = Some.Stream();
        await AppendAsync(Some.Append(control, Some.Events(2)));
        var guarded = Some.Append(order) with { Guards = [new StreamGuard(control, ExpectedVersion.Exactly(2))] };
        await AppendAsync(guarded);

        await AppendAsync(Some.Append(control));
        var late = guarded with { Decision = Some.Decision() };
        Assert.Equal(new AppendOutcome.Conflict(control, ExpectedVersion.Exactly(2), 3), await Store.AppendAsync(late, Cancel));
        Assert.Equal(1, await Store.ReadVersionAsync(order, Cancel));

        // What was decided before the other stream moved is still found: a guard is no reason to decide again.
        Assert.IsType<AppendOutcome.AlreadyThere>(await Store.AppendAsync(guarded, Cancel));
        await AppendAsync(Some.Append(order) with
        {
            Guards = [new StreamGuard(control, ExpectedVersion.Any), new StreamGuard(Some.Stream("never"), ExpectedVersion.None), new StreamGuard(control, ExpectedVersion.Exactly(3))],
        });
    }

    [Fact]
    public async Task No_guarded_append_commits_after_the_guarding_stream_moved()
    {
        var control = Some.Stream("control");
        await AppendAsync(Some.Append(control));
        var guards = new[] { new StreamGuard(control, ExpectedVersion.Exactly(1)) };
        var entries = Enumerable.Range(0, 200).Select(_ => Task.Run(() => Store.AppendAsync(Some.Append(Some.Stream("entry")) with { Guards = guards }, Cancel))).ToList();
        var halt = await AppendAsync(Some.Append(control));
        var outcomes = await Task.WhenAll(entries);

        Assert.All(outcomes.OfType<AppendOutcome.Appended>(), o => Assert.True(o.Events[0].Position < halt[0].Position, "an entry was committed after the halt"));
        Assert.All(outcomes.OfType<AppendOutcome.Conflict>(), c => Assert.Equal(2, c.Actual));
    }

    [Fact]
    public async Task What_breaks_a_rule_is_refused_with_its_reason_and_the_store_goes_on()
    {
        var stream = Some.Stream();
        var ok = Some.Append(stream);
        async Task Refused(StoreFault fault, string reason, AppendRequest request)
        {
            var e = await Assert.ThrowsAsync<EventStoreException>(() => Store.AppendAsync(request, Cancel));
            Assert.Equal(fault, e.Fault);
            Assert.Contains(reason, e.Message, StringComparison.OrdinalIgnoreCase);
        }

        await Refused(StoreFault.TooLarge, "bytes", ok with { Events = [Some.Event($$"""{"x":"{{new string('a', StoreLimits.EventBytesMax)}}"}""")] });
        await Refused(StoreFault.TooLarge, "split", ok with { Events = [.. Enumerable.Repeat(Some.Event($$"""{"x":"{{new string('a', 1_000_000)}}"}"""), 5)] });
        await Refused(StoreFault.Invalid, "NUL", ok with { Events = [Some.Event("""{"x":"a\u0000b"}""")] });
        await Refused(StoreFault.Invalid, "NUL", ok with { Meta = new EventMeta(Actor: "a\0b") });
        await Refused(StoreFault.Invalid, "surrogate", ok with { Events = [Some.Event("""{"x":"\ud800"}""")] });
        await Refused(StoreFault.Invalid, "surrogate", ok with { Meta = new EventMeta(CorrelationId: "\ud800") });
        await Refused(StoreFault.Invalid, "UTF-8", ok with { Events = [Some.Event() with { Data = new byte[] { (byte)'"', 0xC3, 0x28, (byte)'"' } }] });
        await Refused(StoreFault.Invalid, "JSON", ok with { Events = [Some.Event("""{"x":NaN}""")] });
        await Refused(StoreFault.Invalid, "JSON", ok with { Events = [Some.Event("{")] });
        await Refused(StoreFault.Invalid, "twice", ok with { Events = [Some.Event("""{"x":1,"x":2}""")] });
        await Refused(StoreFault.Invalid, "object", ok with { Events = [Some.Event("[1]")] });
        await Refused(StoreFault.Invalid, "exponent", ok with { Events = [Some.Event("""{"x":1e99999}""")] });
        await Refused(StoreFault.Invalid, "JSON", ok with { Events = [Some.Event(new string('[', 5000))] });
        await Refused(StoreFault.Invalid, "number", ok with { Events = [Some.Event($$"""{"x":0.{{new string('1', 20_000)}}}""")] });
        await Refused(StoreFault.Invalid, "time", ok with { At = DateTimeOffset.MinValue });
        await Refused(StoreFault.Invalid, "time", ok with { At = DateTimeOffset.MaxValue });
        await Refused(StoreFault.Invalid, "events", ok with { Events = [] });
        await Refused(StoreFault.Invalid, "events", ok with { Events = Some.Events(StoreLimits.EventsPerAppendMax + 1) });
        await Refused(StoreFault.Invalid, "type name", ok with { Events = [Some.Event(type: "")] });
        await Refused(StoreFault.Invalid, "characters", ok with { Meta = new EventMeta(CorrelationId: new string('c', 501)) });
        Assert.Throws<ArgumentException>(() => new StreamId("drop table;--\0"));

        Assert.Empty(await ReadAllAsync(Store));
        await AppendAsync(ok);
    }

    [Fact]
    public async Task A_body_at_the_limit_is_kept()
    {
        var stream = Some.Stream();
        var body = $$"""{"x":"{{new string('a', StoreLimits.EventBytesMax - 8)}}"}""";
        await AppendAsync(Some.Append(stream, Some.Event(body)));

        Assert.Equal(body, Text(Assert.Single(await ReadStreamAsync(stream)).Data));
    }

    [Fact]
    public async Task A_cancelled_append_was_either_refused_or_has_an_outcome()
    {
        var stream = Some.Stream();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Store.AppendAsync(Some.Append(stream), new CancellationToken(canceled: true)));
        Assert.Equal(0, await Store.ReadVersionAsync(stream, Cancel));

        for (var i = 0; i < 60; i++)
        {
            var request = Some.Append(Some.Stream());
            using var soon = new CancellationTokenSource();
            var append = Task.Run(() => Store.AppendAsync(request, soon.Token), Cancel);
            if (i % 3 > 0)
                await Task.Yield();
            await soon.CancelAsync();
            var refused = false;
            try
            {
                Assert.IsType<AppendOutcome.Appended>(await append);
            }
            catch (OperationCanceledException)
            {
                refused = true;
            }
            Assert.Equal(refused ? 0 : 1, (await Store.FindDecisionAsync(request.Decision, Cancel)).Count);
        }
    }

    [Fact]
    public async Task What_was_decided_one_on_top_of_the_other_is_appended_in_order()
    {
        var streams = Enumerable.Range(0, 20).Select(_ => Some.Stream()).ToList();
        var requests = streams.Select(s => Enumerable.Range(0, 40).Select(i => Some.Append(s) with { Expected = ExpectedVersion.Exactly(i) }).ToList()).ToList();
        var appends = requests.Select(r => Store.AppendInOrder(r, Cancel)).ToList();
        for (var s = 0; s < streams.Count; s++)
        {
            var outcomes = await Task.WhenAll(appends[s]);
            Assert.Equal(Enumerable.Range(1, 40).Select(i => (long)i), outcomes.Select(o => Assert.Single(Assert.IsType<AppendOutcome.Appended>(o).Events).Version));
            Assert.Equal(requests[s].Select(r => r.Decision.EventId(0)), (await ReadStreamAsync(streams[s])).Select(e => e.EventId));
        }
    }

    /// <summary>The second would fit by its number: another's event stands where the first should. Two services then both spent the same money.</summary>
    [Fact]
    public async Task After_one_that_was_overtaken_nothing_is_appended_even_where_its_version_would_fit()
    {
        var stream = Some.Stream();
        await AppendAsync(Some.Append(stream));
        var outcomes = await Task.WhenAll(Store.AppendInOrder([.. Enumerable.Range(0, 4).Select(i => Some.Append(stream) with { Expected = ExpectedVersion.Exactly(i) })], Cancel));
        Assert.Equal(new AppendOutcome.Conflict(stream, ExpectedVersion.None, 1), outcomes[0]);
        Assert.All(outcomes, o => Assert.IsType<AppendOutcome.Conflict>(o));
        Assert.Equal(1, await Store.ReadVersionAsync(stream, Cancel));
    }

    [Fact]
    public async Task After_one_that_was_decided_before_nothing_new_is_appended_and_what_was_decided_is_found()
    {
        var stream = Some.Stream();
        var (first, third) = (Some.Append(stream) with { Expected = ExpectedVersion.None }, Some.Append(stream));
        var there = await AppendAsync(first);
        await AppendAsync(third);
        var outcomes = await Task.WhenAll(Store.AppendInOrder(
            [first, Some.Append(stream) with { Expected = ExpectedVersion.Exactly(2) }, third with { Expected = ExpectedVersion.Exactly(3) }], Cancel));
        Assert.Equal(there.Select(e => e.EventId), Assert.IsType<AppendOutcome.AlreadyThere>(outcomes[0]).Events.Select(e => e.EventId));
        Assert.Equal(-1, Assert.IsType<AppendOutcome.Conflict>(outcomes[1]).Actual);
        Assert.Equal(2, Assert.Single(Assert.IsType<AppendOutcome.AlreadyThere>(outcomes[2]).Events).Version);
        Assert.Equal(2, await Store.ReadVersionAsync(stream, Cancel));
    }

    [Fact]
    public async Task Of_appends_in_order_one_that_breaks_a_rule_fails_alone_and_what_rests_on_it_is_decided_again()
    {
        var stream = Some.Stream();
        var appends = Store.AppendInOrder(
            [
                Some.Append(stream) with { Expected = ExpectedVersion.None },
                Some.Append(stream, Some.Event("[]")) with { Expected = ExpectedVersion.Exactly(1) },
                Some.Append(stream) with { Expected = ExpectedVersion.Exactly(2) },
            ],
            Cancel);
        Assert.IsType<AppendOutcome.Appended>(await appends[0]);
        Assert.Equal(StoreFault.Invalid, await FaultOfAsync(() => appends[1]));
        Assert.Equal(-1, Assert.IsType<AppendOutcome.Conflict>(await appends[2]).Actual);
        Assert.Equal(1, await Store.ReadVersionAsync(stream, Cancel));
    }

    [Fact]
    public void Appends_in_order_are_of_one_stream_and_of_exact_versions()
    {
        var stream = Some.Stream();
        Assert.Throws<ArgumentException>(() => Store.AppendInOrder([Some.Append(stream), Some.Append(stream)], Cancel));
        Assert.Throws<ArgumentException>(() => Store.AppendInOrder(
            [Some.Append(stream) with { Expected = ExpectedVersion.None }, Some.Append(Some.Stream()) with { Expected = ExpectedVersion.None }], Cancel));
    }

    [Fact]
    public async Task A_closed_store_says_so()
    {
        await Store.DisposeAsync();
        Assert.Equal(StoreFault.Closed, await FaultOfAsync(() => Store.AppendAsync(Some.Append(Some.Stream()), Cancel)));
    }
}
