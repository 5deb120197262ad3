using Antbot.Runtime.Store;

namespace Antbot.Incidents;

/// <summary>What could not be told, because archives have it whose folder was not named.</summary>
internal sealed class ArchivedCount
{
    private readonly SortedDictionary<string, int> _events = new(StringComparer.Ordinal);

    public void Add(ArchivedEvent archived) => _events[archived.Archive] = _events.GetValueOrDefault(archived.Archive) + 1;

    public void Tell(List<string> gaps) => gaps.AddRange(_events.Select(e => $"{e.Value:N0} events of about that time are in the archive '{e.Key}', and not told here; --archives names its folder."));
}
