using System.Diagnostics;

namespace Antbot.Hosting.Telemetry;

/// <summary>Gives requests and messages a trace id even where nobody collects traces: logs and events carry it all the same.</summary>
internal sealed class AlwaysTraced : IDisposable
{
    private readonly ActivityListener _listener = new()
    {
        ShouldListenTo = source => source.Name is "Antbot.Messaging" or "Microsoft.AspNetCore",
        Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.PropagationData,
    };

    public AlwaysTraced() => ActivitySource.AddActivityListener(_listener);

    public void Dispose() => _listener.Dispose();
}
