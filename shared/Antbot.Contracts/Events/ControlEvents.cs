namespace Antbot.Contracts.Events;

/// <summary>What may be done at all.</summary>
public enum Activity
{
    Active = 1,

    /// <summary>Nothing new is entered; what is open is managed and closed.</summary>
    Reducing = 2,

    /// <summary>Like Reducing, by an emergency: only an operator ends it.</summary>
    Halted = 3,
}

public enum TradingMode
{
    /// <summary>Orders go to a paper venue only.</summary>
    Dry = 1,
    Live = 2,
}

[StoredName("activity_set")]
public sealed record ActivitySet(Activity Activity, string Reason, string By);

[StoredName("trading_mode_set")]
public sealed record TradingModeSet(TradingMode Mode, string Reason, string By);

/// <summary>Users are told; nothing new is entered while it lasts.</summary>
[StoredName("maintenance_set")]
public sealed record MaintenanceSet(bool On, string Message, string By);
