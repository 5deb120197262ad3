using Antbot.Contracts.Events;

namespace Antbot.Hosting;

/// <summary>A process of ours began: which build, where in history. What an incident's analyst asks first.</summary>
/// <param name="Name">Which of several of this service: the next start under it is the same one's.</param>
/// <param name="Configuration">SHA-256 of the settings that were given, without secrets; null in what was recorded before it was kept, as with <paramref name="BuildHash"/>.</param>
/// <param name="BuildHash">SHA-256 over what the compiler made of each of our assemblies: two builds of one version are two.</param>
[StoredName("process_started")]
public sealed record ProcessStarted(string Service, Guid Instance, string Build, string Runtime, int ProcessId, long LedgerPosition, string? Name = null, string? Configuration = null, string? BuildHash = null);

/// <summary>It ended in order. A start of the same name without this before it was a crash.</summary>
[StoredName("process_stopped")]
public sealed record ProcessStopped(string Service, Guid Instance, string Reason, string? Name = null);
