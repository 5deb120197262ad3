using System.Text;
using Antbot.Kernel.Proof;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

/// <summary>The literal hashes were computed outside of .NET: they pin the order, the lengths and the mark of what is absent.</summary>
public sealed class EventContentTests
{
    private static readonly Facts Full = new(
        Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), "order-7f3a", "order_placed", "Antbot.Tests.OrderPlaced, Antbot.Tests", 1795253415123456,
        "*DEFAULT*", "corr-1", "cause-1", "operator:łucja", """{"trace_id":"t-1"}""", """{"Price":1.50}""", null, IsArchived: false);

    private static readonly Facts Bare = new(
        Full.EventId, "s", "t", null, -1, null, null, null, null, null, "{}", [1, 2], IsArchived: true);

    [Fact]
    public void The_hash_of_a_known_event_is_the_one_that_history_has()
    {
        Assert.Equal("e0e043b66eaa74c5c5b86ec7e8c9c4953f824f38090742589762868e815f75bf", Full.Hash());
        Assert.Equal("c44d383e472a39d338b9d749fec6287fadadae9cafacf766a807d5ce917ca656", Bare.Hash());
    }

    [Fact]
    public void Every_field_changes_the_hash_and_none_and_empty_differ()
    {
        Facts[] all =
        [
            Full,
            Full with { EventId = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950f") },
            Full with { Stream = "order-7f3b" },
            Full with { Type = "order_placed2" },
            Full with { ClrType = "Antbot.Tests.OrderPlaced2, Antbot.Tests" },
            Full with { ClrType = null },
            Full with { ClrType = "" },
            Full with { Microseconds = Full.Microseconds + 1 },
            Full with { Microseconds = -Full.Microseconds },
            Full with { Tenant = "other" },
            Full with { Tenant = null },
            Full with { Tenant = "" },
            Full with { CorrelationId = "corr-2" },
            Full with { CorrelationId = null },
            Full with { CorrelationId = "" },
            Full with { CausationId = "cause-2" },
            Full with { CausationId = null },
            Full with { CausationId = "" },
            Full with { Actor = "operator:lucja" },
            Full with { Actor = null },
            Full with { Actor = "" },
            Full with { Headers = """{"trace_id":"t-2"}""" },
            Full with { Headers = null },
            Full with { Headers = "" },
            Full with { Data = """{"Price":1.5}""" },
            Full with { Data = "" },
            Full with { Binary = [] },
            Full with { Binary = [0] },
            Full with { Binary = [0, 0] },
            Full with { IsArchived = true },
            Full with { IsArchived = null },
        ];
        Assert.Equal(all.Length, all.Select(f => f.Hash()).Distinct(StringComparer.Ordinal).Count());
    }

    [Fact]
    public void What_moves_from_one_field_to_the_next_changes_the_hash()
    {
        Facts[] all =
        [
            Full,
            Full with { CorrelationId = Full.CausationId, CausationId = Full.CorrelationId },
            Full with { CorrelationId = "corr-1c", CausationId = "ause-1" },
            Full with { CausationId = Full.Actor, Actor = Full.CausationId },
            Full with { Stream = Full.Type, Type = Full.Stream },
            Full with { Stream = Full.Stream + Full.Type, Type = "" },
            Full with { ClrType = Full.Tenant, Tenant = Full.ClrType },
            Full with { Headers = Full.Data, Data = Full.Headers! },
            Full with { Headers = null, Binary = Encoding.UTF8.GetBytes(Full.Headers!) },
        ];
        Assert.Equal(all.Length, all.Select(f => f.Hash()).Distinct(StringComparer.Ordinal).Count());
    }

    /// <summary>The buffer is pooled: what another event left in it must not be hashed.</summary>
    [Fact]
    public void The_hash_does_not_depend_on_what_was_hashed_before()
    {
        var first = Bare.Hash();
        _ = (Full with { Data = new string('x', 5_000), Actor = new string('ｗ', 500) }).Hash();
        Assert.Equal(first, Bare.Hash());
    }

    private sealed record Facts(
        Guid EventId, string Stream, string Type, string? ClrType, long Microseconds, string? Tenant, string? CorrelationId,
        string? CausationId, string? Actor, string? Headers, string Data, byte[]? Binary, bool? IsArchived)
    {
        public string Hash() => Convert.ToHexStringLower(new EventContent
        {
            EventId = EventId,
            Stream = Stream,
            Type = Type,
            ClrType = ClrType,
            TimestampMicroseconds = Microseconds,
            Tenant = Tenant,
            CorrelationId = CorrelationId,
            CausationId = CausationId,
            Actor = Actor,
            CanonicalHeaders = Headers is null ? default : Encoding.UTF8.GetBytes(Headers),
            HasHeaders = Headers is not null,
            CanonicalData = Encoding.UTF8.GetBytes(Data),
            BinaryData = Binary,
            HasBinaryData = Binary is not null,
            IsArchived = IsArchived,
        }.Hash());
    }
}
