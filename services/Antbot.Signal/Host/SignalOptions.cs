using System.ComponentModel.DataAnnotations;
using Antbot.Contracts;
using Antbot.Hosting;
using Antbot.Signals.Core;
using Antbot.Signals.Core.Strategies;

namespace Antbot.Signals;

/// <summary><c>ANTBOT_SIGNAL__SYMBOLS</c> and so on in the environment.</summary>
public sealed class SignalOptions
{
    private static readonly SignalTerms Default = SignalTerms.Default;

    /// <summary>Those that venues have candles of.</summary>
    private static readonly int[] Intervals = [1, 60, 180, 300, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 28_800, 43_200, 86_400];

    /// <summary>Opens <c>POST /signals</c>: one key, or <c>name=key</c> for each of several; without one nobody gets in.</summary>
    public string ApiKey { get; set; } = "";

    /// <summary>What the strategies watch, with commas between them.</summary>
    public string Symbols { get; set; } = "BTCUSDT,ETHUSDT,SOLUSDT,BNBUSDT,XRPUSDT,DOGEUSDT";

    /// <summary>Which strategies run, with commas between them; none where it is empty.</summary>
    public string Strategies { get; set; } = "ema-cross,rsi-reversion";

    /// <summary>Of the candles that strategies look at.</summary>
    public int IntervalSeconds { get; set; } = 1;

    /// <summary>How long a strategy keeps silent on a symbol after an idea.</summary>
    [Range(0, 86_400)]
    public int CooldownSeconds { get; set; } = 30;

    /// <summary>Candles of the fast average.</summary>
    [Range(1, 189)]
    public int EmaFast { get; set; } = 5;

    /// <summary>Candles of the slow average.</summary>
    [Range(2, 190)]
    public int EmaSlow { get; set; } = 13;

    /// <summary>Candles of the relative strength.</summary>
    [Range(2, 99)]
    public int RsiPeriod { get; set; } = 14;

    /// <summary>Below this the relative strength says: buy.</summary>
    public decimal RsiOversold { get; set; } = 30;

    /// <summary>Above this it says: sell.</summary>
    public decimal RsiOverbought { get; set; } = 70;

    /// <summary>Whose money a signal trades with that names no account.</summary>
    public string Account { get; set; } = Default.Account.Value;

    /// <summary>How much money a signal puts in that does not say.</summary>
    public decimal Notional { get; set; } = Default.Notional.Value;

    /// <summary>How far below its price a signal's stop lies, where it names none.</summary>
    public decimal StopPercent { get; set; } = Default.StopPercent;

    /// <summary>How far above it the profit is taken, where it names nothing.</summary>
    public decimal TakeProfitPercent { get; set; } = Default.TakeProfitPercent;

    /// <summary>Of what comes in without one.</summary>
    public decimal Confidence { get; set; } = Default.Confidence;

    /// <summary>How long a signal is valid that does not say.</summary>
    [Range(1, 3_600)]
    public int LifeSeconds { get; set; } = (int)Default.Life.TotalSeconds;

    /// <summary>How far a signal's price may be from the market's.</summary>
    public decimal MaxPriceDeviationPercent { get; set; } = Default.PriceDeviationPercent;

    /// <summary>The same body without an idempotency key within this time is a repetition.</summary>
    [Range(1, 3_600)]
    public int RepeatWindowSeconds { get; set; } = 60;

    /// <summary>Signals a second for each key, on average.</summary>
    [Range(1, 100_000)]
    public int RatePerSecond { get; set; } = 20;

    /// <summary>Signals at once for each key.</summary>
    [Range(1, 100_000)]
    public int Burst { get; set; } = 100;

    /// <summary>Signals a second for all keys together, on average.</summary>
    [Range(1, 100_000)]
    public int TotalRatePerSecond { get; set; } = 100;

    /// <summary>Signals at once for all keys together.</summary>
    [Range(1, 100_000)]
    public int TotalBurst { get; set; } = 500;

    /// <summary>How many requests are worked on at once.</summary>
    [Range(1, 4_096)]
    public int AtOnce { get; set; } = 256;

    /// <summary>How many more wait; beyond that they are sent away.</summary>
    [Range(0, 100_000)]
    public int WaitingMax { get; set; } = 10_000;

    /// <summary>After this long a signal without a trade is published again.</summary>
    [Range(1, 600)]
    public int RedriveSeconds { get; set; } = 3;

    public SignalTerms Terms => new(new AccountId(Account), new Money(Notional), StopPercent, TakeProfitPercent, Confidence, TimeSpan.FromSeconds(LifeSeconds), MaxPriceDeviationPercent);

    public IReadOnlyList<Symbol> Watched => [.. Split(Symbols).Select(s => new Symbol(s))];

    public TimeSpan Interval => TimeSpan.FromSeconds(IntervalSeconds);

    public Watch? MakeWatch() => Split(Strategies) is { Length: > 0 } names ? Watch.Begin(names.Select(n => Find(n)!), TimeSpan.FromSeconds(CooldownSeconds)) : null;

    public static IEnumerable<ValidationResult> Check(SignalOptions options)
    {
        ApiKeys.Load(options.ApiKey, file: null, out var keyFaults);
        foreach (var fault in keyFaults)
            yield return new ValidationResult(fault, [nameof(ApiKey)]);
        if (Split(options.Symbols).Length == 0)
            yield return new ValidationResult("Name at least one symbol.", [nameof(Symbols)]);
        foreach (var name in Split(options.Symbols).Where(n => Symbol.Fault(n) is not null))
            yield return new ValidationResult($"'{name}' is no symbol. {Symbol.Fault(name)}", [nameof(Symbols)]);
        foreach (var name in Split(options.Strategies).Where(n => options.Find(n) is null))
            yield return new ValidationResult($"'{name}' is no strategy; there are ema-cross and rsi-reversion.", [nameof(Strategies)]);
        if (!Intervals.Contains(options.IntervalSeconds))
            yield return new ValidationResult($"There are candles of {string.Join(", ", Intervals)} seconds.", [nameof(IntervalSeconds)]);
        if (options.EmaFast >= options.EmaSlow)
            yield return new ValidationResult("The fast period is shorter than the slow one.", [nameof(EmaFast), nameof(EmaSlow)]);
        if (!(options.RsiOversold > 0 && options.RsiOversold < options.RsiOverbought && options.RsiOverbought < 100))
            yield return new ValidationResult("Between 0 and 100 what is oversold lies below what is overbought.", [nameof(RsiOversold), nameof(RsiOverbought)]);
        if (AccountId.Fault(options.Account) is { } account)
            yield return new ValidationResult(account, [nameof(Account)]);
        foreach (var (name, value, most) in new[]
        {
            (nameof(Notional), options.Notional, 1_000_000m), (nameof(StopPercent), options.StopPercent, 99), (nameof(TakeProfitPercent), options.TakeProfitPercent, 99),
            (nameof(Confidence), options.Confidence, 1), (nameof(MaxPriceDeviationPercent), options.MaxPriceDeviationPercent, 1_000),
        })
        {
            if (value <= 0 || value > most)
                yield return new ValidationResult($"{value} is not above 0 and at most {most}.", [name]);
        }
    }

    private Strategy? Find(string name) => name switch
    {
        "ema-cross" => new EmaCross(EmaFast, EmaSlow),
        "rsi-reversion" => new RsiReversion(RsiPeriod, RsiOversold, RsiOverbought),
        _ => null,
    };

    private static string[] Split(string list) => list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
