using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Hosting;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.Incidents;

/// <summary>Finds in the history what no person has to say first: a process that did not end in order, and a halt that nobody ordered.</summary>
internal sealed class IncidentWatch(PipelineParts parts, IIncidents incidents)
{
    private const string PersonPrefix = "operator:";
    private const int PageSize = 2_000;
    private const int Look = 64;

    private static readonly EventCodec Processes = new(new EventRegistry().Add(typeof(ProcessStarted), typeof(ProcessStopped)));
    private static readonly TimeSpan OneIncident = TimeSpan.FromHours(1);

    /// <summary>So long before a process began the reader looks for why the one before it ended.</summary>
    private static readonly TimeSpan Before = TimeSpan.FromMinutes(5);

    /// <summary>What is older is nobody's incident any more: a history that is imported, or that came before this was watched.</summary>
    private static readonly TimeSpan Old = TimeSpan.FromDays(1);

    public Task RunAsync(CancellationToken cancellationToken) => new DurableSubscription(
        parts.Store, "incidents", WorkAsync, parts.Clock, new SubscriptionOptions { PageSize = PageSize, Prefixes = [Streams.ProcessPrefix, Streams.Control.Value] }).RunAsync(cancellationToken);

    private async Task WorkAsync(IReadOnlyList<StoredEvent> page, CancellationToken cancellationToken)
    {
        foreach (var stored in page.Where(e => e.Timestamp >= parts.Clock.GetUtcNow() - Old))
        {
            if (Processes.Find<ProcessStarted>(stored) is { Name: not null } started)
                await LookBehindAsync(stored, started, cancellationToken);
            else if (parts.Codec.Find<ActivitySet>(stored) is { Activity: Activity.Halted } halted && stored.Actor?.StartsWith(PersonPrefix, StringComparison.Ordinal) != true)
                await incidents.RaiseAsync(
                    new IncidentAlert(DeterministicId.From("incident-halt", stored.EventId.ToString("N")), $"halt:{stored.Actor}", $"{stored.Actor ?? "Somebody"} halted trading: {halted.Reason}", stored.Timestamp, OneIncident), cancellationToken);
        }
    }

    private async Task LookBehindAsync(StoredEvent stored, ProcessStarted started, CancellationToken cancellationToken)
    {
        if (await BeforeAsync(stored, started, cancellationToken) is not { } before)
            return;
        var (began, at) = before;
        await incidents.RaiseAsync(
            new IncidentAlert(
                DeterministicId.From("incident-crash", stored.EventId.ToString("N")), $"crash:{started.Service}/{started.Name}",
                $"{started.Service} {started.Name} began again, and its process before, {began.Instance:N} (build {began.Build}, begun {at:u}), did not say that it ended: it was killed or crashed, or goes on under the same name.", stored.Timestamp, OneIncident)
            {
                Source = IncidentSource.Crash, Since = at > stored.Timestamp - Before ? at : stored.Timestamp - Before,
            },
            cancellationToken);
    }

    /// <summary>The process before this one under the same name, where it has not said that it ended; null where it has, or there was none.</summary>
    private async Task<(ProcessStarted Began, DateTimeOffset At)?> BeforeAsync(StoredEvent stored, ProcessStarted started, CancellationToken cancellationToken)
    {
        var stopped = new HashSet<Guid>();
        for (var end = stored.Version - 1; end > 0; end -= Look)
        {
            var from = Math.Max(1, end - Look + 1);
            var events = await parts.Store.ReadStreamAsync(new StreamId(stored.Stream), from, cancellationToken).TakeWhile(e => e.Version <= end).ToListAsync(cancellationToken);
            for (var i = events.Count - 1; i >= 0; i--)
            {
                if (Processes.Find<ProcessStopped>(events[i]) is { } ended)
                    stopped.Add(ended.Instance);
                else if (Processes.Find<ProcessStarted>(events[i]) is { } began && began.Name == started.Name)
                    return stopped.Contains(began.Instance) ? null : (began, events[i].Timestamp);
            }
        }
        return null;
    }
}
