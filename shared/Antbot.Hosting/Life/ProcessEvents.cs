using Antbot.Contracts.Events;

namespace Antbot.Hosting;

/// <summary>A process of ours began: which build, where in history. What an incident's analyst asks first.</summary>
/// <param name="Name">Which of several of this service: the next start under it is the same one's.</param>
[StoredName("process_started")]
public sealed record ProcessStarted(string Service, Guid Instance, string Build, string Runtime, int ProcessId, long LedgerPosition, string? Name = null);

/// <summary>It ended in order. A start of the same name without this before it was a crash.</summary>
[StoredName("process_stopped")]
public sealed record ProcessStopped(string Service, Guid Instance, string Reason, string? Name = null);
