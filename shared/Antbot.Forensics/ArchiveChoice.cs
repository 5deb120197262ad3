using System.Runtime.CompilerServices;
using Antbot.ConsoleService.DeadLetters;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Decisions;
using Antbot.Reconciliation;
using Antbot.Risk.Core;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>
/// Trades all of whose streams are over and that nothing which goes on holds, dead letters and selections of them that are over. What many trades
/// share (accounts, validation, control, the audit) is never chosen, nor is what is of no kind that is known here.
/// </summary>
public sealed class ArchiveChoice(IEventStore store, IArchivingLedger ledger) : IArchiveChoice
{
    private const int PageSize = 1_000;

    private static readonly DateTimeOffset Always = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly EventCodec _codec = new(StreamKinds.Registry);

    /// <param name="Trades">Held by an account, by an open difference or by a letter that is not over.</param>
    /// <param name="Letters">Of selections that are not over.</param>
    private sealed record Wanted(IReadOnlyDictionary<string, string> Trades, IReadOnlySet<string> Letters);

    private readonly Dictionary<string, long> _lettersOver = new(StringComparer.Ordinal);
    private Wanted? _wanted;
    private long _looked;

    /// <summary>
    /// Is told how many streams have been read before the first is chosen: each one of a letter that was ever kept. The read models cannot be asked,
    /// since a letter that was replayed may be open again, and what they have not heard of yet would be taken away.
    /// </summary>
    public Action<long>? Looked { get; init; }

    public async IAsyncEnumerable<ArchiveGroup> FindAsync(DateTimeOffset before, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        _wanted = await WantedAsync(cancellationToken);
        // By age, so that those which were recorded together go together: what proves them is then short.
        foreach (var head in (await HeadsAsync(Streams.TradePrefix, before, cancellationToken)).OrderBy(h => h.At))
        {
            if (TradeId.TryParse(head.Stream[Streams.TradePrefix.Length..], out var trade) && await TradeAsync(trade, before, cancellationToken) is { } group)
                yield return group;
        }
        foreach (var head in (await HeadsAsync(Streams.DeadLetterPrefix, before, cancellationToken)).Concat(await HeadsAsync(Streams.ReplaysPrefix, before, cancellationToken)).OrderBy(h => h.At))
        {
            if (IsKnownToBeOver(head) || await WhyWantedAsync(head.Stream, cancellationToken) is null)
                yield return new ArchiveGroup([head]);
        }
    }

    /// <summary>An account's order book counts every fill there ever was, and goes on from the copy that it keeps beside the account's stream.</summary>
    public async Task<IReadOnlyList<Follower>> ReadFollowersAsync(CancellationToken cancellationToken = default)
    {
        var followers = new List<Follower>();
        foreach (var account in await HeadsAsync(Streams.ReconciliationPrefix, Always, cancellationToken))
            followers.Add(new Follower($"{OrderBook.Name} of {account.Stream}", (await store.LoadSnapshotAsync(new StreamId(account.Stream), OrderBook.Name, cancellationToken))?.Version ?? 0));
        return followers;
    }

    public async Task<string?> WhyWantedAsync(IReadOnlyList<string> streams, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(streams);
        _wanted ??= await WantedAsync(cancellationToken);
        foreach (var stream in streams)
        {
            if (await WhyWantedAsync(stream, cancellationToken) is { } why)
                return why;
        }
        return null;
    }

    private async Task<ArchiveGroup?> TradeAsync(TradeId trade, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var heads = new List<StreamHead>();
        foreach (var stream in new[] { Streams.Signal(trade), Streams.Trade(trade), Streams.Order(trade) })
        {
            if (await HeadAsync(stream, cancellationToken) is not { } head)
                continue;
            if (head.At >= before)
                return null;
            heads.Add(head);
        }
        return await WhyWantedAsync([.. heads.Select(h => h.Stream)], cancellationToken) is null ? new ArchiveGroup(heads) : null;
    }

    /// <summary>As it stood when it was looked at, and nothing has come to it since.</summary>
    private bool IsKnownToBeOver(StreamHead letter) => _lettersOver.GetValueOrDefault(letter.Stream) == letter.Version && !_wanted!.Letters.Contains(letter.Stream);

    private async Task<string?> WhyWantedAsync(string stream, CancellationToken cancellationToken)
    {
        if (stream.StartsWith(Streams.DeadLetterPrefix, StringComparison.Ordinal))
        {
            return _wanted!.Letters.Contains(stream) ? $"{stream} is in a selection that is not over"
                : await IsOverAsync(stream, DeadLetterDecider.Behaviour, cancellationToken) ? null : $"{stream} is not over";
        }
        if (stream.StartsWith(Streams.ReplaysPrefix, StringComparison.Ordinal))
            return await IsOverAsync(stream, ReplaysDecider.Behaviour, cancellationToken) ? null : $"{stream} is not over";
        foreach (var prefix in new[] { Streams.SignalPrefix, Streams.TradePrefix, Streams.OrderPrefix })
        {
            if (stream.StartsWith(prefix, StringComparison.Ordinal) && TradeId.TryParse(stream[prefix.Length..], out var trade))
                return await WhyWantedAsync(stream, prefix, trade, cancellationToken);
        }
        return $"{stream} is of no kind that is ever archived";
    }

    /// <summary>A signal is over with its trade.</summary>
    private async Task<string?> WhyWantedAsync(string stream, string prefix, TradeId trade, CancellationToken cancellationToken)
    {
        if (_wanted!.Trades.TryGetValue(trade.Value, out var why))
            return why;
        var own = prefix == Streams.SignalPrefix ? Streams.Trade(trade).Value : stream;
        var followed = StreamKinds.Of(own).Follow(own);
        try
        {
            await foreach (var stored in store.ReadStreamAsync(new StreamId(own), cancellationToken: cancellationToken))
                followed.Add(stored, _codec.Decode(stored));
        }
        catch (EventStoreException e) when (e.Fault is StoreFault.UnknownType or StoreFault.Undecodable)
        {
            // Whether it is over cannot be told by this build.
            return e.Message;
        }
        return followed.IsOver ? null : $"{own} is not over";
    }

    private async Task<bool> IsOverAsync<TState>(string stream, Behaviour<TState> behaviour, CancellationToken cancellationToken)
        where TState : class => behaviour.IsOver((await new StreamLoader(store, _codec).LoadAsync(new StreamId(stream), behaviour.Fold, cancellationToken)).State);

    private async Task<StreamHead?> HeadAsync(StreamId stream, CancellationToken cancellationToken)
    {
        StoredEvent? last = null;
        await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
            last = stored;
        return last is null ? null : new StreamHead(last.Stream, last.Version, last.Timestamp);
    }

    private async Task<List<StreamHead>> HeadsAsync(string prefix, DateTimeOffset before, CancellationToken cancellationToken)
    {
        var heads = new List<StreamHead>();
        while (await ledger.FindStreamsAsync(prefix, before, heads.Count == 0 ? "" : heads[^1].Stream, PageSize, cancellationToken) is { Count: > 0 } page)
            heads.AddRange(page);
        return heads;
    }

    private async Task<Wanted> WantedAsync(CancellationToken cancellationToken)
    {
        var (trades, letters, loader) = (new Dictionary<string, string>(StringComparer.Ordinal), new HashSet<string>(StringComparer.Ordinal), new StreamLoader(store, _codec));
        foreach (var account in await HeadsAsync(Streams.AccountPrefix, Always, cancellationToken))
        {
            Look(cancellationToken);
            foreach (var trade in (await loader.LoadAsync(new StreamId(account.Stream), RiskState.Fold, cancellationToken)).State.Trades.Keys)
                trades[trade.Value] = $"{account.Stream} holds something for trade {trade}";
        }
        foreach (var account in await HeadsAsync(Streams.ReconciliationPrefix, Always, cancellationToken))
        {
            Look(cancellationToken);
            var state = (await loader.LoadAsync(new StreamId(account.Stream), ReconciliationState.Fold, cancellationToken)).State;
            var open = state.Pending.Values.Select(p => p.Verify.Trade).Concat(state.Differences.Values.SelectMany(d => d.Awaited.Select(a => a.Trade).Concat(d.Trade is { } trade ? [trade] : [])));
            foreach (var trade in open)
                trades[trade.Value] = $"{account.Stream} has something open about trade {trade}";
        }
        foreach (var letter in await HeadsAsync(Streams.DeadLetterPrefix, Always, cancellationToken))
        {
            Look(cancellationToken);
            await WantAsync(letter.Stream, trades, loader, cancellationToken);
        }
        foreach (var selection in await HeadsAsync(Streams.ReplaysPrefix, Always, cancellationToken))
        {
            Look(cancellationToken);
            if (await IsOverAsync(selection.Stream, ReplaysDecider.Behaviour, cancellationToken))
                continue;
            await foreach (var stored in store.ReadStreamAsync(new StreamId(selection.Stream), cancellationToken: cancellationToken))
                letters.UnionWith(_codec.Find<ReplaysRequested>(stored)?.Letters.Select(l => Streams.DeadLetter(l.Letter).Value) ?? []);
        }
        return new Wanted(trades, letters);
    }

    private void Look(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Looked?.Invoke(++_looked);
    }

    /// <summary>What a letter that is not over is about.</summary>
    private async Task WantAsync(string letter, Dictionary<string, string> trades, StreamLoader loader, CancellationToken cancellationToken)
    {
        var loaded = await loader.LoadAsync(new StreamId(letter), DeadLetterDecider.Behaviour.Fold, cancellationToken);
        if (DeadLetterDecider.Behaviour.IsOver(loaded.State))
        {
            _lettersOver[letter] = loaded.Version;
            return;
        }
        await foreach (var stored in store.ReadStreamAsync(new StreamId(letter), cancellationToken: cancellationToken))
        {
            foreach (var trade in _codec.Find<DeadLetterKept>(stored)?.Trades ?? [])
                trades[trade.Value] = $"{letter} is about trade {trade} and is not over";
        }
    }
}
