using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Kernel.Identity;
using Antbot.Runtime;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// Works off one selection after the other. Each step is recorded before the next, under an id that is made of the selection, the batch and
/// the letter: whoever goes on after a kill finds what was done, and does it to nothing twice.
/// </summary>
internal sealed class ReplaysRunner(PipelineParts parts, ReplaysBook selections, DeadLetterBook letters, DeadLetterReplays replays, ReplayIntents intents)
{
    private const int AtOnceMax = 128;

    /// <summary>What is ordered at once is what is due within a tenth of a second.</summary>
    private const int OrdersPerSecond = 10;

    /// <summary>Of the time that a batch is waited for, looking takes a sixth at most.</summary>
    private const int PausePerLook = 5;

    private static readonly TimeSpan PauseMin = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(1);
    private static readonly SubscriptionOptions Selections = new() { Prefixes = [Streams.ReplaysPrefix] };

    /// <summary>How far it has come is remembered when a selection is over, and not before.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => new DurableSubscription(parts.Store, "replay-selections", WorkAsync, parts.Clock, Selections).RunAsync(cancellationToken);

    private async Task WorkAsync(IReadOnlyList<StoredEvent> page, CancellationToken cancellationToken)
    {
        foreach (var stored in page)
        {
            if ((parts.Codec.Find<ReplaysRequested>(stored)?.Selection ?? parts.Codec.Find<ReplaysApproved>(stored)?.Selection) is { } selection)
                await WorkAsync(selection, cancellationToken);
        }
    }

    private async Task WorkAsync(Guid selection, CancellationToken cancellationToken)
    {
        while (true)
        {
            var state = await selections.StateOfAsync(selection, cancellationToken);
            if (state.UnderWay is { } batch)
                await FinishAsync(state, batch, cancellationToken);
            else if (state.Status == ReplaysStatus.Running)
                await selections.RecordAsync(selection, IdOf("replay-batch-begin", selection, state.Batch + 1), new BeginReplayBatch(selection), DeadLetterBook.Actor, cancellationToken);
            else
                return;
        }
    }

    private async Task FinishAsync(ReplaysState state, ReplayBatchBegun batch, CancellationToken cancellationToken)
    {
        var turns = batch.Letters.Select(l => new Turn(l)).ToList();
        var (began, perSecond) = (parts.Clock.GetUtcNow(), state.Pace.PerSecond);
        var atOnce = Math.Clamp(perSecond / OrdersPerSecond, 1, AtOnceMax);
        foreach (var (at, some) in turns.Chunk(atOnce).Index())
        {
            var wait = began + (TimeSpan.FromSeconds(1) * at * atOnce / perSecond) - parts.Clock.GetUtcNow();
            if (wait > TimeSpan.Zero)
                await Task.Delay(wait, parts.Clock, cancellationToken);
            await OrderAsync(state, batch, some, cancellationToken);
        }
        // What was ordered only now, by whoever goes on after a kill, has its time as well.
        var soonest = parts.Clock.GetUtcNow() + TimeSpan.FromSeconds(state.Pace.PatienceSeconds);
        await WaitForAsync(turns, batch.Until > soonest ? batch.Until : soonest, state.Pace.PatienceSeconds, cancellationToken);
        await selections.RecordAsync(
            batch.Selection, IdOf("replay-batch-end", batch.Selection, batch.Batch),
            new EndReplayBatch(batch.Selection, batch.Batch, turns.Count(t => t.IsReplayed), MissesOf(turns, t => t.Refused), MissesOf(turns, t => t.Failed)), DeadLetterBook.Actor, cancellationToken);
    }

    private async Task WaitForAsync(List<Turn> turns, DateTimeOffset until, int patienceSeconds, CancellationToken cancellationToken)
    {
        while (true)
        {
            var (mark, began) = (parts.Store.AppendMark, parts.Clock.GetTimestamp());
            await LookAsync([.. turns.Where(t => !t.IsOver)], cancellationToken);
            if (turns.All(t => t.IsOver))
                return;
            if (parts.Clock.GetUtcNow() >= until)
            {
                turns.ForEach(t => t.Failed ??= t.IsOver ? null : $"nothing was heard of it within {patienceSeconds} s, and it is still on its way");
                return;
            }
            var pause = TimeSpan.FromTicks(Math.Clamp(parts.Clock.GetElapsedTime(began).Ticks * PausePerLook, PauseMin.Ticks, PauseMax.Ticks));
            await Task.Delay(pause, parts.Clock, cancellationToken);
            var left = until - parts.Clock.GetUtcNow();
            await parts.Store.WaitForAppendAsync(mark, left < TimeSpan.Zero ? TimeSpan.Zero : left < PauseMax ? left : PauseMax, cancellationToken);
        }
    }

    /// <summary>Read together, and recorded together: each is an append of its own, and all are on their way at once.</summary>
    private async Task OrderAsync(ReplaysState state, ReplayBatchBegun batch, IReadOnlyList<Turn> turns, CancellationToken cancellationToken)
    {
        var opened = await letters.OpenAsync([.. turns.Select(t => t.Letter)], cancellationToken);
        var lives = await intents.LivesAsync(opened.Values, cancellationToken);
        await Bounded.ForEachAsync(
            turns, turns.Count,
            async (turn, token) =>
            {
                turn.Opened = opened.GetValueOrDefault(turn.Letter);
                if (turn.Opened is null)
                    turn.Refused = "there is no such letter";
                else
                    await OrderAsync(state, batch, turn, lives, token);
            },
            cancellationToken);
        foreach (var turn in turns)
            turn.Opened = turn.Opened?.WithoutBytes();
    }

    private async Task OrderAsync(ReplaysState state, ReplayBatchBegun batch, Turn turn, IReadOnlyDictionary<TradeId, TradeLife> lives, CancellationToken cancellationToken)
    {
        try
        {
            var request = DeterministicId.From("replay-of-selection", batch.Selection.ToString("N"), $"{batch.Batch}", turn.Letter.ToString("N"));
            var order = new ReplayDeadLetter(turn.Letter, request, state.Reason, state.By, await intents.OfAsync(turn.Opened!, lives, cancellationToken));
            var decided = parts.Codec.Decode(await letters.DecideAsync(turn.Opened!, request, state.By, order, cancellationToken));
            if (decided is DeadLetterReplayOrdered ordered)
                turn.Replay = ordered.Replay;
            else if (decided is DeadLetterRefused refused)
                turn.Refused = string.Join("; ", refused.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}"));
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            turn.Refused = e.Message;
        }
    }

    /// <summary>Confirms what has had its effect, and reads what has become of all: two questions for all of them.</summary>
    private async Task LookAsync(List<Turn> turns, CancellationToken cancellationToken)
    {
        var unconfirmed = await replays.ConfirmAsync([.. turns.Select(t => (t.Opened!, t.Replay))], cancellationToken);
        var opened = await letters.OpenAgainAsync([.. turns.Select(t => t.Opened!)], cancellationToken);
        foreach (var (turn, letter) in turns.Zip(opened))
        {
            turn.Opened = letter;
            // Sent once more by somebody else since then: so this time it came to nothing.
            if (letter.State.Replays != turn.Replay)
                turn.Failed = "it came back";
            else if (letter.State.Status == DeadLetterStatus.Replayed)
                turn.IsReplayed = true;
            else if (letter.State.Status != DeadLetterStatus.Replaying)
                turn.Failed = letter.State.IsWaiting ? "it came back" : $"it is {letter.State.Status}";
            else
                turn.Failed = unconfirmed.GetValueOrDefault(turn.Letter);
        }
    }

    private static List<ReplayMiss> MissesOf(IEnumerable<Turn> turns, Func<Turn, string?> why) => [.. turns.Where(t => why(t) is not null).Select(t => new ReplayMiss(t.Letter, why(t)!))];

    private static Guid IdOf(string step, Guid selection, int batch) => DeterministicId.From(step, selection.ToString("N"), $"{batch}");

    /// <summary>What came of a letter in its batch.</summary>
    private sealed class Turn(Guid letter)
    {
        public Guid Letter { get; } = letter;

        /// <summary>As it was read last; null where there is no such letter.</summary>
        public OpenedLetter? Opened { get; set; }

        public int Replay { get; set; }

        public bool IsReplayed { get; set; }

        public string? Refused { get; set; }

        public string? Failed { get; set; }

        public bool IsOver => IsReplayed || Refused is not null || Failed is not null;
    }
}
