using System.Collections.Immutable;
using Antbot.Contracts;
using Antbot.Contracts.Messages;
using Antbot.Kernel.Decisions;

namespace Antbot.Validation.Core;

/// <summary>A wish that was found valid.</summary>
public sealed record Wish(TradeId Trade, DateTimeOffset RaisedAt, decimal Confidence);

/// <summary>
/// The fold of `validation-{symbol}`: what was found valid lately, by source and side, so that the same wish is known again.
/// Wishes leave when nothing that is fresh enough could repeat them.
/// </summary>
/// <param name="PruneAbove">Beyond this number of sources all are looked through. It moves with what is left, so that looking stays cheap.</param>
public sealed record SymbolMemory(ImmutableDictionary<string, ImmutableArray<Wish>> Wishes, int PruneAbove)
{
    /// <summary>More sources than this at once are refused: a memory that forgets would let duplicates through.</summary>
    public const int SourcesMax = 10_000;

    private const int PruneAboveMin = 500;

    public static SymbolMemory Initial { get; } = new(ImmutableDictionary<string, ImmutableArray<Wish>>.Empty, PruneAboveMin);

    /// <summary>Change the name with the state's shape.</summary>
    public static Fold<SymbolMemory> Fold { get; } = new("validation-2", Initial, Apply);

    public ImmutableArray<Wish> Of(Signal signal) => Wishes.GetValueOrDefault(KeyOf(signal), []);

    /// <summary>Whether one more source can be remembered, once what may be forgotten is.</summary>
    public bool HasRoomFor(Signal signal, DateTimeOffset forgetBefore) =>
        Wishes.Count < SourcesMax || Wishes.ContainsKey(KeyOf(signal)) || Pruned(forgetBefore).Wishes.Count < SourcesMax;

    private static SymbolMemory Apply(SymbolMemory memory, object @event) => @event is SignalValidatedRecorded { Limits.DuplicateWindowSeconds: > 0 } e ? memory.With(e) : memory;

    private SymbolMemory With(SignalValidatedRecorded e)
    {
        var (known, live) = (Of(e.Signal), Of(e.Signal).Where(w => w.RaisedAt >= e.ForgetBefore && w.Trade != e.Trade));
        // A trade that is asked about again with another time is the wish that it was: what is near that one stays a duplicate.
        var wish = known.FirstOrDefault(w => w.Trade == e.Trade) ?? new Wish(e.Trade, e.Signal.RaisedAt, e.Confidence);
        var next = this with { Wishes = Wishes.SetItem(KeyOf(e.Signal), [.. live, wish]) };
        return next.Wishes.Count > PruneAbove ? next.Pruned(e.ForgetBefore) : next;
    }

    private SymbolMemory Pruned(DateTimeOffset forgetBefore)
    {
        var left = Wishes.RemoveRange(Wishes.Where(w => w.Value.All(x => x.RaisedAt < forgetBefore)).Select(w => w.Key));
        return new SymbolMemory(left, Math.Max(PruneAboveMin, 2 * left.Count));
    }

    private static string KeyOf(Signal signal) => $"{(int)signal.Side} {signal.Source}";
}
