using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
using Antbot.Runtime.Store;

namespace Antbot.Runtime.Control;

/// <summary>Whether Execution still waits for its account to be held against the venue, by the history alone: for those who only look on.</summary>
public sealed class Recovery(IEventStore store, EventCodec codec)
{
    private const int Page = 500;
    private const int PagesMax = 40;

    /// <summary>What the venue said last is among the last of them.</summary>
    private const int LastWords = 50;

    private static readonly StreamId Gate = new($"{StartGate.StreamPrefix}{Routes.Execution}");

    private long _ended;

    /// <summary>How far the history was looked through for an answer to whoever began there: the next look goes on.</summary>
    private Searched? _searched;

    private sealed record Searched(long Began, long Through);

    /// <summary>Why it has not ended; null where it has, or nobody ever began.</summary>
    public async Task<string?> ReadTroubleAsync(CancellationToken cancellationToken = default)
    {
        var version = await store.ReadVersionAsync(Gate, cancellationToken);
        if (version == 0 || version == Interlocked.Read(ref _ended) || await FindLastAsync(version, cancellationToken) is not { } last)
            return null;
        var (began, awaited) = last;
        if (await IsAnsweredAsync(began, awaited.Account, cancellationToken))
        {
            Interlocked.Exchange(ref _ended, version);
            return null;
        }
        var stalled = await FindStallAsync(awaited.Account, cancellationToken);
        return $"the account {awaited.Account} has not been reconciled with the venue since Execution began{(stalled is null ? "" : $": {stalled}")}";
    }

    private async Task<(long Began, ReconciliationAwaited Awaited)?> FindLastAsync(long version, CancellationToken cancellationToken)
    {
        (long, ReconciliationAwaited)? last = null;
        await foreach (var stored in store.ReadStreamAsync(Gate, version, cancellationToken))
            last = codec.Find<ReconciliationAwaited>(stored) is { } awaited ? (stored.Sequence, awaited) : last;
        return last;
    }

    /// <summary>A part of the history at a time, for however much was recorded in between.</summary>
    private async Task<bool> IsAnsweredAsync(long began, AccountId account, CancellationToken cancellationToken)
    {
        var (stream, position) = (Streams.Reconciliation(account).Value, Volatile.Read(ref _searched) is { } searched && searched.Began == began ? searched.Through : began);
        for (var page = 0; page < PagesMax; page++)
        {
            var read = await store.ReadPageAsync(position, Page, [stream], cancellationToken);
            if (read.Events.Any(e => e.Stream == stream && codec.Find<StartReconciled>(e) is { } done && done.Through >= began))
                return true;
            if (read.Through <= position)
                return false;
            position = read.Through;
            Volatile.Write(ref _searched, new Searched(began, position));
        }
        return false;
    }

    private async Task<string?> FindStallAsync(AccountId account, CancellationToken cancellationToken)
    {
        var stream = Streams.Reconciliation(account);
        var (from, stalled) = (Math.Max(1, await store.ReadVersionAsync(stream, cancellationToken) - LastWords + 1), (string?)null);
        await foreach (var stored in store.ReadStreamAsync(stream, from, cancellationToken))
            stalled = codec.Find<ReconciliationStalled>(stored) is { } e ? e.Reason : codec.Find<ReconciliationResumed>(stored) is not null ? null : stalled;
        return stalled;
    }
}
