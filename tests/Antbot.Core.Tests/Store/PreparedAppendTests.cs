using System.Text;
using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Store;

public sealed class PreparedAppendTests
{
    private static readonly AppendRequest Ok = Some.Append(Some.Stream(), Some.Event("""{ "B":1e-7, "A":"\u0041" }"""), Some.Event("{}")) with
    {
        At = new DateTimeOffset(2026, 11, 21, 11, 30, 15, TimeSpan.FromHours(2)).AddTicks(1_234_569),
        Meta = new EventMeta("corr", "cause", "actor", "träce"),
    };

    [Fact]
    public void What_passes_the_edge_is_canonical_cut_and_hashed()
    {
        var prepared = PreparedAppend.From(Ok);
        Assert.Equal(["""{"A":"A","B":0.0000001}""", "{}"], prepared.Events.Select(e => Encoding.UTF8.GetString(e.Data)));
        Assert.Equal([Ok.Decision.EventId(0), Ok.Decision.EventId(1)], prepared.Events.Select(e => e.EventId));
        Assert.Equal("2026-11-21T09:30:15.1234560+00:00", prepared.At.ToString("yyyy-MM-ddTHH:mm:ss.fffffffzzz"));
        Assert.Equal("""{"trace_id":"träce"}""", Encoding.UTF8.GetString(prepared.Headers!));
        Assert.Equal(25, prepared.Bytes);
        Assert.Null(PreparedAppend.From(Ok with { Meta = EventMeta.None }).Headers);
    }

    [Fact]
    public void What_is_stored_hashes_as_what_was_prepared()
    {
        var prepared = PreparedAppend.From(Ok);
        var stored = prepared.ToStored(firstVersion: 5, firstPosition: 11, [20, 22]);
        Assert.Equal(prepared.Events.Select(e => e.ContentHash), stored.Select(e => e.ContentHash()));
        Assert.Equal([(20L, 11L, 5L), (22L, 12L, 6L)], stored.Select(e => (e.Sequence, e.Position, e.Version)));
        Assert.All(stored, e => Assert.Equal(("corr", "cause", "actor", "träce"), (e.CorrelationId, e.CausationId, e.Actor, e.TraceId)));
        Assert.All(stored, e => Assert.Equal((Ok.Stream.Value, "order_placed", prepared.At), (e.Stream, e.Type, e.Timestamp)));
    }

    [Fact]
    public void Every_part_of_an_append_is_in_its_events_hashes()
    {
        AppendRequest[] all =
        [
            Ok,
            Ok with { Stream = Some.Stream() },
            Ok with { Decision = Some.Decision() },
            Ok with { At = Ok.At.AddMicroseconds(1) },
            Ok with { Meta = Ok.Meta with { CorrelationId = null } },
            Ok with { Meta = Ok.Meta with { CausationId = "" } },
            Ok with { Meta = Ok.Meta with { Actor = "b" } },
            Ok with { Meta = Ok.Meta with { TraceId = "" } },
            Ok with { Meta = Ok.Meta with { TraceId = null } },
            Ok with { Events = [Ok.Events[0] with { Type = "order_placed_v2" }] },
            Ok with { Events = [Ok.Events[0] with { ClrType = "Other" }] },
            Ok with { Events = [Some.Event("""{"A":"A","B":1e-8}""")] },
        ];
        Assert.Equal(all.Length, all.Select(r => Convert.ToHexString(PreparedAppend.From(r).Events[0].ContentHash)).Distinct(StringComparer.Ordinal).Count());
        // A tenth of a microsecond is not kept, so it is not hashed either.
        Assert.Equal(PreparedAppend.From(Ok).Events[0].ContentHash, PreparedAppend.From(Ok with { At = Ok.At.AddTicks(-9) }).Events[0].ContentHash);
    }

    [Fact]
    public void Counts_and_lengths_are_kept_up_to_their_limits_and_refused_beyond()
    {
        Passes(Ok with { Events = Some.Events(StoreLimits.EventsPerAppendMax) });
        Refused(StoreFault.Invalid, Ok with { Events = Some.Events(StoreLimits.EventsPerAppendMax + 1) });
        Refused(StoreFault.Invalid, Ok with { Events = [] });

        StreamGuard[] Guards(int count) => [.. Enumerable.Repeat(new StreamGuard(Some.Stream(), ExpectedVersion.Any), count)];
        Passes(Ok with { Guards = Guards(StoreLimits.GuardsPerAppendMax) });
        Refused(StoreFault.Invalid, Ok with { Guards = Guards(StoreLimits.GuardsPerAppendMax + 1) });

        Passes(Ok with { Events = [Some.Event(type: new string('t', StoreLimits.TypeLengthMax))] });
        Refused(StoreFault.Invalid, Ok with { Events = [Some.Event(type: new string('t', StoreLimits.TypeLengthMax + 1))] });
        Refused(StoreFault.Invalid, Ok with { Events = [Some.Event(type: "")] });
        Passes(Ok with { Events = [Some.Event() with { ClrType = new string('t', StoreLimits.ClrTypeLengthMax) }] });
        Refused(StoreFault.Invalid, Ok with { Events = [Some.Event() with { ClrType = new string('t', StoreLimits.ClrTypeLengthMax + 1) }] });

        Func<string, EventMeta>[] texts = [t => new EventMeta(CorrelationId: t), t => new EventMeta(CausationId: t), t => new EventMeta(Actor: t), t => new EventMeta(TraceId: t)];
        foreach (var meta in texts)
        {
            Passes(Ok with { Meta = meta(new string('ｗ', StoreLimits.TextLengthMax)) });
            Refused(StoreFault.Invalid, Ok with { Meta = meta(new string('t', StoreLimits.TextLengthMax + 1)) });
            Refused(StoreFault.Invalid, Ok with { Meta = meta("a\0") });
            Refused(StoreFault.Invalid, Ok with { Meta = meta("a\udfff") });
        }
        Refused(StoreFault.Invalid, Ok with { Events = [Some.Event(type: "a\0b")] });
        Refused(StoreFault.Invalid, Ok with { Events = [Some.Event() with { ClrType = "a\ud800" }] });
    }

    [Fact]
    public void A_body_is_measured_as_it_comes_and_as_it_is_kept()
    {
        static NewEvent Body(int bytes) => Some.Event($$"""{"x":"{{new string('a', bytes - 8)}}"}""");
        Passes(Ok with { Events = [Body(StoreLimits.EventBytesMax)] });
        Refused(StoreFault.TooLarge, Ok with { Events = [Body(StoreLimits.EventBytesMax + 1)] });
        // White space counts while it comes in, written-out exponents once they are kept.
        Refused(StoreFault.TooLarge, Ok with { Events = [Some.Event("{}" + new string(' ', StoreLimits.EventBytesMax - 1))] });
        Refused(StoreFault.TooLarge, Ok with { Events = [Some.Event($$"""{"x":[{{string.Join(',', Enumerable.Repeat("1e1000", 1_100))}}]}""")] });
    }

    [Fact]
    public void An_append_is_refused_as_soon_as_its_bodies_pass_the_limit_together()
    {
        static NewEvent Megabyte(int more = 0) => Some.Event($$"""{"x":"{{new string('a', StoreLimits.EventBytesMax - 8 - more)}}"}""");
        Passes(Ok with { Events = [Megabyte(), Megabyte(), Megabyte(), Megabyte()] });
        Refused(StoreFault.TooLarge, Ok with { Events = [Megabyte(), Megabyte(), Megabyte(), Megabyte(1), Some.Event("{}")] });

        // A thousand such bodies would be a gigabyte once canonical; the sixth was never looked at.
        var before = GC.GetAllocatedBytesForCurrentThread();
        Refused(StoreFault.TooLarge, Ok with { Events = [.. Enumerable.Repeat(Megabyte(), StoreLimits.EventsPerAppendMax)] });
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000_000);
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("\"x\"")]
    [InlineData("null")]
    [InlineData(" [{}] ")]
    public void A_body_is_an_object(string body) => Refused(StoreFault.Invalid, Ok with { Events = [Some.Event(body)] });

    [Theory]
    [InlineData("1970-01-01T00:00:00.000000+00:00", true)]
    [InlineData("1969-12-31T23:59:59.9999999+00:00", false)]
    [InlineData("1970-01-01T01:00:00.000000+02:00", false)]
    [InlineData("9998-12-31T23:59:59.9999999+00:00", true)]
    [InlineData("9999-01-01T00:00:00.000000+00:00", false)]
    public void A_time_lies_between_1970_and_9999(string at, bool passes)
    {
        var request = Ok with { At = DateTimeOffset.Parse(at) };
        if (passes)
            Passes(request);
        else
            Refused(StoreFault.Invalid, request);
    }

    [Fact]
    public void The_refusal_names_the_event_at_fault()
    {
        var e = Assert.Throws<EventStoreException>(() => PreparedAppend.From(Ok with { Events = [Some.Event(), Some.Event(), Some.Event("""{"a":1,"a":1}""")] }));
        Assert.Contains($"event 2 of the append to {Ok.Stream}", e.Message, StringComparison.Ordinal);
        Assert.Contains("twice", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Ids_that_were_never_given_are_refused()
    {
        Assert.Throws<InvalidOperationException>(() => PreparedAppend.From(Ok with { Stream = default }));
        Assert.Throws<InvalidOperationException>(() => PreparedAppend.From(Ok with { Decision = default }));
        Assert.Throws<InvalidOperationException>(() => PreparedAppend.From(Ok with { Guards = [new StreamGuard(default, ExpectedVersion.Any)] }));
    }

    private static void Passes(AppendRequest request) => Assert.Equal(request.Events.Count, PreparedAppend.From(request).Events.Count);

    private static void Refused(StoreFault fault, AppendRequest request) =>
        Assert.Equal(fault, Assert.Throws<EventStoreException>(() => PreparedAppend.From(request)).Fault);
}
