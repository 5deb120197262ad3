using System.Collections.Concurrent;
using System.Diagnostics;

namespace Antbot.Integration.Tests.Support;

/// <summary>The requests to the venue that a collector would see in one trace.</summary>
internal sealed class VenueSpans : IDisposable
{
    private readonly ConcurrentQueue<Activity> _ended = new();
    private readonly ActivityListener _listener;

    public VenueSpans(ActivityTraceId trace)
    {
        _listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Antbot.Venues",
            Sample = (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = span =>
            {
                if (span.TraceId == trace)
                    _ended.Enqueue(span);
            },
        };
        ActivitySource.AddActivityListener(_listener);
    }

    public IReadOnlyCollection<Activity> Ended => _ended;

    public ISet<string> Names => _ended.Select(s => s.OperationName).ToHashSet(StringComparer.Ordinal);

    public void Dispose() => _listener.Dispose();
}
