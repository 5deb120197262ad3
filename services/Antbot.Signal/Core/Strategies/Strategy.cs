using Antbot.Contracts;
using Antbot.Contracts.Market;

namespace Antbot.Signals.Core.Strategies;

/// <summary>A thought that a strategy has at the close of a candle.</summary>
/// <param name="Inputs">What it rests on, by name, in the order in which people read it.</param>
public sealed record Idea(Side Side, decimal Confidence, IReadOnlyList<KeyValuePair<string, decimal>> Inputs);

/// <summary>
/// A strategy is its own state: it looks at one candle after the other and becomes the next. The same candles always give the same
/// ideas, so one that starts anew on history is soon where another left off.
/// </summary>
public abstract record Strategy
{
    /// <summary>Digits that are kept of what is carried from candle to candle.</summary>
    private const int Scale = 12;

    /// <summary>Part of every signal's id: never renamed.</summary>
    public abstract string Name { get; }

    /// <summary>After this many candles where it began no longer matters.</summary>
    public abstract int WarmUp { get; }

    public abstract (Strategy Next, Idea? Idea) On(Candle candle);

    protected static decimal Cut(decimal number) => Math.Round(number, Scale, MidpointRounding.ToZero);
}
