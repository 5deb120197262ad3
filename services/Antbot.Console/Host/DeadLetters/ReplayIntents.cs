using Antbot.Forensics;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>What a letter says of itself and what is known of its trade, as far as sending it once more depends on it.</summary>
internal sealed class ReplayIntents(IEventStore store, DeadLetterStories stories)
{
    public async Task<ReplayIntent> OfAsync(OpenedLetter letter, CancellationToken cancellationToken)
    {
        var kept = letter.Kept;
        var life = kept.Trades is [var trade] ? await TradeLife.OfAsync(store, trade, cancellationToken) : null;
        return Letter.IntentOf(kept, await stories.PropertiesOfAsync(kept, cancellationToken), await stories.ReadAsync(letter.ToSend, cancellationToken), life?.Over, life?.ValidUntil);
    }
}
