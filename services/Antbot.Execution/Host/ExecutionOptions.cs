using System.ComponentModel.DataAnnotations;
using Antbot.Contracts;
using Antbot.Contracts.Events;

namespace Antbot.Execution;

/// <summary>In the environment: <c>ANTBOT_EXECUTION__STOPDISTANCE</c> and so on. Distances are parts of the price: 0.02 is 2 %.</summary>
public sealed class ExecutionOptions
{
    /// <summary>Where a stop lies that the signal does not name; 0 for none, which is refused where there is real money.</summary>
    [Range(0, 0.5)]
    public decimal StopDistance { get; set; } = 0.02m;

    /// <summary>How much worse than its trigger a stop may sell; 0 for at any price.</summary>
    [Range(0, 0.5)]
    public decimal StopLimitDistance { get; set; }

    /// <summary>Where a profit is taken that the signal does not name; 0 for nowhere.</summary>
    [Range(0, 0.9)]
    public decimal TakeProfitDistance { get; set; } = 0.04m;

    /// <summary>How long a position is held; 0 for ever.</summary>
    [Range(0, 31_536_000)]
    public int HoldingSecondsMax { get; set; } = 86_400;

    /// <summary>How often an entry is tried.</summary>
    [Range(1, 10)]
    public int EntryAttemptsMax { get; set; } = 3;

    /// <summary>Whether an entry whose tries are used up is followed by one market order of half its size.</summary>
    public bool HalfSizeFallback { get; set; } = true;

    /// <summary>For how long what an entry has filled may wait for more without a stop; then its rest is cancelled.</summary>
    [Range(0, 60)]
    public int PartialEntrySecondsMax { get; set; } = 2;

    /// <summary>How much worse than the signal's price an entry may be.</summary>
    [Range(0, 0.1)]
    public decimal SlippageMax { get; set; } = 0.005m;

    /// <summary>How far the price may have moved since the signal.</summary>
    [Range(0.0001, 0.5)]
    public decimal PriceMoveMax { get; set; } = 0.02m;

    /// <summary>A price that is older is not traded on.</summary>
    [Range(1, 300)]
    public int PriceAgeSecondsMax { get; set; } = 5;

    /// <summary>For how long the venue takes an attempt after the time it is signed with.</summary>
    [Range(500, 5_000)]
    public int WindowMilliseconds { get; set; } = 3_000;

    /// <summary>How long after an attempt's window the venue is asked what became of it.</summary>
    [Range(100, 30_000)]
    public int AskMarginMilliseconds { get; set; } = 1_000;

    /// <summary>How often the venue is asked which orders are open: it counts each such question dearly. 0 for every other second on paper, and every fifth where the money is real.</summary>
    [Range(0, 60)]
    public int OpenOrdersSeconds { get; set; }

    /// <summary>After how long without us a venue that has such a countdown cancels what was entered and rests; 0 for never. Stops stay.</summary>
    [Range(0, 3_600)]
    public int EntryCountdownSeconds { get; set; } = 60;

    /// <summary>Whose prices are followed, as <c>BTCUSDT,ETHUSDT</c>; empty for all that the venue trades, up to a hundred.</summary>
    [RegularExpression("^([A-Z0-9]{2,20}(,[A-Z0-9]{2,20})*)?$")]
    public string Symbols { get; set; } = "";

    public IReadOnlyList<Symbol> SymbolList => [.. Symbols.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(s => new Symbol(s))];

    public ExecutionPolicy Policy => new(
        StopDistance, StopLimitDistance > 0 ? StopLimitDistance : null, TakeProfitDistance > 0 ? TakeProfitDistance : null, HoldingSecondsMax > 0 ? HoldingSecondsMax : null,
        EntryAttemptsMax, SlippageMax, PriceMoveMax, PriceAgeSecondsMax, AskMarginMilliseconds, HalfSizeFallback, EndsWithSignal: true, PartialEntrySecondsMax);
}
