using Antbot.Contracts;
using Antbot.EventStore.Contract;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Projections;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Core.Tests.Projections;

public sealed class UnsaidEventsTests
{
    private static readonly TradeId Trade = new(DeterministicId.From("unsaid", "1"));

    private readonly UnsaidEvents _unsaid = new();

    /// <summary>Counted and not named, the published ones took others with them that stood in their place after everything was read anew.</summary>
    [Fact]
    public void What_was_not_published_is_kept_though_everything_was_read_anew_meanwhile()
    {
        var (first, second, third) = (Event(1), Event(2), Event(3));
        _unsaid.Add(Trade, first);
        var (taken, repeat) = _unsaid.Take(10);
        _unsaid.Clear();
        _unsaid.Add(Trade, second);
        _unsaid.Add(Trade, third);
        _unsaid.Said(taken, repeat);
        Assert.Equal([second, third], _unsaid.Take(10).Events);
    }

    [Fact]
    public void What_was_published_goes_and_what_came_meanwhile_stays()
    {
        _unsaid.Add(Trade, Event(1));
        _unsaid.Repeat([Trade]);
        var (taken, repeat) = _unsaid.Take(10);
        _unsaid.Add(Trade, Event(2));
        _unsaid.Said(taken, repeat);
        Assert.Equal(2, Assert.Single(_unsaid.Take(10).Events).Sequence);
        Assert.Empty(_unsaid.Take(10).Repeat);
        Assert.Equal([Trade], _unsaid.Trades);
    }

    private static StoredEvent Event(long number) => new()
    {
        Sequence = number,
        Position = number,
        EventId = DeterministicId.From("unsaid", $"{number}"),
        Stream = Streams.Order(Trade).Value,
        Version = number,
        Type = "counted",
        ClrType = null,
        Data = "{}"u8.ToArray(),
        Timestamp = Some.Time,
    };
}
