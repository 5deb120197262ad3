using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>What a letter says of itself and what is known of its trade, as far as sending it once more depends on it.</summary>
internal sealed class ReplayIntents(IEventStore store, DeadLetterStories stories)
{
    private readonly ByteBudget _room = new(OpenedLetter.RoomBytes);

    public async Task<ReplayIntent> OfAsync(OpenedLetter letter, CancellationToken cancellationToken) => await OfAsync(letter, await LivesAsync([letter], cancellationToken), cancellationToken);

    /// <param name="lives">Those of <see cref="LivesAsync"/>.</param>
    public async Task<ReplayIntent> OfAsync(OpenedLetter letter, IReadOnlyDictionary<TradeId, TradeLife> lives, CancellationToken cancellationToken)
    {
        var kept = letter.Kept;
        var life = kept.Trades is [var trade] ? lives[trade] : null;
        using var room = await _room.TakeAsync(letter.Bytes, cancellationToken);
        return Letter.IntentOf(kept, await stories.PropertiesOfAsync(kept, cancellationToken), await stories.ReadAsync(letter.ToSend, cancellationToken), life?.Over, life?.ValidUntil);
    }

    /// <summary>Of the trades that these letters are about, each about one.</summary>
    public Task<IReadOnlyDictionary<TradeId, TradeLife>> LivesAsync(IEnumerable<OpenedLetter> letters, CancellationToken cancellationToken) =>
        TradeLife.OfAsync(store, [.. letters.Where(l => l.Kept.Trades.Count == 1).Select(l => l.Kept.Trades[0]).Distinct()], cancellationToken);
}
