using System.ComponentModel.DataAnnotations;
using Antbot.Contracts;
using Antbot.Validation.Core;

namespace Antbot.Validation;

/// <summary>What a signal must keep to: <c>ANTBOT_VALIDATION__MAXAGESECONDS</c> in the environment.</summary>
public sealed class ValidationOptions
{
    private static readonly ValidationLimits Default = ValidationLimits.Default;

    /// <summary>With commas between them.</summary>
    [Required]
    public string Symbols { get; set; } = string.Join(',', Default.Symbols);

    /// <summary>A signal that is older is stale.</summary>
    [Range(1, 3_600)]
    public int MaxAgeSeconds { get; set; } = Default.AgeMaxSeconds;

    /// <summary>How far in the future a signal may claim to be from.</summary>
    [Range(0, 60)]
    public int MaxSkewSeconds { get; set; } = Default.SkewMaxSeconds;

    /// <summary>The longest time a signal may be valid.</summary>
    [Range(1, 86_400)]
    public int MaxLifeSeconds { get; set; } = Default.LifeMaxSeconds;

    /// <summary>How far from the market's price a limit may be.</summary>
    public decimal MaxLimitDistancePercent { get; set; } = Default.LimitDistancePercent;

    /// <summary>How far from it a stop may be.</summary>
    public decimal MaxStopDistancePercent { get; set; } = Default.StopDistancePercent;

    /// <summary>How far from it the profit may be taken.</summary>
    public decimal MaxTakeProfitDistancePercent { get; set; } = Default.TakeProfitDistancePercent;

    /// <summary>Whether a signal without a stop is refused.</summary>
    public bool RequireStop { get; set; } = Default.StopRequired;

    /// <summary>The least money of a signal.</summary>
    public decimal MinNotional { get; set; } = Default.NotionalMin.Value;

    /// <summary>The most money of a signal.</summary>
    public decimal MaxNotional { get; set; } = Default.NotionalMax.Value;

    /// <summary>The least confidence of a signal, 0 to 1.</summary>
    public decimal MinConfidence { get; set; } = Default.ConfidenceMin;

    /// <summary>0 turns the rule off.</summary>
    [Range(0, 3_600)]
    public int DuplicateWindowSeconds { get; set; } = Default.DuplicateWindowSeconds;

    public ValidationLimits Limits => new(
        [.. Names().Select(n => new Symbol(n))], MaxAgeSeconds, MaxSkewSeconds, MaxLifeSeconds, MaxLimitDistancePercent, MaxStopDistancePercent, MaxTakeProfitDistancePercent,
        RequireStop, new Money(MinNotional), new Money(MaxNotional), MinConfidence, DuplicateWindowSeconds);

    public static IEnumerable<ValidationResult> Check(ValidationOptions options)
    {
        if (options.Names().Length == 0)
            yield return new ValidationResult("Name at least one symbol.", [nameof(Symbols)]);
        foreach (var name in options.Names().Where(n => Symbol.Fault(n) is not null))
            yield return new ValidationResult($"'{name}' is no symbol. {Symbol.Fault(name)}", [nameof(Symbols)]);
        foreach (var (name, percent) in new[]
        {
            (nameof(MaxLimitDistancePercent), options.MaxLimitDistancePercent), (nameof(MaxStopDistancePercent), options.MaxStopDistancePercent),
            (nameof(MaxTakeProfitDistancePercent), options.MaxTakeProfitDistancePercent),
        })
        {
            if (percent is <= 0 or > 1_000)
                yield return new ValidationResult($"{percent} is not above 0 and at most 1,000.", [name]);
        }
        if (options.MinNotional <= 0 || options.MinNotional > options.MaxNotional || Money.Fault(options.MaxNotional) is not null)
            yield return new ValidationResult($"{options.MinNotional} and {options.MaxNotional} do not lie above 0, in this order and within what a sum of money can be.", [nameof(MinNotional), nameof(MaxNotional)]);
        if (options.MinConfidence is < 0 or > 1)
            yield return new ValidationResult($"{options.MinConfidence} is not between 0 and 1.", [nameof(MinConfidence)]);
    }

    private string[] Names() => Symbols.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
