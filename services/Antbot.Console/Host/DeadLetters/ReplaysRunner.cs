using Antbot.Contracts.Events;
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
    private const int AtOnce = 64;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>How far it has come is remembered when a selection is over, and not before.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => new DurableSubscription(parts.Store, "replay-selections", WorkAsync, parts.Clock).RunAsync(cancellationToken);

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
        var began = parts.Clock.GetUtcNow();
        await Bounded.ForEachAsync(
            [.. turns.Index()], AtOnce,
            async (turn, token) =>
            {
                var wait = began + (TimeSpan.FromSeconds(1) * turn.Index / state.Pace.PerSecond) - parts.Clock.GetUtcNow();
                if (wait > TimeSpan.Zero)
                    await Task.Delay(wait, parts.Clock, token);
                await OrderAsync(state, batch, turn.Item, token);
            },
            cancellationToken);
        while (turns.Any(t => !t.IsOver))
        {
            await Bounded.ForEachAsync([.. turns.Where(t => !t.IsOver)], AtOnce, LookAsync, cancellationToken);
            if (turns.All(t => t.IsOver))
                break;
            if (parts.Clock.GetUtcNow() >= batch.Until)
                turns.ForEach(t => t.Failed ??= t.IsOver ? null : $"nothing was heard of it within {state.Pace.PatienceSeconds} s, and it is still on its way");
            else
                await Task.Delay(LookEvery, parts.Clock, cancellationToken);
        }
        await selections.RecordAsync(
            batch.Selection, IdOf("replay-batch-end", batch.Selection, batch.Batch),
            new EndReplayBatch(batch.Selection, batch.Batch, turns.Count(t => t.IsReplayed), MissesOf(turns, t => t.Refused), MissesOf(turns, t => t.Failed)), DeadLetterBook.Actor, cancellationToken);
    }

    private async Task OrderAsync(ReplaysState state, ReplayBatchBegun batch, Turn turn, CancellationToken cancellationToken)
    {
        if (await letters.OpenAsync(turn.Letter, cancellationToken) is not { } opened)
        {
            turn.Refused = "there is no such letter";
            return;
        }
        turn.Kept = opened.Kept;
        try
        {
            var request = DeterministicId.From("replay-of-selection", batch.Selection.ToString("N"), $"{batch.Batch}", turn.Letter.ToString("N"));
            var order = new ReplayDeadLetter(turn.Letter, request, state.Reason, state.By, await intents.OfAsync(opened, cancellationToken));
            var decided = parts.Codec.Decode(await letters.DecideAsync(opened.Kept, request, state.By, order, cancellationToken));
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

    private async Task LookAsync(Turn turn, CancellationToken cancellationToken)
    {
        await replays.LookAsync(turn.Kept!, turn.Replay, cancellationToken);
        var letter = await letters.StateOfAsync(turn.Letter, cancellationToken);
        // Sent once more by somebody else since then: so this time it came to nothing.
        if (letter.Replays != turn.Replay)
            turn.Failed = "it came back";
        else if (letter.Status == DeadLetterStatus.Replayed)
            turn.IsReplayed = true;
        else if (letter.Status != DeadLetterStatus.Replaying)
            turn.Failed = letter.IsWaiting ? "it came back" : $"it is {letter.Status}";
    }

    private static List<ReplayMiss> MissesOf(IEnumerable<Turn> turns, Func<Turn, string?> why) => [.. turns.Where(t => why(t) is not null).Select(t => new ReplayMiss(t.Letter, why(t)!))];

    private static Guid IdOf(string step, Guid selection, int batch) => DeterministicId.From(step, selection.ToString("N"), $"{batch}");

    /// <summary>What came of a letter in its batch.</summary>
    private sealed class Turn(Guid letter)
    {
        public Guid Letter { get; } = letter;

        public DeadLetterKept? Kept { get; set; }

        public int Replay { get; set; }

        public bool IsReplayed { get; set; }

        public string? Refused { get; set; }

        public string? Failed { get; set; }

        public bool IsOver => IsReplayed || Refused is not null || Failed is not null;
    }
}
