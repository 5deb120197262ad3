namespace Antbot.Kernel.Decisions;

/// <summary>How events become state. Change <paramref name="Name"/> whenever <paramref name="Apply"/> or the state's shape changes: old snapshots are then passed over.</summary>
public sealed record Fold<TState>(string Name, TState Initial, Func<TState, object, TState> Apply)
    where TState : class;

/// <summary>
/// All that one consumer does with one kind of stream, free of clock, chance and I/O. <paramref name="Decide"/> gives the events
/// of an input; <paramref name="React"/> gives the messages of one event, from the event alone, so that they can be sent again years later.
/// </summary>
/// <param name="Consumer">Part of every event's id: never renamed.</param>
public sealed record Behaviour<TState>(
    string Consumer,
    Fold<TState> Fold,
    Func<TState, object, DateTimeOffset, IReadOnlyList<object>> Decide,
    Func<object, IReadOnlyList<object>> React)
    where TState : class
{
    /// <summary>Nothing more is expected for it, so that it is not kept in memory; should something come all the same, it is loaded again.</summary>
    public Func<TState, bool> IsOver { get; init; } = static _ => false;
}
