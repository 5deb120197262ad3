using Antbot.Contracts.Events;

namespace Antbot.ReadModels;

/// <summary>What may be done, and since which version of `control`.</summary>
public sealed record ControlReport(Activity Activity, TradingMode Mode, bool Maintenance, string Reason, string? EntryBar, long Version);

/// <param name="Health">What the process itself answered just now; null where nobody was asked.</param>
public sealed record ServiceReport(string Service, string Name, Guid Instance, string State, string Build, int ProcessId, DateTimeOffset Since, string? Health);

/// <param name="Behind">How many events of the history are not in the read models yet.</param>
public sealed record ViewsReport(long Position, long Behind, string? Trouble);

public sealed record ExposureReport(int Positions, decimal Cost, bool More);

/// <param name="Degradation">Normal, Reduced, Minimal or Emergency; null where no process was asked, only the store.</param>
public sealed record StatusReport(
    DateTimeOffset At, Guid StoreId, long Events, ControlReport Control, IReadOnlyDictionary<string, long> Trades, IReadOnlyList<DayView> Today, ExposureReport Exposure,
    IReadOnlyList<ServiceReport> Services, ViewsReport Views, string? Degradation);

/// <param name="Next">What to give as <c>after</c> for the next page; null on the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? Next);

public sealed record TradeStory(TradeView? Trade, IReadOnlyList<OrderView> Orders, PositionView? Position, IReadOnlyList<TimelineEntry> Timeline, bool More);
