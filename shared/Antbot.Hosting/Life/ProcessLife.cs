using System.Reflection;
using System.Runtime.InteropServices;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;

namespace Antbot.Hosting;

/// <summary>Records that this process started and stopped, in a stream of its service.</summary>
/// <param name="instance">This very run of it.</param>
/// <param name="configuration">The hash of its settings.</param>
public sealed class ProcessLife(IEventStore store, string service, string name, Guid instance, string configuration, TimeProvider clock)
{
    private static readonly EventCodec Codec = new(new EventRegistry().Add(typeof(ProcessStarted), typeof(ProcessStopped)));

    public static string Build { get; } =
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";

    public async Task StartedAsync(CancellationToken cancellationToken)
    {
        var head = await store.Ledger.ReadHeadAsync(cancellationToken);
        await AppendAsync("started", Started(head.Position), cancellationToken);
    }

    public Task StoppedAsync(string reason, CancellationToken cancellationToken) => AppendAsync("stopped", new ProcessStopped(service, instance, reason, name), cancellationToken);

    private ProcessStarted Started(long position) => new(
        service, instance, Build, RuntimeInformation.FrameworkDescription, Environment.ProcessId, position, name, configuration, Life.BuildHash.Value);

    private Task<AppendOutcome> AppendAsync(string what, object @event, CancellationToken cancellationToken) => store.AppendAsync(
        new AppendRequest
        {
            Stream = Streams.Process(service),
            Expected = ExpectedVersion.Any,
            Decision = new Decision(instance, what),
            Events = [Codec.Encode(@event)],
            At = clock.GetUtcNow(),
            Meta = new EventMeta(instance.ToString("N"), null, $"process:{service}"),
        },
        cancellationToken);
}
