namespace Antbot.Simulation.Faults;

/// <summary>Which faults of the plan really happened: one that never does proves nothing.</summary>
public sealed class Tally
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);

    public IReadOnlyDictionary<string, long> Counts => _counts;

    public void Happened(Fault fault) => Happened(fault is VenueErrs v ? $"{nameof(VenueErrs)}.{v.Mishap}" : fault.GetType().Name);

    public void Happened(string what) => _counts[what] = _counts.GetValueOrDefault(what) + 1;

    public void Add(Tally other)
    {
        foreach (var (what, count) in other.Counts)
            _counts[what] = _counts.GetValueOrDefault(what) + count;
    }
}
