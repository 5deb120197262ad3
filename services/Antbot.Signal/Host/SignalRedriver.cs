using Antbot.Contracts;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.Signals;

/// <summary>
/// Follows all that is recorded: a signal waits here until its trade's first event comes by. One that has waited too long is
/// published again, and again, ever more seldom, until there is a trade: a signal is never given up. While trades begin one after
/// the other, only those are published again that later ones have overtaken: the others wait in a queue, which repetitions would
/// only make longer. How far it came is remembered up to the oldest signal that still waits, so that who takes over knows of it.
/// Runs in one instance at a time.
/// </summary>
public sealed class SignalRedriver(PipelineParts parts, SignalRecorder recorder, SignalOptions options, ILogger<SignalRedriver> log)
{
    public const string Subscription = "signal-redriver";

    private const int PageSize = 500;

    /// <summary>Beyond this nothing more is read until some have found their trade; each was published once when it came.</summary>
    private const int WaitingMax = 10_000;

    /// <summary>In one look, the oldest first: a backlog of thousands that nobody takes is not made twice as long at a stroke.</summary>
    private const int AgainMax = 200;

    private static readonly string[] Followed = [Streams.TradePrefix, Streams.SignalPrefix];

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(5);

    private readonly Dictionary<TradeId, Waiting> _waiting = [];
    private long _read;
    private long _saved;

    /// <summary>The place in the ledger of the newest signal that has become a trade, and when one last did.</summary>
    private long _begunUpTo;
    private DateTimeOffset _begunAt;

    /// <summary>The sequence up to which it has looked.</summary>
    public long Position => Interlocked.Read(ref _read);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        _waiting.Clear();
        (_begunUpTo, _begunAt) = (0, DateTimeOffset.MinValue);
        _read = _saved = await parts.Store.LoadCheckpointAsync(Subscription, cancellationToken);
        var savedAt = parts.Clock.GetTimestamp();
        while (true)
        {
            var more = await ReadAsync(cancellationToken);
            await DriveAsync(cancellationToken);
            if (parts.Clock.GetElapsedTime(savedAt) >= SaveEvery)
            {
                await SaveAsync(cancellationToken);
                savedAt = parts.Clock.GetTimestamp();
            }
            if (!more)
                await Task.Delay(Look, parts.Clock, cancellationToken);
        }
    }

    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        if (_waiting.Count >= WaitingMax)
            return false;
        var after = _read;
        var page = await parts.Store.ReadPageAsync(after, PageSize, Followed, cancellationToken);
        var before = after;
        foreach (var stored in page.Events)
        {
            if (Trade(stored, Streams.TradePrefix) is { } begun)
                Begun(begun);
            else if (Trade(stored, Streams.SignalPrefix) is { } raised)
                _waiting[raised] = new Waiting(stored, before, stored.Timestamp + First, First);
            before = stored.Sequence;
        }
        Interlocked.Exchange(ref _read, page.Through);
        return page.Through > after;
    }

    private void Begun(TradeId trade)
    {
        if (!_waiting.Remove(trade, out var waiting))
            return;
        _begunUpTo = Math.Max(_begunUpTo, waiting.Stored.Position);
        _begunAt = parts.Clock.GetUtcNow();
    }

    private async Task DriveAsync(CancellationToken cancellationToken)
    {
        var now = parts.Clock.GetUtcNow();
        var standsStill = now - _begunAt >= First;
        var again = new List<(TradeId Trade, Waiting Waiting)>();
        foreach (var (trade, waiting) in _waiting.Where(w => w.Value.Next <= now && (standsStill || w.Value.Stored.Position < _begunUpTo)).OrderBy(w => w.Value.Stored.Position).Take(AgainMax).ToList())
        {
            if (await parts.Store.ReadVersionAsync(Streams.Trade(trade), cancellationToken) > 0)
                Begun(trade);
            else
                again.Add((trade, waiting));
        }
        if (again.Count == 0)
            return;
        // Together: one confirmation after the other would take longer than the trades that are waited for.
        var published = await recorder.TryPublishAsync([.. again.Select(a => a.Waiting.Stored)], cancellationToken);
        foreach (var (trade, waiting) in again)
        {
            // A bus that is away makes nobody wait for longer once it is back.
            var pause = published ? TimeSpan.FromTicks(Math.Min(waiting.Pause.Ticks * 2, PauseMax.Ticks)) : waiting.Pause;
            _waiting[trade] = waiting with { Next = now + pause, Pause = pause };
        }
        if (published)
            log.LogWarning("{Published} signals had no trade after {Wait} and were published again", again.Count, First);
    }

    private async Task SaveAsync(CancellationToken cancellationToken)
    {
        var position = _waiting.Count == 0 ? _read : _waiting.Values.MinBy(w => w.Stored.Position)!.Before;
        if (position == _saved)
            return;
        await parts.Store.SaveCheckpointAsync(Subscription, position, cancellationToken);
        _saved = position;
    }

    private TimeSpan First => TimeSpan.FromSeconds(options.RedriveSeconds);

    private static TradeId? Trade(StoredEvent stored, string prefix) =>
        stored.Stream.StartsWith(prefix, StringComparison.Ordinal) && TradeId.TryParse(stored.Stream[prefix.Length..], out var trade) ? trade : null;

    /// <param name="Before">
    /// Reading on from here finds it again. One less than its own sequence would not do: what another application has written may bear
    /// that number and stand behind it.
    /// </param>
    private sealed record Waiting(StoredEvent Stored, long Before, DateTimeOffset Next, TimeSpan Pause);
}
