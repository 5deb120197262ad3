using Antbot.Contracts.Events;

namespace Antbot.Execution;

/// <summary>One decision while it is being made: every event is folded at once, so that the next thought rests on it.</summary>
internal sealed class Turn(OrdersState state, DateTimeOffset now, Stamp stamp)
{
    private readonly List<object> _events = [];

    public OrdersState State { get; private set; } = state;

    public DateTimeOffset Now { get; } = now;

    public Stamp Stamp { get; } = stamp;

    public IReadOnlyList<object> Events => _events;

    /// <summary>By either clock: a machine whose own one is behind must not send what is stale.</summary>
    public bool IsPast(DateTimeOffset? time) => Now >= time || Stamp.VenueTime >= time;

    public void Record(object @event)
    {
        _events.Add(@event);
        State = OrdersState.Fold.Apply(State, @event);
    }

    public void End(OrderState order, OrderEnd end, string evidence) => Record(new OrderEnded(order.Id, end, order.Executed, evidence));
}
