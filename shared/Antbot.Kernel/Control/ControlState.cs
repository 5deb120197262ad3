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

    private static ControlState Apply(ControlState state, object @event) => @event switch
    {
        ActivitySet e => state with { Activity = e.Activity, Reason = e.Reason },
        TradingModeSet e => state with { Mode = e.Mode },
        MaintenanceSet e => state with { Maintenance = e.On, Reason = e.On ? e.Message : state.Reason },
        _ => state,
    };
}
