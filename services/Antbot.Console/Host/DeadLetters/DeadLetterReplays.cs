using System.Text.Json;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// Sends once more what was ordered to be, from the record, and looks for what came of it: a letter has had its effect when whoever it was
/// going to has decided on its message, and not when it was sent.
/// </summary>
internal sealed class DeadLetterReplays(PipelineParts parts, DeadLetterBook book, DeadLetterStories stories, DeadLetterSender sender, IReadModels models)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly ViewQuery UnderWay = new([nameof(DeadLetterStatus.Replaying)], Limit: ViewQuery.LimitMax);

    public Task SendAsync(CancellationToken cancellationToken) => new DurableSubscription(parts.Store, "dead-letter-replays", SendAsync, parts.Clock).RunAsync(cancellationToken);

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            string? after = null;
            do
            {
                var page = await models.ListAsync(ViewTable.DeadLetters, UnderWay with { After = after }, cancellationToken);
                foreach (var row in page)
                    await LookAsync(row.As<DeadLetterView>(), cancellationToken);
                after = page.Count == UnderWay.Limit ? page[^1].Id : null;
            }
            while (after is not null);
            await Task.Delay(LookEvery, parts.Clock, cancellationToken);
        }
    }

    private async Task SendAsync(IReadOnlyList<StoredEvent> page, CancellationToken cancellationToken)
    {
        foreach (var stored in page)
        {
            if (parts.Codec.Find<DeadLetterReplayOrdered>(stored) is not { } ordered || await book.FindAsync(ordered.Letter, cancellationToken) is not { } kept)
                continue;
            // An order may be read again, after what it was about has been decided otherwise.
            if (await book.StateOfAsync(ordered.Letter, cancellationToken) is { Status: DeadLetterStatus.Replaying } state && state.Replays == ordered.Replay)
                await SendAsync(kept, ordered.Replay, cancellationToken);
        }
    }

    private async Task SendAsync(DeadLetterKept kept, int replay, CancellationToken cancellationToken)
    {
        var properties = await stories.PropertiesOfAsync(kept, cancellationToken);
        var body = await stories.ReadBodyAsync(kept.Letter, cancellationToken) ?? [];
        try
        {
            await sender.SendAsync(kept.Endpoint, properties, body, Letter.ReplayOf(kept.Letter, replay), cancellationToken);
            parts.CrashPoints.Reach("dead-letters.after-send");
        }
        catch (JsonException e)
        {
            // On the bus within one process only what can be read can be sent.
            var again = kept with { Letter = DeterministicId.From("not-sent", kept.Letter.ToString("N"), $"{replay}"), FaultType = e.GetType().FullName!, FaultMessage = $"It cannot be sent: {e.Message}", Stack = "" };
            await book.RecordAsync(kept, again.Letter, new ReturnDeadLetter(kept.Letter, replay, again), DeadLetterBook.Actor, cancellationToken);
        }
    }

    private async Task LookAsync(DeadLetterView letter, CancellationToken cancellationToken)
    {
        // Every endpoint decides under its own name.
        if (letter.Message is not { } message || await parts.Store.FindDecisionAsync(new Decision(message, letter.Endpoint), cancellationToken) is not [var effect, ..])
            return;
        if (await book.FindAsync(Guid.ParseExact(letter.Id, "N"), cancellationToken) is not { } kept)
            return;
        var id = DeterministicId.From("dead-letter-effect", letter.Id, $"{letter.Replays}");
        await book.RecordAsync(kept, id, new ConfirmReplay(kept.Letter, letter.Replays, effect.EventId, effect.Stream, effect.Sequence), DeadLetterBook.Actor, cancellationToken);
    }
}
