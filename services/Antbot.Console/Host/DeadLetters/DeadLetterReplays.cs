using System.Collections.Concurrent;
using Antbot.Contracts;
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

    /// <summary>What is recorded at once is committed together.</summary>
    private const int RecordedAtOnce = 256;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);
    private static readonly SubscriptionOptions Letters = new() { Prefixes = [Streams.DeadLetterPrefix] };

    private static readonly ViewQuery WaitedFor = new([nameof(DeadLetterStatus.Replaying)], Limit: ViewQuery.LimitMax);

    /// <summary>About those was decided otherwise while they were on their way: what comes of them counts all the same.</summary>
    private static readonly ViewQuery Astray = new([], Limit: ViewQuery.LimitMax) { Search = new Dictionary<string, string>(StringComparer.Ordinal) { [ViewTables.Astray] = DeadLetterView.IsAstray } };

    private readonly Resends _resends = new(TimeSpan.FromSeconds(options.ResendSeconds));
    private readonly ByteBudget _room = new(OpenedLetter.RoomBytes);
    private bool _waits;

    public Task SendAsync(CancellationToken cancellationToken) => new DurableSubscription(parts.Store, "dead-letter-replays", SendAsync, parts.Clock, Letters).RunAsync(cancellationToken);

    public async Task LookAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await LookAsync(WaitedFor, cancellationToken);
            // After as long as it takes a letter to expire nobody waits for a copy of one, either.
            await LookAsync(Astray with { ChangedSince = parts.Clock.GetUtcNow() - TimeSpan.FromDays(options.DeadLetterDays) }, cancellationToken);
            _resends.EndRound();
            await Task.Delay(LookEvery, parts.Clock, cancellationToken);
        }
    }

    private async Task LookAsync(ViewQuery query, CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            var page = await models.ListAsync(ViewTable.DeadLetters, query with { After = after }, cancellationToken);
            await LookAsync([.. page.Select(row => row.As<DeadLetterView>())], cancellationToken);
            after = page.Count == query.Limit ? page[^1].Id : null;
        }
        while (after is not null);
    }

    /// <summary>All of a page beside each other; those that were not taken so, one after the other, each to answer for itself.</summary>
    private async Task SendAsync(IReadOnlyList<StoredEvent> page, CancellationToken cancellationToken)
    {
        var left = new ConcurrentQueue<(Guid Letter, int Replay)>();
        foreach (var some in page.Select(parts.Codec.Find<DeadLetterReplayOrdered>).OfType<DeadLetterReplayOrdered>().Chunk(SentAtOnce))
        {
            await Bounded.ForEachAsync(
                await WaitingAsync(some, cancellationToken), SentAtOnce,
                async (one, token) =>
                {
                    if (!await TrySendAsync(one, token))
                        left.Enqueue((one.Kept.Letter, one.State.Replays));
                },
                cancellationToken);
        }
        foreach (var (letter, replay) in left)
        {
            try
            {
                await SendAsync(letter, replay, cancellationToken);
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
    private async Task<bool> TrySendAsync(OpenedLetter letter, CancellationToken cancellationToken)
    {
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
        if (await book.OpenAsync(letter, cancellationToken) is { } opened && Waits(opened, replay))
            await SendAsync(opened, cancellationToken);
    }

    private async Task<List<OpenedLetter>> WaitingAsync(IReadOnlyCollection<DeadLetterReplayOrdered> ordered, CancellationToken cancellationToken)
    {
        var opened = await book.OpenAsync([.. ordered.Select(o => o.Letter).Distinct()], cancellationToken);
        return [.. ordered.Where(o => opened.TryGetValue(o.Letter, out var letter) && Waits(letter, o.Replay)).Select(o => opened[o.Letter])];
    }

    /// <summary>An order may be read again, after what it was about has been decided otherwise: then there is nothing to send.</summary>
    private static bool Waits(OpenedLetter letter, int replay) => letter.State.Status == DeadLetterStatus.Replaying && letter.State.Replays == replay;

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
                await NotSentAsync(letter, e, cancellationToken);
                return;
            }
            catch (Exception e) when (e is UnsendableLetterException or EventStoreException { Fault: StoreFault.Corrupt })
            {
                await NotSentAsync(letter, e, cancellationToken);
                return;
            }
        }
    }

    private async Task SendAsync(OpenedLetter letter, bool alone, CancellationToken cancellationToken)
    {
        using var room = await _room.TakeAsync(letter.Bytes, cancellationToken);
        var properties = await stories.PropertiesOfAsync(letter.Kept, cancellationToken);
        var body = await stories.ReadAsync(letter.ToSend, cancellationToken);
        await sender.SendAsync(letter.Kept.Endpoint, properties, body, Letter.ReplayOf(letter.Kept.Letter, letter.State.Replays), alone, cancellationToken);
        parts.CrashPoints.Reach("dead-letters.after-send");
    }

    /// <summary>It is open again, with why. Should it have arrived all the same, sending it once more will find what was decided on it.</summary>
    private async Task NotSentAsync(OpenedLetter letter, Exception fault, CancellationToken cancellationToken)
    {
        var (kept, replay) = (letter.Kept, letter.State.Replays);
        log.LogError(fault, "The dead letter {Letter} could not be sent to {Endpoint}, and is open again", kept.Letter.ToString("N"), kept.Endpoint);
        var cause = fault.InnerException ?? fault;
        var again = kept with
        {
            Letter = DeterministicId.From("not-sent", kept.Letter.ToString("N"), $"{replay}"), FaultType = cause.GetType().FullName ?? cause.GetType().Name, FaultMessage = fault.Message, Stack = "",
            Attempts = null, FailedAt = null, Build = "",
        };
        await book.RecordAsync(letter, again.Letter, new ReturnDeadLetter(kept.Letter, replay, again), DeadLetterBook.Actor, cancellationToken);
    }

    /// <summary>They are replayed when something was decided on their messages: asked for all of them at once.</summary>
    /// <returns>The letters on whose messages something was decided that cannot be confirmed, each with why.</returns>
    public async Task<IReadOnlyDictionary<Guid, string>> ConfirmAsync(IReadOnlyCollection<(OpenedLetter Letter, int Replay)> sent, CancellationToken cancellationToken)
    {
        var decisions = sent.Select(s => (s.Letter, s.Replay, Decision: DeadLetterBook.DecisionOn(s.Letter.Kept.Message, s.Letter.Kept.Endpoint))).ToList();
        var effects = await book.EffectsOfAsync(decisions.Select(d => d.Decision), cancellationToken);
        await Bounded.ForEachAsync(
            [.. decisions.Where(d => d.Decision is { } decision && effects.Found.ContainsKey(decision))], RecordedAtOnce,
            (d, token) => ConfirmAsync(d.Letter, d.Replay, d.Decision!.Value.EventId(0), effects.Found[d.Decision.Value], token),
            cancellationToken);
        return decisions.Where(d => d.Decision is { } decision && effects.Archived.ContainsKey(decision)).ToDictionary(d => d.Letter.Kept.Letter, d => effects.Archived[d.Decision!.Value]);
    }

    private async Task LookAsync(IReadOnlyList<DeadLetterView> letters, CancellationToken cancellationToken)
    {
        var decisions = letters.Select(l => DeadLetterBook.DecisionOn(l.Message, l.Endpoint)).ToList();
        var effects = await book.EffectsOfAsync(decisions, cancellationToken);
        var decided = letters.Zip(decisions).Where(l => l.Second is { } decision && effects.Found.ContainsKey(decision)).ToDictionary(l => Guid.ParseExact(l.First.Id, "N"), l => l.First.Replays);
        foreach (var some in decided.Keys.Chunk(RecordedAtOnce))
        {
            // The list may be behind: of whoever stands otherwise by now nothing is to be confirmed.
            var opened = await book.OpenAsync(some, cancellationToken);
            await ConfirmAsync([.. opened.Values.Where(o => o.State.MayBeReplayed && o.State.Replays == decided[o.Kept.Letter]).Select(o => (o, o.State.Replays))], cancellationToken);
        }
        foreach (var (letter, decision) in letters.Zip(decisions).Where(l => l.First.State == DeadLetterStatus.Replaying && !decided.ContainsKey(Guid.ParseExact(l.First.Id, "N"))))
        {
            if (!_resends.IsDue(letter.Id, letter.Replays, letter.ChangedAt, parts.Clock.GetUtcNow()))
                continue;
            if (decision is { } made && effects.Archived.TryGetValue(made, out var why))
                log.LogWarning("The dead letter {Letter} cannot be confirmed: {Fault}", letter.Id, why);
            else
                await SendAgainAsync(Guid.ParseExact(letter.Id, "N"), letter.Replays, cancellationToken);
        }
    }

    private async Task ConfirmAsync(OpenedLetter letter, int replay, Guid effect, EventPlace place, CancellationToken cancellationToken)
    {
        var id = letter.Kept.Letter;
        await book.RecordAsync(
            letter, DeterministicId.From("dead-letter-effect", id.ToString("N"), $"{replay}"), new ConfirmReplay(id, replay, effect, place.Stream, place.Sequence), DeadLetterBook.Actor, cancellationToken);
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
