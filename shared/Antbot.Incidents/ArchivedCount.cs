using Antbot.Runtime.Store;

namespace Antbot.Incidents;

/// <summary>What could not be told, because archives have it whose folder was not named.</summary>
internal sealed class ArchivedCount
{
    private readonly SortedDictionary<string, int> _events = new(StringComparer.Ordinal);

    public void Add(ArchivedEvent archived) => _events[archived.Archive] = _events.GetValueOrDefault(archived.Archive) + 1;

    public void Tell(List<string> gaps)
    {
        var named = new NamedGaps();
        foreach (var (archive, events) in _events)
            named.Add("Archives that have events of about that time, which are not told here; --archives names their folder", $"{events:N0} in '{archive}'");
        named.Tell(gaps);
    }
}
