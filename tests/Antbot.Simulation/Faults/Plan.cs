using System.Text.Json;
using System.Text.Json.Serialization;
using Antbot.Simulation.World;

namespace Antbot.Simulation.Faults;

/// <summary>A whole run: the seed makes its ordinary chances (latencies, prices), the rest is said. The same plan is the same run.</summary>
/// <param name="Instances">Of every service but the venue.</param>
/// <param name="Faults">Of several that say the same of the same place, the first counts.</param>
public sealed record Plan(ulong Seed, int Trades, int Instances, IReadOnlyList<Fault> Faults)
{
    internal static readonly JsonSerializerOptions Json = new() { WriteIndented = true, RespectRequiredConstructorParameters = true, RespectNullableAnnotations = true };

    public string Write() => JsonSerializer.Serialize(this, Json);

    public static Plan Read(string text) => JsonSerializer.Deserialize<Plan>(text, Json) ?? throw new JsonException("There is no plan in it.");
}

/// <summary>Something that goes wrong, addressed by what happens and not by when: so that it still means the same where another is taken out.</summary>
[JsonDerivedType(typeof(Crash), "crash")]
[JsonDerivedType(typeof(Freeze), "freeze")]
[JsonDerivedType(typeof(WrongClock), "wrong-clock")]
[JsonDerivedType(typeof(ClockSteps), "clock-steps")]
[JsonDerivedType(typeof(BusLoses), "bus-loses")]
[JsonDerivedType(typeof(BusRepeats), "bus-repeats")]
[JsonDerivedType(typeof(BusLosesMany), "bus-loses-many")]
[JsonDerivedType(typeof(BusRepeatsMany), "bus-repeats-many")]
[JsonDerivedType(typeof(BusDelays), "bus-delays")]
[JsonDerivedType(typeof(BusReorders), "bus-reorders")]
[JsonDerivedType(typeof(BusDown), "bus-down")]
[JsonDerivedType(typeof(BusBlocked), "bus-blocked")]
[JsonDerivedType(typeof(BusRestarts), "bus-restarts")]
[JsonDerivedType(typeof(Deadly), "deadly")]
[JsonDerivedType(typeof(Poisoned), "poisoned")]
[JsonDerivedType(typeof(SomebodyPublishes), "somebody-publishes")]
[JsonDerivedType(typeof(LetterReplayed), "letter-replayed")]
[JsonDerivedType(typeof(LetterGivenUp), "letter-given-up")]
[JsonDerivedType(typeof(LetterDiscarded), "letter-discarded")]
[JsonDerivedType(typeof(LettersSelected), "letters-selected")]
[JsonDerivedType(typeof(StoreDown), "store-down")]
[JsonDerivedType(typeof(StoreDoubt), "store-doubt")]
[JsonDerivedType(typeof(StoreStalls), "store-stalls")]
[JsonDerivedType(typeof(StoreSlow), "store-slow")]
[JsonDerivedType(typeof(StoreGap), "store-gap")]
[JsonDerivedType(typeof(Stranger), "stranger")]
[JsonDerivedType(typeof(VenueErrs), "venue-errs")]
[JsonDerivedType(typeof(CancelUnanswered), "cancel-unanswered")]
[JsonDerivedType(typeof(VenueAway), "venue-away")]
[JsonDerivedType(typeof(VenueLimits), "venue-limits")]
[JsonDerivedType(typeof(VenueForgets), "venue-forgets")]
[JsonDerivedType(typeof(BooksAmiss), "books-amiss")]
[JsonDerivedType(typeof(WrongBalances), "wrong-balances")]
[JsonDerivedType(typeof(Busted), "busted")]
[JsonDerivedType(typeof(SomebodyTrades), "somebody-trades")]
[JsonDerivedType(typeof(OperatorsSettle), "operators-settle")]
[JsonDerivedType(typeof(Halted), "halted")]
[JsonDerivedType(typeof(HaltedBefore), "halted-before")]
public abstract record Fault;

/// <summary>What lasts from one time to another.</summary>
public interface ILasting
{
    double AtSeconds { get; }

    double ForSeconds { get; }
}

/// <summary>The service ends hard when one of its instances reaches the point for the n-th time.</summary>
public sealed record Crash(string Point, int Nth, double BackAfterSeconds) : Fault;

/// <summary>Stopped and gone on: a sleeper that wakes and believes that no time has passed.</summary>
public sealed record Freeze(string Service, double AtSeconds, double ForSeconds) : Fault, ILasting;

public sealed record WrongClock(string Service, double Seconds) : Fault;

/// <summary>Somebody sets the clock on the wall while the service runs.</summary>
public sealed record ClockSteps(string Service, double AtSeconds, double BySeconds) : Fault;

/// <summary>The n-th message that is published is lost, and its publisher learns that it was not confirmed; or it arrives all the same.</summary>
public sealed record BusLoses(int Nth, bool ArrivesAllTheSame) : Fault;

public sealed record BusRepeats(int Nth, int Copies, double WithinSeconds) : Fault;

/// <param name="Part">Of what is published meanwhile: lost before it is confirmed.</param>
public sealed record BusLosesMany(double AtSeconds, double ForSeconds, double Part) : Fault, ILasting;

/// <param name="Part">Of what is published meanwhile: it comes once more.</param>
public sealed record BusRepeatsMany(double AtSeconds, double ForSeconds, double Part, double WithinSeconds) : Fault, ILasting;

public sealed record BusDelays(int Nth, double Seconds) : Fault;

/// <summary>What is published meanwhile arrives in any order.</summary>
public sealed record BusReorders(double AtSeconds, double ForSeconds, double WithinSeconds) : Fault, ILasting;

/// <summary>Nothing is confirmed and nothing delivered; what was under way is delivered again afterwards.</summary>
public sealed record BusDown(double AtSeconds, double ForSeconds) : Fault, ILasting;

/// <summary>The broker takes nothing more from publishers, and lets them wait.</summary>
public sealed record BusBlocked(double AtSeconds, double ForSeconds) : Fault, ILasting;

/// <summary>The broker ends hard: what it has not confirmed is gone, what was being handled is delivered again.</summary>
public sealed record BusRestarts(double AtSeconds, double ForSeconds) : Fault, ILasting;

/// <summary>Whoever takes the n-th message that is published ends, until the broker gives it up.</summary>
public sealed record Deadly(int Nth) : Fault;

/// <summary>From the n-th delivery of a kind of message to an endpoint on, so many fail there, whatever is done, until everything heals.</summary>
/// <param name="AfterEffect">What follows from it is recorded and said all the same.</param>
public sealed record Poisoned(string Endpoint, string Message, int Nth, int Deliveries, bool AfterEffect) : Fault;

/// <summary>Somebody else publishes something to where the n-th message that is published goes.</summary>
public sealed record SomebodyPublishes(int Nth, Rubbishes What) : Fault;

/// <summary>When the n-th dead letter has been recorded, an operator sends it once more.</summary>
/// <param name="Times">One request after the other.</param>
/// <param name="Together">Each of them at both instances of the Console at once.</param>
public sealed record LetterReplayed(int NthLetter, double AfterSeconds, int Times, bool Together) : Fault;

/// <summary>When a dead letter is to be sent once more for the n-th time in all, an operator would rather not wait for what comes of it.</summary>
public sealed record LetterGivenUp(int NthReplay, double AfterSeconds) : Fault;

/// <summary>When the n-th dead letter has been recorded an operator discards it, where it can be spared: what others will say again by themselves, and rubbish.</summary>
public sealed record LetterDiscarded(int NthLetter, double AfterSeconds) : Fault;

/// <summary>When the n-th dead letter has been recorded, all that are new are sent once more together.</summary>
/// <param name="Narrow">Only those to the endpoint of that one.</param>
/// <param name="Together">At both instances of the Console at once, and once more under another id.</param>
/// <param name="Cancelled">Somebody calls it off again.</param>
public sealed record LettersSelected(int NthLetter, double AfterSeconds, bool Narrow, bool Together, bool Cancelled) : Fault;

/// <param name="Full">Nothing can be written, and everything read.</param>
public sealed record StoreDown(double AtSeconds, double ForSeconds, bool Full) : Fault, ILasting;

/// <summary>The n-th append is committed, and its caller does not learn it.</summary>
public sealed record StoreDoubt(int Nth) : Fault;

/// <summary>The n-th append holds the lock: every other one waits.</summary>
public sealed record StoreStalls(int Nth, double Seconds) : Fault;

/// <param name="Milliseconds">That each append takes, one after the other.</param>
public sealed record StoreSlow(double AtSeconds, double ForSeconds, double Milliseconds) : Fault, ILasting;

/// <summary>Before the n-th append somebody has drawn sequences that never show up.</summary>
public sealed record StoreGap(int Nth, int Numbers) : Fault;

/// <summary>
/// Another application writes a signal into the same tables without our lock: it draws its sequence at once, and the event shows up
/// only when it is sealed, behind others with higher ones.
/// </summary>
public sealed record Stranger(double AtSeconds, double SealedAfterSeconds) : Fault;

/// <summary>What goes wrong with the n-th order that is sent.</summary>
public sealed record VenueErrs(int Nth, Mishap Mishap) : Fault;

/// <summary>The n-th order that the venue cancels is cancelled, and nobody is told.</summary>
public sealed record CancelUnanswered(int Nth) : Fault;

public sealed record VenueAway(double AtSeconds, double ForSeconds) : Fault, ILasting;

/// <summary>Every request is refused for its weight.</summary>
public sealed record VenueLimits(double AtSeconds, double ForSeconds) : Fault, ILasting;

/// <summary>Asked for an order by the client's id it says that there is none; what is open and what was traded it tells as ever.</summary>
public sealed record VenueForgets(double AtSeconds, double ForSeconds) : Fault, ILasting;

/// <summary>What is told of the market is not what it is.</summary>
public sealed record BooksAmiss(double AtSeconds, double ForSeconds, Amiss How) : Fault, ILasting;

/// <summary>It tells another balance of one asset than the account has.</summary>
/// <param name="Part">Of what there is.</param>
public sealed record WrongBalances(double AtSeconds, double ForSeconds, int NthAsset, double Part) : Fault, ILasting
{
    /// <summary>For so long that it is taken for the truth, and remedied; and remedied again when the truth is told.</summary>
    [JsonIgnore]
    public bool IsBelieved => ForSeconds >= SimProcess.Reconciling.LastsSeconds;
}

/// <summary>The venue takes its n-th fill back.</summary>
public sealed record Busted(int NthFill, double AfterSeconds) : Fault;

/// <summary>Somebody else does something on the account by hand, as soon as there is something to do it with.</summary>
public sealed record SomebodyTrades(double AtSeconds, Deed Deed) : Fault;

/// <summary>From then on operators look for an order in doubt, and settle it.</summary>
public sealed record OperatorsSettle(double AtSeconds) : Fault;

/// <param name="ForSeconds">Null for good: what is open must be closed all the same.</param>
public sealed record Halted(double AtSeconds, double? ForSeconds) : Fault;

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

    /// <summary>It comes seconds later, perhaps after its sender has given up waiting.</summary>
    LateArrival,

    RateLimited,

    /// <summary>Too many orders: neither it nor any other is taken before their ten seconds are over.</summary>
    TooManyOrders,

    /// <summary>Half is filled, the rest some seconds later.</summary>
    PartialFill,

    /// <summary>Half of an entry at a limit is filled, and the rest never.</summary>
    HalfForGood,

    /// <summary>Filled, and the answer says that it is only open.</summary>
    LateFill,

    /// <summary>Each of its fills is told twice.</summary>
    RepeatedFill,
}

[JsonConverter(typeof(JsonStringEnumConverter<Amiss>))]
public enum Amiss
{
    /// <summary>An old book again and again, under its number.</summary>
    Stale = 1,

    /// <summary>Somebody would buy for more than somebody sells for.</summary>
    Crossed,

    /// <summary>Nothing is told at all.</summary>
    Silent,
}

[JsonConverter(typeof(JsonStringEnumConverter<Rubbishes>))]
public enum Rubbishes
{
    /// <summary>Any bytes, without an id.</summary>
    Bytes = 1,

    /// <summary>More of them than an event holds.</summary>
    ManyBytes,

    /// <summary>A message of a known kind that lacks what it must have.</summary>
    Unreadable,

    /// <summary>A message of a kind that nobody takes.</summary>
    Unknown,
}

[JsonConverter(typeof(JsonStringEnumConverter<Deed>))]
public enum Deed
{
    /// <summary>At the market's price.</summary>
    Buys,

    /// <summary>Sells what is there, and cancels the stops that hold it back.</summary>
    Sells,

    /// <summary>A purchase that rests, and is filled in two parts when the price has come down to it.</summary>
    Bids,

    CancelsAStop,
}
