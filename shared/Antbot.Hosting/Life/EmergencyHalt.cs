using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Control;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Control;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.Hosting.Life;

/// <summary>
/// Where the environment asks for an emergency shutdown, a halt is recorded before anything is worked on. It is an operator's to end,
/// as any other: what was a reason to stop is not over because a process was started without it.
/// </summary>
internal sealed class EmergencyHalt(PlatformOptions options, ServiceIdentity identity, IEventStore store, EventCodec codec, TimeProvider clock, ILogger<EmergencyHalt> log)
{
    private const string By = "environment";

    private readonly StreamLoader _loader = new(store, codec);

    public async Task RecordAsync(CancellationToken cancellationToken)
    {
        // One is enough for all processes of the platform.
        if (!options.EmergencyShutdown || (await _loader.LoadAsync(Streams.Control, ControlState.Fold, cancellationToken)).State.Activity == Activity.Halted)
            return;
        var reason = $"emergency shutdown: BOT_EMERGENCY_SHUTDOWN was set where {identity.Service} ({identity.Instance}) started";
        var sent = await ControlCommands.SendAsync(
            store, codec, new SetActivity(Activity.Halted, reason, By), DeterministicId.From("emergency-shutdown", identity.Process.ToString("N")), $"process:{identity.Service}", clock, cancellationToken);
        if (sent.IsNew)
            log.LogWarning("Halted, as version {Version} of control, because the environment asks for an emergency shutdown. Take the variable out, then 'antbot resume --reason …' ends it", sent.Event.Version);
    }
}
