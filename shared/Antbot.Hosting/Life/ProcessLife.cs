using System.Reflection;
using System.Runtime.InteropServices;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Hosting;

/// <summary>Records that this process started and stopped, in a stream of its service.</summary>
public sealed class ProcessLife(IEventStore store, string service, string name, TimeProvider clock)
{
    private static readonly EventCodec Codec = new(new EventRegistry().Add(typeof(ProcessStarted), typeof(ProcessStopped)));

    private readonly Guid _instance = Guid.NewGuid();

    public static string Build { get; } =
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        await AppendAsync("started", new ProcessStarted(service, _instance, Build, RuntimeInformation.FrameworkDescription, Environment.ProcessId, head.Position, name), cancellationToken);
    }

    public Task StoppedAsync(string reason, CancellationToken cancellationToken) => AppendAsync("stopped", new ProcessStopped(service, _instance, reason, name), cancellationToken);

    private Task<AppendOutcome> AppendAsync(string what, object @event, CancellationToken cancellationToken) => store.AppendAsync(
        new AppendRequest
        {
            Stream = new StreamId($"process-{service}"),
            Expected = ExpectedVersion.Any,
            Decision = new Decision(_instance, what),
            Events = [Codec.Encode(@event)],
            At = clock.GetUtcNow(),
            Meta = new EventMeta(_instance.ToString("N"), null, $"process:{service}"),
        },
        cancellationToken);
}
