using System.Text.Json;
using System.Text.Json.Serialization;

namespace Antbot.Simulation.Faults;

/// <summary>A whole run: the seed makes its ordinary chances (latencies, prices), the rest is said. The same plan is the same run.</summary>
/// <param name="Instances">Of every service but the venue.</param>
public sealed record Plan(ulong Seed, int Trades, int Instances, IReadOnlyList<Fault> Faults)
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    public string Write() => JsonSerializer.Serialize(this, Json);

    public static Plan Read(string text) => JsonSerializer.Deserialize<Plan>(text, Json) ?? throw new JsonException("There is no plan in it.");
}

/// <summary>Something that goes wrong, addressed by what happens and not by when: so that it still means the same where another is taken out.</summary>
[JsonDerivedType(typeof(Crash), "crash")]
[JsonDerivedType(typeof(Freeze), "freeze")]
[JsonDerivedType(typeof(WrongClock), "wrong-clock")]
[JsonDerivedType(typeof(BusLoses), "bus-loses")]
[JsonDerivedType(typeof(BusRepeats), "bus-repeats")]
[JsonDerivedType(typeof(BusDelays), "bus-delays")]
[JsonDerivedType(typeof(BusDown), "bus-down")]
[JsonDerivedType(typeof(StoreDown), "store-down")]
[JsonDerivedType(typeof(StoreDoubt), "store-doubt")]
[JsonDerivedType(typeof(StoreStalls), "store-stalls")]
[JsonDerivedType(typeof(VenueErrs), "venue-errs")]
[JsonDerivedType(typeof(VenueAway), "venue-away")]
[JsonDerivedType(typeof(Halted), "halted")]
[JsonDerivedType(typeof(HaltedBefore), "halted-before")]
public abstract record Fault;

/// <summary>The service ends hard when one of its instances reaches the point for the n-th time.</summary>
public sealed record Crash(string Point, int Nth, double BackAfterSeconds) : Fault;

/// <summary>Stopped and gone on: a sleeper that wakes and believes that no time has passed.</summary>
public sealed record Freeze(string Service, double AtSeconds, double ForSeconds) : Fault;

public sealed record WrongClock(string Service, double Seconds) : Fault;

/// <summary>The n-th message that is published is lost, and its publisher learns that it was not confirmed; or it arrives all the same.</summary>
public sealed record BusLoses(int Nth, bool ArrivesAllTheSame) : Fault;

public sealed record BusRepeats(int Nth, int Copies, double WithinSeconds) : Fault;

public sealed record BusDelays(int Nth, double Seconds) : Fault;

/// <summary>Nothing is confirmed and nothing delivered; what was under way is delivered again afterwards.</summary>
public sealed record BusDown(double AtSeconds, double ForSeconds) : Fault;

public sealed record StoreDown(double AtSeconds, double ForSeconds, bool Full) : Fault;

/// <summary>The n-th append is committed, and its caller does not learn it.</summary>
public sealed record StoreDoubt(int Nth) : Fault;

public sealed record StoreStalls(int Nth, double Seconds) : Fault;

/// <summary>What goes wrong with the n-th order that is sent.</summary>
public sealed record VenueErrs(int Nth, Mishap Mishap) : Fault;

public sealed record VenueAway(double AtSeconds, double ForSeconds) : Fault;

public sealed record Halted(double AtSeconds, double ForSeconds) : Fault;

/// <summary>A halt that is committed right before the n-th attempt at an entry would be.</summary>
public sealed record HaltedBefore(int NthEntry, double ForSeconds) : Fault;

[JsonConverter(typeof(JsonStringEnumConverter<Mishap>))]
public enum Mishap
{
    None,

    /// <summary>It is there, and its answer never comes.</summary>
    AcceptThenSilence,

    /// <summary>It never came, and nobody says so.</summary>
    SilenceWithoutOrder,

    /// <summary>It comes seconds after its sender has given up waiting.</summary>
    LateArrival,

    RateLimited,

    /// <summary>Half is filled now, the rest some seconds later.</summary>
    PartialFill,

    /// <summary>Filled, and the answer says that it is only open.</summary>
    LateFill,
}
