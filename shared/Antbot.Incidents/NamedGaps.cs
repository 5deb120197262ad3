namespace Antbot.Incidents;

/// <summary>What is missing, by its kind: however much of one there is, it is one gap, which counts all of it and names the first.</summary>
internal sealed class NamedGaps
{
    public const int NamedMax = 100;

    private const int NameLengthMax = 200;

    private readonly Dictionary<string, List<string>> _names = new(StringComparer.Ordinal);

    public void Add(string kind, string name)
    {
        if (!_names.TryGetValue(kind, out var names))
            _names.Add(kind, names = []);
        names.Add(name);
    }

    public void Tell(List<string> gaps) => gaps.AddRange(_names.OrderBy(n => n.Key, StringComparer.Ordinal).Select(n =>
        $"{n.Key} ({n.Value.Count:N0}): {string.Join(", ", n.Value.Take(NamedMax).Select(v => EventWords.Plain(v, NameLengthMax)))}{(n.Value.Count > NamedMax ? $" and {n.Value.Count - NamedMax:N0} more" : "")}."));
}
