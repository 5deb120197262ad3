using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Runtime.Store;

namespace Antbot.ReadModels;

/// <summary>The events that an id stands in.</summary>
/// <param name="At">The first of them, oldest first.</param>
/// <param name="More">Whether there are others.</param>
public sealed record MentionsView(IReadOnlyList<EventPlace> At, bool More);

/// <summary>What somebody did who is none of our services.</summary>
public sealed record ActionView(string Actor, DateTimeOffset At, string Type, string Stream, long Version);

/// <summary>Ids by which an event is looked for that is found by no stream's name and no chain.</summary>
internal static class MentionFold
{
    private const int IdLengthMax = 100;
    private const string ServicePrefix = "service:";
    private const string ProcessPrefix = "process:";

    /// <summary>The stored events in which such ids stand, besides those that make trades and orders.</summary>
    public static IReadOnlyList<Type> Types { get; } = [typeof(DifferenceFound), typeof(AdoptionDecided), typeof(WriteOffDecided), typeof(RemedyEnded)];

    public static IEnumerable<RowKey> KeysOf(object? @event) => IdsOf(@event).Where(i => i.Id.Length is > 0 and <= IdLengthMax).Select(i => Key(i.Kind, i.Id)).Distinct();

    public static RowKey Key(MentionKind kind, string id) => new(ViewTable.Mentions, $"{kind}:{id}");

    public static MentionsView Apply(MentionsView? before, StoredEvent stored)
    {
        var place = new EventPlace(stored.Stream, stored.Version, stored.Sequence);
        if (before is null)
            return new MentionsView([place], More: false);
        return before.At.Contains(place) ? before
            : before.At.Count < ITraceIndex.MentionsMax ? before with { At = [.. before.At, place] }
            : before with { More = true };
    }

    /// <summary>Whether the event is one that people look for by who did it: a service does a thousand times as much.</summary>
    public static bool IsAction(StoredEvent stored) =>
        stored.Actor is { Length: > 0 } actor && !actor.StartsWith(ServicePrefix, StringComparison.Ordinal) && !actor.StartsWith(ProcessPrefix, StringComparison.Ordinal);

    /// <summary>In the order of commits, whatever the clocks say.</summary>
    public static RowKey ActionKey(long sequence) => new(ViewTable.Actions, $"{sequence:D19}");

    private static IEnumerable<(MentionKind Kind, string Id)> IdsOf(object? @event) => @event switch
    {
        OrderAccepted e => [(MentionKind.VenueOrder, e.VenueOrderId)],
        OrderAdopted e => [(MentionKind.VenueOrder, e.VenueOrderId), (MentionKind.Order, e.Order.Value)],
        PositionAdopted e => [(MentionKind.Order, e.Order.Value)],
        DeadLetterKept e => [.. e.Trades.Select(Of), .. e.Message is { } message ? new[] { (MentionKind.Message, message.ToString("N")) } : []],
        DifferenceFound { Trade: { } trade } => [Of(trade)],
        AdoptionDecided e => [Of(e.Signal.Trade)],
        WriteOffDecided e => [Of(e.Trade)],
        RemedyEnded e => [Of(e.Trade)],
        _ => [],
    };

    private static (MentionKind Kind, string Id) Of(TradeId trade) => (MentionKind.Trade, trade.Value);
}
