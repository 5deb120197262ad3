using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Messages;

namespace Antbot.Validation.Core.Rules;

/// <summary>All that a rule may look at.</summary>
public sealed record Look(Signal Signal, SymbolMemory Memory, ValidationLimits Limits, DateTimeOffset Now)
{
    /// <summary>Every rule, in the order in which people read them. All are asked, so that a rejection names every reason.</summary>
    public static IReadOnlyList<Func<Look, Verdict>> Rules { get; } =
        [KnownSymbol.Check, NamedSource.Check, Freshness.Check, EntryPrice.Check, StopPrice.Check, TakeProfitPrice.Check, NotionalBounds.Check, EnoughConfidence.Check, NoDuplicate.Check];

    /// <summary>What the entry is expected to cost a unit.</summary>
    public Price Entry => Signal.Limit ?? Signal.Reference;

    public bool IsSided => Signal.Side is Side.Buy or Side.Sell;

    /// <summary>What was raised before can be repeated by nothing that is still fresh.</summary>
    public DateTimeOffset ForgetBefore => Now - TimeSpan.FromSeconds(Limits.AgeMaxSeconds + Limits.SkewMaxSeconds + Limits.DuplicateWindowSeconds);

    /// <summary>How far a price lies from another, in percent of that other; positive where it is above.</summary>
    internal static decimal Percent(Price price, Price from) => (price.Value - from.Value) / from.Value * 100;

    internal static string Say(decimal number) => number.ToString("#,0.########", CultureInfo.InvariantCulture);

    internal static string Say(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss.fff", CultureInfo.InvariantCulture);
}
