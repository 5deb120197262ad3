using System.Globalization;
using Antbot.Contracts;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.Incidents.Changes;

/// <summary>
/// Builds, settings, control and what people had done, in one list. The first three are read from the ends of their own streams; what people
/// did is looked up, and what comes in by webhooks is passed over: that is trading, not a change.
/// </summary>
/// <param name="mayRead">Whether whoever asks may see what a stream says; null where they may see all.</param>
public sealed class ChangeLog(IEventStore store, IReadModels models, Func<string, bool>? mayRead = null)
{
    /// <summary>So many of the things that people did are looked at for a page.</summary>
    public const int LookedAtMax = 20_000;

    private const int ServicesMax = 100;

    /// <summary>The read models of a platform at work are always a little behind.</summary>
    private static readonly TimeSpan Lag = TimeSpan.FromSeconds(2);

    /// <summary>Null where what it is to go on after is no event.</summary>
    public async Task<ChangePage?> ReadAsync(ChangeSelection selection, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(selection);
        if (selection.Fault is { } fault)
            throw new ArgumentException(fault, nameof(selection));
        if (await FromAsync(selection, cancellationToken) is not { } from)
            return null;
        var gaps = new List<string>();
        var (changes, looked) = await PeopleAsync(selection, from, gaps, cancellationToken);
        changes.AddRange(await ControlAsync(selection, gaps, cancellationToken));
        var unsaid = new NamedGaps();
        foreach (var service in await ServicesAsync(selection, gaps, cancellationToken))
            changes.AddRange(await ProcessesAsync(service, selection, gaps, unsaid, cancellationToken));
        unsaid.Tell(gaps);
        await SayIfBehindAsync(selection, gaps, cancellationToken);
        var ordered = changes.Where(c => new Place(c.At, c.Sequence).IsAfter(from) && (looked is not { } end || !new Place(c.At, c.Sequence).IsAfter(end)))
            .OrderBy(c => c.At).ThenBy(c => c.Sequence).ThenBy(c => c.Kind).ToList();
        var count = Math.Min(selection.Limit, ordered.Count);
        // What one event changed is told together.
        while (count > 0 && count < ordered.Count && ordered[count].Sequence == ordered[count - 1].Sequence)
            count++;
        var next = count < ordered.Count ? ordered[count - 1].Sequence : looked?.Sequence;
        return new ChangePage(selection.Since, selection.Until, ordered[..count], next?.ToString(CultureInfo.InvariantCulture), gaps);
    }

    /// <summary>Behind which the page begins.</summary>
    private async Task<Place?> FromAsync(ChangeSelection selection, CancellationToken cancellationToken)
    {
        if (selection.After is not { } after)
            return new Place(selection.Since, 0);
        var sequence = long.Parse(after, CultureInfo.InvariantCulture);
        return await store.ReadPageAsync(sequence - 1, 1, cancellationToken) is [var stored] && stored.Sequence == sequence
            ? new Place(stored.Timestamp, sequence)
            : null;
    }

    /// <returns>What people did, and where it was left off; null where all of it was looked at.</returns>
    private async Task<(List<Change> Changes, Place? Looked)> PeopleAsync(ChangeSelection selection, Place from, List<string> gaps, CancellationToken cancellationToken)
    {
        var archived = new ArchivedCount();
        var (changes, looked) = await PeopleAsync(selection, from, archived, cancellationToken);
        archived.Tell(gaps);
        return (changes, looked);
    }

    private async Task<(List<Change> Changes, Place? Looked)> PeopleAsync(ChangeSelection selection, Place from, ArchivedCount archived, CancellationToken cancellationToken)
    {
        var (changes, looked, query) = (new List<Change>(), 0, new ViewQuery([], Limit: ViewQuery.LimitMax) { Since = from.At, Until = selection.Until, OldestFirst = true });
        while (true)
        {
            var page = await models.ListAsync(ViewTable.Actions, query, cancellationToken);
            foreach (var (row, action) in page.Select(r => (r, r.As<ActionView>())))
            {
                if (IsChange(action) && new Place(row.At, row.Sequence).IsAfter(from) && await ReadAsync(row.Sequence, archived, cancellationToken) is { } stored)
                    changes.Add(Of(stored, ChangeKind.Operator));
                if (changes.Count > selection.Limit)
                    return (changes, new Place(row.At, row.Sequence));
            }
            looked += page.Count;
            if (page.Count < query.Limit)
                return (changes, null);
            if (looked >= LookedAtMax)
                return (changes, new Place(page[^1].At, page[^1].Sequence));
            query = query with { After = page[^1].Id };
        }
    }

    /// <summary>A word to control is told by the event that it is, not by its record in the audit a second time.</summary>
    private static bool IsChange(ActionView action) => action.Type != "operator_command_recorded" && action.Stream != Streams.Control.Value && !action.Stream.StartsWith(Streams.SignalPrefix, StringComparison.Ordinal);

    private async Task<IEnumerable<Change>> ControlAsync(ChangeSelection selection, List<string> gaps, CancellationToken cancellationToken)
    {
        var (events, isWhole) = await StreamEnd.ReadAsync(store, Streams.Control, selection.Since, static _ => true, cancellationToken);
        if (!isWhole)
            gaps.Add($"Of {Streams.Control} only the last {events.Count:N0} words were read.");
        return events.Where(e => IsWithin(e, selection)).Select(e => Of(e, ChangeKind.Control));
    }

    private async Task<IEnumerable<Change>> ProcessesAsync(string service, ChangeSelection selection, List<string> gaps, NamedGaps unsaid, CancellationToken cancellationToken)
    {
        var (events, isWhole) = await StreamEnd.ReadAsync(store, Streams.Process(service), selection.Since, e => e.Timestamp < selection.Since && ProcessRun.Read(e) is not null, cancellationToken);
        if (!isWhole)
            gaps.Add($"Of {Streams.Process(service)} only the last {events.Count:N0} events were read: what {service} ran before them is not known.");
        var (changes, before) = (new List<Change>(), (ProcessRun?)null);
        foreach (var stored in events)
        {
            if (ProcessRun.Read(stored) is not { } run)
                continue;
            if (IsWithin(stored, selection))
            {
                changes.AddRange(run.Since(before, first: isWhole));
                if (run.BuildHash is null)
                    unsaid.Add("Processes that did not say which code they run but for its version", $"{run.Instance:N} of {service}, begun {stored.Timestamp:u}");
                if (run.Configuration is null)
                    unsaid.Add("Processes that did not say with which settings they run", $"{run.Instance:N} of {service}, begun {stored.Timestamp:u}");
            }
            before = run;
        }
        return changes;
    }

    /// <summary>Those of which a process began in the period: each has its row, however often it began since.</summary>
    private async Task<IReadOnlyList<string>> ServicesAsync(ChangeSelection selection, List<string> gaps, CancellationToken cancellationToken)
    {
        var (services, after) = (new SortedSet<string>(StringComparer.Ordinal), (string?)null);
        do
        {
            var page = await models.ListAsync(ViewTable.Processes, new ViewQuery([], After: after, Limit: ViewQuery.LimitMax) { Since = selection.Since }, cancellationToken);
            services.UnionWith(page.Select(r => r.As<ProcessView>().Service).Where(s => StreamId.Fault(Streams.ProcessPrefix + s) is null));
            after = page.Count == ViewQuery.LimitMax ? page[^1].Id : null;
        }
        while (after is not null && services.Count <= ServicesMax);
        if (services.Count > ServicesMax)
            gaps.Add($"Processes of more than {ServicesMax} services began; the first {ServicesMax} by name are told.");
        return [.. services.Take(ServicesMax)];
    }

    private async Task SayIfBehindAsync(ChangeSelection selection, List<string> gaps, CancellationToken cancellationToken)
    {
        var position = await models.ReadPositionAsync(cancellationToken);
        if (await store.ReadPageAsync(position, 1, cancellationToken) is [var unread] && unread.Timestamp + Lag < selection.Until)
            gaps.Add($"The read models stand at sequence {position}: what people did, and services that began, after {unread.Timestamp:u} may be missing.");
    }

    private async Task<StoredEvent?> ReadAsync(long sequence, ArchivedCount archived, CancellationToken cancellationToken)
    {
        var page = await store.ReadPageAsync(sequence - 1, 1, EventPage.EveryStream, cancellationToken);
        foreach (var one in page.Archived)
            archived.Add(one);
        return page.Events is [var stored] && stored.Sequence == sequence ? stored : null;
    }

    private Change Of(StoredEvent stored, ChangeKind kind)
    {
        var word = EventWords.Of(stored);
        return mayRead?.Invoke(stored.Stream) == false
            ? new Change(stored.Sequence, stored.Timestamp, kind, stored.Stream, stored.Type.Replace('_', ' '), word.By, "", Withheld: true)
            : new Change(stored.Sequence, stored.Timestamp, kind, stored.Stream, word.What, word.By, word.Why);
    }

    private static bool IsWithin(StoredEvent stored, ChangeSelection selection) => stored.Timestamp >= selection.Since && stored.Timestamp <= selection.Until;

    private readonly record struct Place(DateTimeOffset At, long Sequence)
    {
        public bool IsAfter(Place other) => At > other.At || (At == other.At && Sequence > other.Sequence);
    }
}
