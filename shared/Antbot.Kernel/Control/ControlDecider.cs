using Antbot.Contracts.Events;

namespace Antbot.Kernel.Control;

public sealed record SetActivity(Activity Activity, string Reason, string By);

public sealed record SetTradingMode(TradingMode Mode, string Reason, string By);

public sealed record SetMaintenance(bool On, string Message, string By);

/// <summary>An operator's word is recorded even where it changes nothing: that it was said is history too.</summary>
public static class ControlDecider
{
    public static IReadOnlyList<object> Decide(object command) => command switch
    {
        SetActivity c => [new ActivitySet(c.Activity, c.Reason, c.By)],
        SetTradingMode c => [new TradingModeSet(c.Mode, c.Reason, c.By)],
        SetMaintenance c => [new MaintenanceSet(c.On, c.Message, c.By)],
        _ => throw new ArgumentException($"{command.GetType().Name} is no command to the control stream.", nameof(command)),
    };

    /// <summary>The word that was recorded; null where it was none.</summary>
    /// <param name="decided">All events of one decision.</param>
    public static object? CommandOf(IReadOnlyList<object> decided) => decided switch
    {
        [ActivitySet e] => new SetActivity(e.Activity, e.Reason, e.By),
        [TradingModeSet e] => new SetTradingMode(e.Mode, e.Reason, e.By),
        [MaintenanceSet e] => new SetMaintenance(e.On, e.Message, e.By),
        _ => null,
    };
}
