using Antbot.Contracts.Events;
using Antbot.Kernel.Decisions;

namespace Antbot.Kernel.Control;

/// <summary>The fold of `control`: what may be done, by everyone, from the event on. Dry and active while nothing was said.</summary>
public sealed record ControlState(Activity Activity, TradingMode Mode, bool Maintenance, string Reason)
{
    public static ControlState Initial { get; } = new(Activity.Active, TradingMode.Dry, Maintenance: false, "");

    public static Fold<ControlState> Fold { get; } = new("control-1", Initial, Apply);

    /// <summary>Why nothing new may be entered; null where it may.</summary>
    public string? EntryBar => Activity switch
    {
        Activity.Halted => $"halted: {Reason}",
        Activity.Reducing => $"reducing only: {Reason}",
        Activity.Active => Maintenance ? $"maintenance: {Reason}" : null,
        _ => "the control state is not known",
    };

    /// <summary>
    /// What is in force while the recovery after a start has not ended: nothing is entered, as if somebody had said so. Nobody has, so it
    /// is not recorded, and ends by itself.
    /// </summary>
    /// <param name="why">Null where it has ended.</param>
    public ControlState WhileRecovering(string? why) => why is null || Activity != Activity.Active ? this : this with { Activity = Activity.Reducing, Reason = $"recovery has not ended: {why}" };

    private static ControlState Apply(ControlState state, object @event) => @event switch
    {
        ActivitySet e => state with { Activity = e.Activity, Reason = e.Reason },
        TradingModeSet e => state with { Mode = e.Mode },
        MaintenanceSet e => state with { Maintenance = e.On, Reason = e.On ? e.Message : state.Reason },
        _ => state,
    };
}
