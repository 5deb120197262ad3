using Antbot.Contracts.Events;
using Antbot.ReadModels;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>What a letter says of itself and what is known of its trade, as far as sending it once more depends on it.</summary>
internal sealed class ReplayIntents(DeadLetterStories stories, IReadModels models)
{
    public async Task<ReplayIntent> OfAsync(DeadLetterKept kept, CancellationToken cancellationToken) =>
        Letter.IntentOf(kept, await stories.PropertiesOfAsync(kept, cancellationToken), await stories.ReadBodyAsync(kept.Letter, cancellationToken), await OverAsync(kept, cancellationToken));

    /// <summary>The phase in which the letter's trade has ended; null while it goes on, or where there is none.</summary>
    private async Task<string?> OverAsync(DeadLetterKept kept, CancellationToken cancellationToken) =>
        kept.Trades is [var trade] && (await models.FindAsync(ViewTable.Trades, trade.Value, cancellationToken))?.As<TradeView>() is { } view && TradeView.IsOver(view.Phase) ? view.Phase.ToString() : null;
}
