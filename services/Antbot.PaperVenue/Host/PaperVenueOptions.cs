using System.Net;

namespace Antbot.PaperVenue;

/// <summary>The venue cannot start, or not with these options; the message says what to do.</summary>
public class PaperVenueException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>What was asked for cannot be, however often it is tried; a fault a line.</summary>
public sealed class PaperVenueOptionsException(IEnumerable<string> faults) : PaperVenueException(string.Join(Environment.NewLine, faults));

/// <summary>Everything that can be set. The defaults are a venue on loopback, on any free port, with nothing held back.</summary>
public sealed record PaperVenueOptions
{
    public string Listen { get; init; } = "127.0.0.1";

    /// <summary>Zero for any that is free.</summary>
    public int Port { get; init; }

    /// <summary>Of the admin routes, which have a port of their own; zero for any that is free. Where it is says <c>admin.json</c> in the data folder.</summary>
    public int AdminPort { get; init; }

    /// <summary>Where the journal and the keys are kept.</summary>
    public required string Data { get; init; }

    /// <summary>Of the synthetic market: the same seed gives the same prices at the same time.</summary>
    public long Seed { get; init; } = 1;

    /// <summary>How many times faster than real time the prices move.</summary>
    public int Speed { get; init; } = 1;

    /// <summary>What the market begins with, where it is not gone on with; by the name that the admin route takes.</summary>
    public string? Scenario { get; init; }

    /// <summary>Of the scenario replay: a candle file in the folder <c>candles</c> under the data folder.</summary>
    public string? ReplayFile { get; init; }

    /// <summary>A real venue whose public prices are those of this one, and of which nothing else is ever asked; null for a market that is made up.</summary>
    public Uri? Follow { get; init; }

    /// <summary>How often the market moves.</summary>
    public int StepMilliseconds { get; init; } = 250;

    /// <summary>Whether faults may be ordered by the admin routes.</summary>
    public bool Faults { get; init; } = true;

    /// <summary>Of the first account; generated and kept under the data folder where they are not given.</summary>
    public string? ApiKey { get; init; }

    public string? ApiSecret { get; init; }

    public string? AdminKey { get; init; }

    /// <summary>The admin routes listen on loopback and answer to this machine alone unless this is set.</summary>
    public bool RemoteAdmin { get; init; }

    /// <summary>What the first account is opened with.</summary>
    public IReadOnlyDictionary<string, string> Deposits { get; init; } = new Dictionary<string, string>(StringComparer.Ordinal) { ["USDT"] = "100000" };

    /// <summary>Something of everything, so that one can begin by selling.</summary>
    public static IReadOnlyDictionary<string, string> PracticeDeposits { get; } = new Dictionary<string, string>(StringComparer.Ordinal)
    {
        ["USDT"] = "100000", ["BTC"] = "1", ["ETH"] = "20", ["SOL"] = "300", ["BNB"] = "60", ["XRP"] = "20000", ["DOGE"] = "200000",
    };

    /// <summary>Request weight that one address may use in a minute. Binance's own figure is 6000.</summary>
    public int WeightPerMinute { get; init; } = 1_200_000;

    /// <summary>Requests that one address may make in five minutes, whatever they weigh. Binance's own figure is 61000.</summary>
    public int RequestsPerFiveMinutes { get; init; } = 6_000_000;

    /// <summary>Orders that one account may place in ten seconds. Binance's own figure is 100.</summary>
    public int OrdersPerTenSeconds { get; init; } = 100_000;

    /// <summary>Orders that one account may place in a day of universal time. Binance's own figure is 200000.</summary>
    public int OrdersPerDay { get; init; } = 50_000_000;

    public int MaxConnections { get; init; } = 2_048;

    public int MaxStreamConnections { get; init; } = 512;

    /// <summary>After so long a WebSocket is closed, whoever it is.</summary>
    public TimeSpan MaxStreamAge { get; init; } = TimeSpan.FromHours(24);

    /// <summary>A listen key that nobody keeps alive ends after so long.</summary>
    public TimeSpan ListenKeyLife { get; init; } = TimeSpan.FromMinutes(60);

    /// <summary>One file of the journal. Space for one ahead is always reserved.</summary>
    public int SegmentBytes { get; init; } = 16 << 20;

    /// <summary>How much the journal grows before the state is written down whole and the journal starts over.</summary>
    public long SnapshotBytes { get; init; } = 64L << 20;

    /// <summary>Goes on from the last good record of a damaged journal, which is kept aside. Otherwise such a journal is refused.</summary>
    public bool Salvage { get; init; }

    public VenueRules Rules { get; init; } = VenueRules.Default;

    /// <summary>Everything that is wrong with them, each with what would be right.</summary>
    public IReadOnlyList<string> Validate()
    {
        var faults = new List<string>();
        Need(IPAddress.TryParse(Listen, out _), $"The address to listen on is '{Listen}', which is no IP address; give one such as 127.0.0.1.");
        Need(Port is >= 0 and <= 65_535, $"The port is {Port}; give one from 1 to 65535, or 0 for any that is free.");
        Need(AdminPort is >= 0 and <= 65_535, $"The admin port is {AdminPort}; give one from 1 to 65535, or 0 for any that is free.");
        Need(Port == 0 || Port != AdminPort, $"The admin routes are to have port {AdminPort}, which is the venue's own; give them another, or 0 for any that is free.");
        Need(!string.IsNullOrWhiteSpace(Data), "No data folder is named; the venue keeps its journal there.");
        Need(Speed is >= 1 and <= 1_000, $"The speed is {Speed}; give one from 1 to 1000.");
        Need(Scenario is null || Admin.ScenarioNames.Find(Scenario) is not null, $"The scenario is '{Scenario}'; there are {Admin.ScenarioNames.All}.");
        Need(ReplayFile is null == (Scenario != "replay"), "A replay needs the name of a candle file, and nothing else takes one.");
        Need(Follow is null || Following.RealMarkets.Fault(Follow) is null, $"The market that is to be followed is '{Follow}': {(Follow is null ? "" : Following.RealMarkets.Fault(Follow))}");
        Need(Follow is null || (Scenario is null && Speed == 1), "A market that is followed goes by no scenario, and no faster than it does.");
        Need(StepMilliseconds is >= 10 and <= 10_000, $"The market's step is {StepMilliseconds} ms; give one from 10 to 10000.");
        Need((ApiKey is null) == (ApiSecret is null), "Of API key and secret only one is given; give both or neither.");
        Need(ApiKey is null || KeyFile.IsKey(ApiKey), "The API key is not of 16 to 128 letters and digits.");
        Need(ApiSecret is null || KeyFile.IsKey(ApiSecret), "The API secret is not of 16 to 128 letters and digits.");
        Need(AdminKey is null || KeyFile.IsKey(AdminKey), "The admin key is not of 16 to 128 letters and digits.");
        Need(WeightPerMinute > 0, $"The request weight per minute is {WeightPerMinute}; give a number above 0.");
        Need(RequestsPerFiveMinutes > 0, $"The number of requests per five minutes is {RequestsPerFiveMinutes}; give a number above 0.");
        Need(OrdersPerTenSeconds > 0, $"The number of orders per ten seconds is {OrdersPerTenSeconds}; give a number above 0.");
        Need(OrdersPerDay > 0, $"The number of orders per day is {OrdersPerDay}; give a number above 0.");
        Need(MaxConnections > 0 && MaxStreamConnections > 0, "A limit of connections is not above 0.");
        Need(MaxStreamAge > TimeSpan.Zero && MaxStreamAge <= TimeSpan.FromDays(1), $"A stream is to be closed after {MaxStreamAge}; give a time of at most a day.");
        Need(ListenKeyLife > TimeSpan.Zero && ListenKeyLife <= TimeSpan.FromDays(1), $"A listen key is to last {ListenKeyLife}; give a time of at most a day.");
        Need(SegmentBytes is >= 64 << 10 and <= 1 << 30, $"A journal file is to have {SegmentBytes} bytes; give 64 KiB to 1 GiB.");
        Need(SnapshotBytes >= SegmentBytes, $"The journal is to start over after {SnapshotBytes} bytes, less than one of its files of {SegmentBytes}.");
        foreach (var (asset, amount) in Deposits)
        {
            Need(Rules.FindAsset(asset) is not null, $"A deposit is in '{asset}', which is not traded here; assets are {string.Join(", ", Rules.Assets)}.");
            Need(Fixed8.TryParse(amount, out _) == NumberFault.None, $"A deposit is of '{amount}' {asset}; give a number with at most 8 decimals.");
        }
        return faults;

        void Need(bool right, string otherwise)
        {
            if (!right)
                faults.Add(otherwise);
        }
    }
}
