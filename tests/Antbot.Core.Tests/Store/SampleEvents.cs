using System.Text;
using Antbot.EventStore.Contract;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.Core.Tests.Store;

internal enum Side
{
    Buy = 0,
    Sell = 1,
}

internal sealed record Venue(string Name, decimal? Fee, IReadOnlyList<string> Tags);

[StoredName("sample_order_placed")]
internal sealed record OrderPlaced(
    Guid OrderId, string Symbol, decimal Price, decimal? Limit, Side Side, Side? Hedge, DateTimeOffset At, Venue Venue, IReadOnlyList<decimal> Levels);

[StoredName("sample_amount_added")]
internal sealed record AmountAdded(decimal Amount, string? Note);

/// <summary>Members that are not constructor parameters.</summary>
[StoredName("sample_limit_set")]
internal sealed record LimitSet
{
    public decimal Limit { get; init; }

    public string? Reason { get; init; }

    public decimal Doubled => Limit * 2;
}

[StoredName("sample_note_kept")]
internal sealed record NoteKept(string Text, int Stars = 3);

/// <summary>Two builds: in the second one the class has another name and another home.</summary>
internal static class BeforeRenaming
{
    [StoredName("sample_position_opened")]
    internal sealed record PositionOpened(decimal Quantity);
}

internal static class AfterRenaming
{
    [StoredName("sample_position_opened")]
    internal sealed record ExposureTaken(decimal Quantity);
}

internal static class Sample
{
    public static EventRegistry Registry() => new EventRegistry().Add(typeof(OrderPlaced), typeof(AmountAdded), typeof(LimitSet), typeof(NoteKept));

    public static StoredEvent Stored(string type, string body) => new()
    {
        Sequence = 7,
        Position = 7,
        EventId = Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"),
        Stream = "order-1",
        Version = 3,
        Type = type,
        ClrType = null,
        Data = Encoding.UTF8.GetBytes(body),
        Timestamp = Some.Time,
    };
}
