using System.Collections.Concurrent;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime;
using Antbot.Runtime.Bus;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// Sends once more what was ordered to be, from the record, and looks for what came of it: a letter has had its effect when whoever it was
/// going to has decided on its message, and not when it was sent.
/// </summary>
internal sealed class DeadLetterReplays(PipelineParts parts, DeadLetterBook book, DeadLetterStories stories, IDeadLetterSender sender, IReadModels models, ConsoleOptions options, ILogger<DeadLetterReplays> log)
{
    private const int AttemptsMax = 3;
    private const int SentAtOnce = 64;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly ViewQuery UnderWay = new([nameof(DeadLetterStatus.Replaying)], Limit: ViewQuery.LimitMax);

    private readonly Resends _resends = new(TimeSpan.FromSeconds(options.ResendSeconds));
    private bool _waits;

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
            _resends.EndRound();
            await Task.Delay(LookEvery, parts.Clock, cancellationToken);
        }
    }

    /// <summary>All of a page beside each other; those that were not taken so, one after the other, each to answer for itself.</summary>
    private async Task SendAsync(IReadOnlyList<StoredEvent> page, CancellationToken cancellationToken)
    {
        var ordered = page.Select(parts.Codec.Find<DeadLetterReplayOrdered>).OfType<DeadLetterReplayOrdered>().ToList();
        var left = new ConcurrentQueue<DeadLetterReplayOrdered>();
        await Bounded.ForEachAsync(
            ordered, SentAtOnce,
            async (one, token) =>
            {
                if (!await TrySendAsync(one, token))
                    left.Enqueue(one);
            },
            cancellationToken);
        foreach (var one in left)
        {
            try
            {
                await SendAsync(one.Letter, one.Replay, cancellationToken);
                _waits = false;
            }
            catch (BusUnavailableException e)
            {
                if (!_waits)
                    log.LogWarning("Dead letters wait to be sent once more: {Fault}", e.Message);
                _waits = true;
                throw;
            }
        }
    }

    /// <summary>Whether nothing is left to be done about it.</summary>
    private async Task<bool> TrySendAsync(DeadLetterReplayOrdered ordered, CancellationToken cancellationToken)
    {
        if (await WaitingAsync(ordered.Letter, ordered.Replay, cancellationToken) is not { } letter)
            return true;
        try
        {
            await SendAsync(letter, alone: false, cancellationToken);
            return true;
        }
        catch (Exception e) when (e is BusUnavailableException or UnsendableLetterException or EventStoreException { Fault: StoreFault.Corrupt })
        {
            return false;
        }
    }

    private async Task SendAsync(Guid letter, int replay, CancellationToken cancellationToken)
    {
        if (await WaitingAsync(letter, replay, cancellationToken) is { } waiting)
            await SendAsync(waiting, cancellationToken);
    }

    /// <summary>An order may be read again, after what it was about has been decided otherwise: then there is nothing to send.</summary>
    private async Task<OpenedLetter?> WaitingAsync(Guid letter, int replay, CancellationToken cancellationToken) =>
        await book.OpenAsync(letter, cancellationToken) is { State.Status: DeadLetterStatus.Replaying } opened && opened.State.Replays == replay ? opened : null;

    /// <summary>While the broker takes nothing all wait. One that it does not take although it takes others waits for nobody, and nobody for it.</summary>
    private async Task SendAsync(OpenedLetter letter, CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await SendAsync(letter, alone: true, cancellationToken);
                return;
            }
            catch (BusUnavailableException e)
            {
                if (!await sender.TakesOthersAsync(cancellationToken))
                    throw;
                if (attempt < AttemptsMax)
                    continue;
                await NotSentAsync(letter.Kept, letter.State.Replays, e, cancellationToken);
                return;
            }
            catch (Exception e) when (e is UnsendableLetterException or EventStoreException { Fault: StoreFault.Corrupt })
            {
                await NotSentAsync(letter.Kept, letter.State.Replays, e, cancellationToken);
                return;
            }
        }
    }

    private async Task SendAsync(OpenedLetter letter, bool alone, CancellationToken cancellationToken)
    {
        var properties = await stories.PropertiesOfAsync(letter.Kept, cancellationToken);
        var body = await stories.ReadAsync(letter.ToSend, cancellationToken);
        await sender.SendAsync(letter.Kept.Endpoint, properties, body, Letter.ReplayOf(letter.Kept.Letter, letter.State.Replays), alone, cancellationToken);
        parts.CrashPoints.Reach("dead-letters.after-send");
    }

    /// <summary>It is open again, with why. Should it have arrived all the same, sending it once more will find what was decided on it.</summary>
    private async Task NotSentAsync(DeadLetterKept kept, int replay, Exception fault, CancellationToken cancellationToken)
    {
        log.LogError(fault, "The dead letter {Letter} could not be sent to {Endpoint}, and is open again", kept.Letter.ToString("N"), kept.Endpoint);
        var cause = fault.InnerException ?? fault;
        var again = kept with
        {
            Letter = DeterministicId.From("not-sent", kept.Letter.ToString("N"), $"{replay}"), FaultType = cause.GetType().FullName ?? cause.GetType().Name, FaultMessage = fault.Message, Stack = "",
            Attempts = null, FailedAt = null, Build = "",
        };
        await book.RecordAsync(kept, again.Letter, new ReturnDeadLetter(kept.Letter, replay, again), DeadLetterBook.Actor, cancellationToken);
    }

    /// <summary>It is replayed when something was decided on its message.</summary>
    public async Task LookAsync(DeadLetterKept kept, int replay, CancellationToken cancellationToken)
    {
        if (await book.EffectOfAsync(kept.Message, kept.Endpoint, cancellationToken) is { } effect)
            await ConfirmAsync(kept, replay, effect, cancellationToken);
    }

    private async Task LookAsync(DeadLetterView letter, CancellationToken cancellationToken)
    {
        var id = Guid.ParseExact(letter.Id, "N");
        if (await book.EffectOfAsync(letter.Message, letter.Endpoint, cancellationToken) is { } effect && await book.OpenAsync(id, cancellationToken) is { } opened)
            await ConfirmAsync(opened.Kept, letter.Replays, effect, cancellationToken);
        else if (_resends.IsDue(letter.Id, letter.Replays, letter.ChangedAt, parts.Clock.GetUtcNow()))
            await SendAgainAsync(id, letter.Replays, cancellationToken);
    }

    private async Task ConfirmAsync(DeadLetterKept kept, int replay, StoredEvent effect, CancellationToken cancellationToken)
    {
        var id = DeterministicId.From("dead-letter-effect", kept.Letter.ToString("N"), $"{replay}");
        await book.RecordAsync(kept, id, new ConfirmReplay(kept.Letter, replay, effect.EventId, effect.Stream, effect.Sequence), DeadLetterBook.Actor, cancellationToken);
    }

    /// <summary>It may be lost, with a process that held it in its memory. Where it is not, it is known by its id.</summary>
    private async Task SendAgainAsync(Guid letter, int replay, CancellationToken cancellationToken)
    {
        try
        {
            await SendAsync(letter, replay, cancellationToken);
            log.LogInformation("The dead letter {Letter} was sent again: nothing was heard of it", letter.ToString("N"));
        }
        catch (BusUnavailableException e)
        {
            log.LogWarning("The dead letter {Letter} waits to be sent again: {Fault}", letter.ToString("N"), e.Message);
        }
    }
}
