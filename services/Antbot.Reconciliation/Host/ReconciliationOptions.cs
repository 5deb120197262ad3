using System.ComponentModel.DataAnnotations;

namespace Antbot.Reconciliation;

/// <summary>In the environment: <c>ANTBOT_RECONCILIATION__EVERYSECONDS</c> and so on.</summary>
public sealed class ReconciliationOptions
{
    /// <summary>How often the whole account is held against the venue. With LastsSeconds it is within how long a difference is found.</summary>
    [Range(1, 3_600)]
    public int EverySeconds { get; set; } = 5;

    /// <summary>A difference that is younger may only be a record that is a moment behind.</summary>
    [Range(0.0, 600.0)]
    public double LastsSeconds { get; set; } = 3;

    /// <summary>An attempt whose fate is open for longer is a difference. Execution asks about it four seconds after it was sent.</summary>
    [Range(5, 3_600)]
    public int UnresolvedSeconds { get; set; } = 6;

    /// <summary>Balances that differ by no more are equal.</summary>
    [Range(typeof(decimal), "0", "1000000")]
    public decimal Tolerance { get; set; } = 0.001m;

    /// <summary>Whether a purchase or a holding that no trade of ours explains becomes a trade of its own, with a stop. Else it is only told.</summary>
    public bool Adopt { get; set; } = true;

    /// <summary>What a holding is sold for that was never traded here.</summary>
    [RegularExpression("^[A-Z0-9]{2,20}$")]
    public string QuoteAsset { get; set; } = "USDT";

    /// <summary>How soon a trade that the venue could not be asked about is tried again at first, and at last.</summary>
    [Range(0.05, 60)]
    public double RetrySeconds { get; set; } = 2;

    /// <summary>The same, at last.</summary>
    [Range(0.05, 600)]
    public double RetryMaxSeconds { get; set; } = 30;

    internal RemedyPolicy Remedy => new(Adopt, QuoteAsset, Tolerance);
}
