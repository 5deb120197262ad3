using Antbot.Contracts.Events;

namespace Antbot.Hosting;

/// <summary>A process of ours began: which build, where in history. What an incident's analyst asks first.</summary>
[StoredName("process_started")]
public sealed record ProcessStarted(string Service, Guid Instance, string Build, string Runtime, int ProcessId, long LedgerPosition);

/// <summary>It ended in order. A start without this before the next start was a crash.</summary>
[StoredName("process_stopped")]
public sealed record ProcessStopped(string Service, Guid Instance, string Reason);
