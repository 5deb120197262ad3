using Antbot.PaperVenue.Http;

namespace Antbot.PaperVenue.Faults;

/// <summary>The faults in force, in the order in which they were asked for; the first that applies befalls a request.</summary>
internal sealed class FaultPlan(long seed, TimeProvider clock)
{
    private const int MaxFaults = 100;

    private readonly Lock _gate = new();
    private readonly List<Fault> _faults = [];
    private readonly Random _random = new(unchecked((int)seed));
    private DateTimeOffset _awayUntil = DateTimeOffset.MinValue;
    private bool _resets;
    private int _nextId = 1;
    private volatile bool _any;

    public IReadOnlyList<Fault> All
    {
        get
        {
            lock (_gate)
                return [.. _faults];
        }
    }

    /// <summary>How often each kind has struck.</summary>
    public IReadOnlyDictionary<FaultKind, long> Struck
    {
        get
        {
            lock (_gate)
                return new Dictionary<FaultKind, long>(_struck);
        }
    }

    /// <summary>Requests that a fault in force might have befallen: what part of them it did is its real rate.</summary>
    public long Exposed => Interlocked.Read(ref _exposed);

    /// <summary>Requests that found the venue away.</summary>
    public long FoundAway => Interlocked.Read(ref _foundAway);

    private readonly Dictionary<FaultKind, long> _struck = [];
    private long _foundAway;
    private long _exposed;

    /// <summary>Null when there are too many.</summary>
    public Fault? Add(Fault fault)
    {
        lock (_gate)
        {
            RemoveSpent();
            if (_faults.Count >= MaxFaults)
                return null;
            var added = fault with { Id = _nextId++ };
            _faults.Add(added);
            _any = true;
            return added;
        }
    }

    public void Clear()
    {
        lock (_gate)
        {
            _faults.Clear();
            _awayUntil = DateTimeOffset.MinValue;
            _any = false;
        }
    }

    public bool Remove(int id)
    {
        lock (_gate)
            return _faults.RemoveAll(f => f.Id == id) > 0;
    }

    public Fault? Strike(RouteGroup group)
    {
        if (!_any)
            return null;
        lock (_gate)
        {
            if (_faults.Exists(f => f.Scope == FaultScope.Request && f.Befalls(group)))
                _exposed++;
            return Strike(f => f.Scope == FaultScope.Request && f.Befalls(group));
        }
    }

    public Fault? StrikeReport() => _any ? Strike(f => f.Scope == FaultScope.Report) : null;

    public bool Has(FaultKind kind)
    {
        if (!_any)
            return false;
        lock (_gate)
            return _faults.Exists(f => f.Kind == kind && (f.Until is null || f.Until > clock.GetUtcNow()));
    }

    /// <summary>What befalls a book that is about to be shown.</summary>
    public Fault? StrikeBook() => _any ? Strike(f => f.Scope == FaultScope.Book) : null;

    /// <summary>Whether a message is kept back; of the market's, or of the owners'.</summary>
    public bool Silences(RouteGroup group) => _any && Strike(f => f.Scope == FaultScope.Stream && f.Befalls(group)) is not null;

    public void GoAway(TimeSpan time, bool resets)
    {
        lock (_gate)
            (_awayUntil, _resets) = (clock.GetUtcNow() + time, resets);
    }

    /// <summary>Whether the venue is away, and whether it resets connections or says so.</summary>
    public bool IsAway(out bool resets)
    {
        lock (_gate)
        {
            resets = _resets;
            if (_awayUntil <= clock.GetUtcNow())
                return false;
            _foundAway++;
            return true;
        }
    }

    private Fault? Strike(Func<Fault, bool> applies)
    {
        lock (_gate)
        {
            RemoveSpent();
            for (var i = 0; i < _faults.Count; i++)
            {
                var fault = _faults[i];
                if (!applies(fault) || (fault.Probability < 1 && _random.NextDouble() >= fault.Probability))
                    continue;
                _faults[i] = fault with { Left = fault.Left - 1 };
                _struck[fault.Kind] = _struck.GetValueOrDefault(fault.Kind) + 1;
                return fault;
            }
            return null;
        }
    }

    private void RemoveSpent()
    {
        _faults.RemoveAll(f => f.Left <= 0 || f.Until <= clock.GetUtcNow());
        _any = _faults.Count > 0;
    }
}
