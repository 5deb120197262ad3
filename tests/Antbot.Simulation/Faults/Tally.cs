using System.Reflection;
using System.Text.Json.Serialization;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>Which faults of the plan really happened: one that never does proves nothing.</summary>
public sealed class Tally
{
    private readonly Dictionary<string, long> _counts = new(StringComparer.Ordinal);
    private readonly HashSet<Fault> _faults = [];

    /// <summary>All that can happen, but for crashes: those are named after their points.</summary>
    private static readonly string[] Kinds =
    [
        .. typeof(Fault).GetCustomAttributes<JsonDerivedTypeAttribute>().Select(a => a.DerivedType).Where(t => t != typeof(Crash) && t != typeof(VenueErrs) && t != typeof(SomebodyTrades) && t != typeof(BooksAmiss) && t != typeof(SomebodyPublishes)).Select(t => t.Name),
        .. Enum.GetValues<Mishap>().Where(m => m != Mishap.None).Select(NameOf), .. Enum.GetValues<Deed>().Select(d => NameOf(new SomebodyTrades(0, d))),
        .. Enum.GetValues<Amiss>().Select(a => NameOf(new BooksAmiss(0, 0, a))), .. Enum.GetValues<Rubbishes>().Select(r => NameOf(new SomebodyPublishes(0, r))), NameOf(new Poisoned("", "", 0, 0, AfterEffect: true)), .. Letters.Recordable, .. Checker.MustHappen,
        NameOf(new WrongBalances(0, SimProcess.Reconciling.LastsSeconds, 0, 0)), NameOf(new StoreDown(0, 0, Full: true)), NameOf(new BusLoses(0, ArrivesAllTheSame: true)), NameOf(new Halted(0, null)),
    ];

    public IReadOnlyDictionary<string, long> Counts => _counts;

    /// <summary>Each fault of the plan that happened, and not just one of its kind.</summary>
    public IReadOnlyCollection<Fault> Faults => _faults;

    /// <summary>Faults that prove nothing, for they never were.</summary>
    public IReadOnlyList<string> NeverHappened() => [.. Kinds.Concat(Rehearsal.Points.Select(CrashAt)).Where(k => !_counts.ContainsKey(k))];

    private static string CrashAt(string point) => $"{nameof(Crash)} at {point}";

    /// <summary>Where somebody wants to read everything that happens.</summary>
    public Action<string>? Tell { get; set; }

    public void Happened(Fault fault)
    {
        Tell?.Invoke($"!! {fault}");
        _faults.Add(fault);
        Happened(NameOf(fault));
    }

    public void Happened(string what, long times = 1) => _counts[what] = _counts.GetValueOrDefault(what) + times;

    public void Add(Tally other)
    {
        foreach (var (what, count) in other.Counts)
            _counts[what] = _counts.GetValueOrDefault(what) + count;
    }

    private static string NameOf(Mishap mishap) => $"{nameof(VenueErrs)}.{mishap}";

    private static string NameOf(Fault fault) => fault switch
    {
        Crash f => CrashAt(f.Point),
        VenueErrs f => NameOf(f.Mishap),
        SomebodyTrades f => $"{nameof(SomebodyTrades)}.{f.Deed}",
        BooksAmiss f => $"{nameof(BooksAmiss)}.{f.How}",
        SomebodyPublishes f => $"{nameof(SomebodyPublishes)}.{f.What}",
        Poisoned { AfterEffect: true } => $"{nameof(Poisoned)}.{nameof(Poisoned.AfterEffect)}",
        WrongBalances { IsBelieved: true } => $"{nameof(WrongBalances)}.Believed",
        StoreDown { Full: true } => $"{nameof(StoreDown)}.{nameof(StoreDown.Full)}",
        BusLoses { ArrivesAllTheSame: true } => $"{nameof(BusLoses)}.{nameof(BusLoses.ArrivesAllTheSame)}",
        Halted { ForSeconds: null } => $"{nameof(Halted)}.ForGood",
        _ => fault.GetType().Name,
    };
}
