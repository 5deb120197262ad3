using System.Runtime.CompilerServices;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Messaging;
using Antbot.ReadModels;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// What would come of dead letters if they were sent once more now, the oldest first: refused by the rules that would refuse them, read as they would be read,
/// and decided by the deciders that would decide. Bounded in letters, bytes and time; what was left out is said.
/// </summary>
internal sealed class LetterForesight(IEventStore store, DeadLetterBook book, DeadLetterStories stories, ReplayIntents intents, IServiceProvider here, TimeProvider clock)
{
    public const int LettersMax = 500;

    private const long BytesMax = 64 * 1024 * 1024;

    private static readonly TimeSpan TimeMax = TimeSpan.FromSeconds(30);

    public async IAsyncEnumerable<ForesightLine> ForeseeAsync(IReadOnlyList<SelectedLetter> selected, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var (sequence, began) = ((await store.Ledger.ReadHeadAsync(cancellationToken)).Sequence, clock.GetTimestamp());
        var foresight = await Foresight.BeginAsync(store, here, clock, cancellationToken);
        var (sum, bytes, left) = (new Summing(), 0L, "");
        foreach (var (letter, _) in selected)
        {
            left = sum.Letters == LettersMax ? $"{LettersMax} letters are the most at once"
                : bytes > BytesMax ? $"the letters have more than {BytesMax:N0} bytes"
                : clock.GetElapsedTime(began) > TimeMax ? $"it took longer than {TimeMax.TotalSeconds:0} s"
                : "";
            if (left.Length > 0)
                break;
            var (foreseen, size) = await ForeseeAsync(foresight, letter, cancellationToken);
            bytes += size;
            sum.Add(foreseen);
            yield return new ForesightLine(selected.Count, foreseen, null);
        }
        yield return new ForesightLine(selected.Count, null, sum.Of(selected.Count, left, sequence));
    }

    private async Task<(ForeseenLetter Letter, long Bytes)> ForeseeAsync(Foresight foresight, Guid letter, CancellationToken cancellationToken)
    {
        if (await book.OpenAsync(letter, cancellationToken) is not { } opened)
            return (new ForeseenLetter(letter, "", "", null, null, ForeseenMessage.Without(ForeseenOutcome.Refused, "there is no such letter")), 0);
        var kept = opened.Kept;
        TradeId? trade = kept.Trades is [var one] ? one : null;
        var told = new ForeseenLetter(letter, kept.MessageType, kept.Endpoint, trade, null, ForeseenMessage.Without(ForeseenOutcome.Refused, ""));
        try
        {
            var body = await stories.ReadAsync(opened.ToSend, cancellationToken);
            told = told with { Notional = Letter.NotionalOf(body) };
            var wish = new ReplayDeadLetter(letter, Guid.Empty, "", "", await intents.OfAsync(opened, cancellationToken));
            if (DeadLetterDecider.Behaviour.Decide(opened.State, wish, clock.GetUtcNow()) is [DeadLetterRefused refused])
                return (told with { Foreseen = ForeseenMessage.Without(ForeseenOutcome.Refused, string.Join("; ", refused.Verdicts.Where(v => !v.Passed).Select(v => $"{v.Rule}: {v.Saw}"))) }, body.Length);
            var foreseen = LetterMessage.Read(body, out var fault) is { } message
                ? await foresight.ForeseeAsync(kept.Endpoint, kept.Message!.Value, message, kept.FailedAt ?? opened.KeptAt, cancellationToken)
                : ForeseenMessage.Without(ForeseenOutcome.Unreadable, fault!);
            return (told with { Foreseen = foreseen }, body.Length);
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            return (told with { Foreseen = ForeseenMessage.Without(ForeseenOutcome.Refused, e.Message) }, 0);
        }
    }

    private sealed class Summing
    {
        private readonly SortedDictionary<ForeseenOutcome, int> _outcomes = [];
        private readonly SortedDictionary<string, int> _events = new(StringComparer.Ordinal);
        private readonly SortedDictionary<string, int> _messages = new(StringComparer.Ordinal);
        private decimal _notional;
        private bool _isKnown = true;
        private int _moved;

        public int Letters { get; private set; }

        public void Add(ForeseenLetter letter)
        {
            Letters++;
            var foreseen = letter.Foreseen;
            Count(_outcomes, foreseen.Outcome);
            if (foreseen.Outcome != ForeseenOutcome.DecidedBefore)
                foreach (var e in foreseen.Events)
                    Count(_events, e.Type);
            foreach (var word in foreseen.Messages)
                Count(_messages, word.Type);
            _moved += foreseen.Moved.Events > 0 ? 1 : 0;
            if (foreseen.Outcome is ForeseenOutcome.Refused or ForeseenOutcome.DecidedBefore)
                return;
            _notional += letter.Notional?.Value ?? 0;
            _isKnown &= letter.Notional is not null;
        }

        public ForesightSum Of(int selected, string left, long sequence) =>
            new(selected, Letters, left, sequence, _isKnown && left.Length == 0 && Money.Fault(_notional) is null ? new Money(_notional) : null, _outcomes, _events, _messages, _moved);

        private static void Count<T>(SortedDictionary<T, int> counts, T what)
            where T : notnull => counts[what] = counts.GetValueOrDefault(what) + 1;
    }
}
