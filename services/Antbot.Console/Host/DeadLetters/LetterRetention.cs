using Antbot.Contracts;
using Antbot.Forensics;
using Antbot.Kernel.Identity;
using Antbot.ReadModels;
using Antbot.Runtime.Pipeline;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// Letters about which nobody has done anything for long expire: what they asked for is nobody's any more. One about a trade that goes on
/// stays, however old it is. The list only says where to look; what is decided rests on the streams.
/// </summary>
internal sealed class LetterRetention(PipelineParts parts, DeadLetterBook book, IReadModels models, ConsoleOptions options)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(10);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await LookAsync(cancellationToken);
            await Task.Delay(LookEvery, parts.Clock, cancellationToken);
        }
    }

    /// <summary>Looks at all that were kept that long ago, the oldest first.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        var old = parts.Clock.GetUtcNow() - TimeSpan.FromDays(options.DeadLetterDays);
        var going = new Dictionary<TradeId, bool>();
        string? after = null;
        do
        {
            var page = await models.ListAsync(ViewTable.DeadLetters, new ViewQuery(DeadLetterView.Waiting, After: after, Limit: ViewQuery.LimitMax) { Until = old, OldestFirst = true }, cancellationToken);
            foreach (var letter in page.Select(r => r.As<DeadLetterView>()).Where(l => l.ChangedAt <= old))
                await LookAsync(Guid.ParseExact(letter.Id, "N"), going, cancellationToken);
            after = page.Count == ViewQuery.LimitMax ? page[^1].Id : null;
        }
        while (after is not null);
    }

    private async Task LookAsync(Guid letter, Dictionary<TradeId, bool> going, CancellationToken cancellationToken)
    {
        if (await book.OpenAsync(letter, cancellationToken) is not { } opened)
            return;
        var (kept, state) = (opened.Kept, opened.State);
        TradeId? open = null;
        foreach (var trade in kept.Trades)
        {
            if (!going.TryGetValue(trade, out var goesOn))
                going[trade] = goesOn = (await TradeLife.OfAsync(parts.Store, trade, cancellationToken)).GoesOn;
            if (goesOn)
                open = trade;
        }
        var expire = new ExpireDeadLetter(letter, state.Replays, state.Edits, opened.At, options.DeadLetterDays, open, open is null ? await book.EffectSaidAsync(kept, cancellationToken) : null);
        await book.RecordAsync(opened, DeterministicId.From("dead-letter-expiry", letter.ToString("N"), $"{state.Replays}", $"{state.Edits}"), expire, DeadLetterBook.Actor, cancellationToken);
    }
}
