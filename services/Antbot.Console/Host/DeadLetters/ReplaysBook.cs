using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.ReadModels;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>The record of what is sent once more together.</summary>
internal sealed class ReplaysBook(PipelineParts parts, DeadLetterBook book, DeadLetterStories stories, IReadModels models)
{
    private const int ReadAtOnce = 64;

    private readonly StreamPipeline<ReplaysState> _pipeline = new(parts, ReplaysDecider.Behaviour);

    public async Task<ReplaysState> StateOfAsync(Guid selection, CancellationToken cancellationToken) => (await _pipeline.LoadAsync(Streams.Replays(selection), cancellationToken)).State;

    /// <summary>How a selection was requested; null where there is none.</summary>
    public async Task<StoredEvent?> FindAsync(Guid selection, CancellationToken cancellationToken)
    {
        await foreach (var stored in parts.Store.ReadStreamAsync(Streams.Replays(selection), 1, cancellationToken))
        {
            if (parts.Codec.Find<ReplaysRequested>(stored) is not null)
                return stored;
        }
        return null;
    }

    /// <summary>Null where there is no such selection.</summary>
    public async Task<ReplaysStory?> ReadAsync(Guid selection, CancellationToken cancellationToken)
    {
        ReplaysView? view = null;
        var misses = new List<ReplayMiss>();
        await foreach (var stored in parts.Store.ReadStreamAsync(Streams.Replays(selection), 1, cancellationToken))
        {
            var @event = parts.Codec.Decode(stored);
            view = ReplaysFold.Apply(view, @event, stored.Timestamp);
            if (@event is ReplayBatchEnded ended)
                misses.AddRange(ended.Refused.Concat(ended.Failed));
        }
        return view is null ? null : new ReplaysStory(view, misses);
    }

    /// <summary>What was decided on an operator's word, now or when it was given first.</summary>
    public async Task<StoredEvent> DecideAsync(Guid selection, Guid request, string by, object word, CancellationToken cancellationToken) =>
        await RecordAsync(selection, request, word, $"operator:{by}", cancellationToken) is [.., var last] ? last : throw Archiving.DecidedBefore();

    public Task<IReadOnlyList<StoredEvent>> RecordAsync(Guid selection, Guid id, object input, string actor, CancellationToken cancellationToken) =>
        _pipeline.HandleAsync(Streams.Replays(selection), new Input(id, input, selection.ToString("N"), actor), cancellationToken);

    /// <summary>The letters that are like that now, the oldest first: as many as one selection takes, and one more where there are more.</summary>
    public async Task<IReadOnlyList<SelectedLetter>> SelectAsync(ReplaysQuery wanted, CancellationToken cancellationToken)
    {
        var most = Math.Min(wanted.Limit ?? int.MaxValue, ReplaysDecider.LettersMax + 1);
        var (found, after) = (new List<SelectedLetter>(), (string?)null);
        do
        {
            var page = await models.ListAsync(ViewTable.DeadLetters, QueryOf(wanted, after, Math.Min(most - found.Count, ViewQuery.LimitMax)), cancellationToken);
            found.AddRange(page.Select(r => r.As<DeadLetterView>()).Select(l => new SelectedLetter(Guid.ParseExact(l.Id, "N"), l.Trades is [var trade] ? trade : null)));
            after = page.Count > 0 ? page[^1].Id : null;
        }
        while (after is not null && found.Count < most);
        found.Reverse();
        return found;
    }

    /// <summary>Of all wishes to enter among them; null where that cannot be said.</summary>
    public async Task<Money?> NotionalOfAsync(IReadOnlyList<SelectedLetter> selected, CancellationToken cancellationToken)
    {
        var (total, isKnown) = (0m, true);
        foreach (var some in selected.Chunk(ReadAtOnce))
        {
            var opened = await book.OpenAsync([.. some.Select(s => s.Letter)], cancellationToken);
            foreach (var (letter, _) in some)
            {
                var notional = opened.TryGetValue(letter, out var one) ? await NotionalOfAsync(one, cancellationToken) : null;
                (total, isKnown) = (total + (notional?.Value ?? 0), isKnown && notional is not null);
            }
        }
        return isKnown && Money.Fault(total) is null ? new Money(total) : null;
    }

    private async Task<Money?> NotionalOfAsync(OpenedLetter letter, CancellationToken cancellationToken)
    {
        try
        {
            return letter.ToSend.Content.Bytes <= Letter.BodyInEventMax ? Letter.NotionalOf(await stories.ReadAsync(letter.ToSend, cancellationToken)) : null;
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Corrupt)
        {
            // It is not sent either.
            return null;
        }
    }

    private static ViewQuery QueryOf(ReplaysQuery wanted, string? after, int limit) => new(DeadLetterView.Waiting, Trade: wanted.Trade?.Value, After: after, Limit: limit)
    {
        Search = new (string Column, string? Value)[] { (ViewTables.Endpoint, wanted.Endpoint), (ViewTables.MessageType, wanted.MessageType), (ViewTables.Fingerprint, wanted.Fingerprint) }
            .Where(s => s.Value is not null).ToDictionary(s => s.Column, s => s.Value!, StringComparer.Ordinal),
    };
}
