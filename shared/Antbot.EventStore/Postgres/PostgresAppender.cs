using System.Collections.Concurrent;
using Antbot.Contracts;
using Antbot.Runtime.Store;
using Npgsql;

namespace Antbot.EventStore.Postgres;

/// <summary>
/// Commits batches and sees to it that every caller learns what became of its append: a batch whose answer was lost is sent
/// again, and finds by its event ids what the first try had done.
/// </summary>
internal sealed class PostgresAppender : IAsyncDisposable
{
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(50);

    /// <summary>Beyond the time that it takes to connect.</summary>
    private static readonly TimeSpan LookUpMax = TimeSpan.FromSeconds(5);

    private const int UndoneRetriesMax = 5;

    private readonly ConcurrentBag<IBatchWriter> _idle = [];
    private readonly Func<IBatchWriter> _open;
    private readonly PostgresReader _reader;
    private readonly PostgresStoreOptions _options;
    private readonly PoolStatistics _statistics;

    public PostgresAppender(Func<IBatchWriter> open, PostgresReader reader, PostgresStoreOptions options, PoolStatistics statistics)
    {
        (_open, _reader, _options, _statistics) = (open, reader, options, statistics);
    }

    public async Task CommitAsync(IReadOnlyList<PendingAppend> appends)
    {
        var writer = _idle.TryTake(out var idle) ? idle : _open();
        try
        {
            await CommitAsync(writer, appends, doubt: false);
        }
        finally
        {
            _idle.Add(writer);
        }
    }

    public async ValueTask DisposeAsync()
    {
        while (_idle.TryTake(out var writer))
            await writer.DisposeAsync();
    }

    private async Task CommitAsync(IBatchWriter writer, IReadOnlyList<PendingAppend> appends, bool doubt)
    {
        var batch = new AppendBatch(appends);
        var started = _options.Clock.GetTimestamp();
        var undone = 0;
        while (true)
        {
            try
            {
                var answer = await writer.AppendAsync(batch, CancellationToken.None);
                _statistics.Worked();
                await TellAsync(batch, answer, doubt);
                return;
            }
            catch (Exception e) when (e is OvertakenException || e is PostgresException answered && !PostgresFaults.LeavesDoubt(answered))
            {
                await writer.ResetAsync();
                if (PostgresFaults.IsUndoneAndWorthRepeating(e) && undone++ < UndoneRetriesMax)
                    continue;
                if (e is PostgresException refused && PostgresFaults.MayBeOfOneAppend(refused) && appends.Count > 1)
                {
                    foreach (var append in appends)
                    {
                        if (append.IsCutOff)
                            append.Complete(InOrder.CutOff(append.Prepared.Request));
                        else
                            await CommitAsync(writer, [append], doubt);
                    }
                    return;
                }
                await GiveUpAsync(appends, PostgresFaults.Translate(e, "appending"), doubt);
                return;
            }
            catch (Exception e)
            {
                _statistics.Failed(e);
                doubt |= writer.WasSent;
                await writer.ResetAsync();
                if (!doubt || _options.Clock.GetElapsedTime(started) > _options.ResolveLimit)
                {
                    await GiveUpAsync(appends, PostgresFaults.Translate(e, "appending"), doubt);
                    return;
                }
                await Task.Delay(RetryPause, _options.Clock);
            }
        }
    }

    /// <summary>The batch cannot be sent again. What an earlier try of it did can still be looked up, if anything can.</summary>
    private async Task GiveUpAsync(IReadOnlyList<PendingAppend> appends, EventStoreException fault, bool doubt)
    {
        // A try whose client is gone may still be at work in the server, for as long as its statement may run.
        if (doubt)
            await Task.Delay(_options.WriteLimit * 1.5, _options.Clock);
        var inquiry = new Inquiry(this);
        foreach (var append in appends)
        {
            if (!doubt)
            {
                append.Fail(fault);
                continue;
            }
            try
            {
                var there = await inquiry.FindAsync(append);
                if (there.Count > 0)
                    append.Complete(Found(append, there));
                else
                    append.Fail(fault);
            }
            catch (EventStoreException lookup) when (lookup.Fault == StoreFault.Archived)
            {
                append.Complete(new AppendOutcome.AlreadyThere([]));
            }
            catch (EventStoreException lookup)
            {
                append.Fail(Unknown(append, lookup, fault));
            }
        }
    }

    private static EventStoreException Unknown(PendingAppend append, EventStoreException lookup, Exception cause) => new(
        StoreFault.OutcomeUnknown,
        $"{append.Prepared.Request.Decision} was appended to {append.Prepared.Request.Stream} or was not: the answer was lost, and the store could not be asked since: {lookup.Message} Append the same decision again to find out.",
        cause);

    private async Task TellAsync(AppendBatch batch, AppendAnswer answer, bool doubt)
    {
        var position = answer.FirstPosition + 1;
        List<PendingAppend>? there = null;
        for (var i = 0; i < batch.Appends.Count; i++)
        {
            var append = batch.Appends[i];
            switch (answer.Status[i])
            {
                case 0:
                    var sequences = Sequences(answer, batch.Offset[i] - 1, batch.Count[i]);
                    append.Complete(new AppendOutcome.Appended(append.Prepared.ToStored(answer.Version[i], position, sequences)));
                    position += batch.Count[i];
                    break;
                case 1:
                    (there ??= []).Add(append);
                    break;
                case 4:
                    append.Fail(Archiving.Over(append.Prepared.Request.Stream));
                    break;
                default:
                    append.Complete(ConflictOf(batch, answer, i));
                    break;
            }
        }
        var inquiry = new Inquiry(this);
        foreach (var append in there ?? [])
            await TellWhatIsThereAsync(append, inquiry, doubt);
    }

    private static async Task TellWhatIsThereAsync(PendingAppend append, Inquiry inquiry, bool doubt)
    {
        try
        {
            var events = await inquiry.FindAsync(append);
            if (events.Count == 0)
                throw PostgresReader.Missing(append.Prepared.Request.Decision);
            append.Complete(doubt ? Found(append, events) : new AppendOutcome.AlreadyThere(events));
        }
        catch (EventStoreException e) when (e.Fault == StoreFault.Archived)
        {
            append.Complete(new AppendOutcome.AlreadyThere([]));
        }
        catch (EventStoreException e)
        {
            append.Fail(e.Fault is StoreFault.Corrupt or StoreFault.Damaged ? e : Unknown(append, e, e));
        }
    }

    /// <summary>
    /// After a broken try: what is there is that try's, and the caller learns that it went through; or it was decided before, in another
    /// moment and so with other contents. To take that for the caller's own would let it act on what was never recorded.
    /// </summary>
    private static AppendOutcome Found(PendingAppend append, IReadOnlyList<StoredEvent> events)
    {
        var asked = append.Prepared.Events;
        var isOurs = events.Count == asked.Count && events.Zip(asked).All(e => e.First.ContentHash().AsSpan().SequenceEqual(e.Second.ContentHash));
        return isOurs ? new AppendOutcome.Appended(events) : new AppendOutcome.AlreadyThere(events);
    }

    private static AppendOutcome.Conflict ConflictOf(AppendBatch batch, AppendAnswer answer, int i)
    {
        var request = batch.Appends[i].Prepared.Request;
        if (answer.Status[i] == 2)
            return new AppendOutcome.Conflict(request.Stream, request.Expected, answer.Version[i]);
        var stream = new StreamId(batch.Streams[answer.Lane[i] - 1]);
        var guard = request.Guards.First(g => g.Stream == stream && !g.Expected.Allows(answer.Version[i]));
        return new AppendOutcome.Conflict(stream, guard.Expected, answer.Version[i]);
    }

    private static long[] Sequences(AppendAnswer answer, int from, int count)
    {
        var sequences = new long[count];
        for (var i = 0; i < count; i++)
            sequences[i] = answer.Sequence[from + i] ?? throw new EventStoreException(StoreFault.Corrupt, "The server appended an event without a sequence.");
        return sequences;
    }

    /// <summary>Looks appends up one after the other. Who could not be asked about one, in good time, is not asked about five hundred.</summary>
    private sealed class Inquiry(PostgresAppender appender)
    {
        private EventStoreException? _silence;

        public async Task<IReadOnlyList<StoredEvent>> FindAsync(PendingAppend append)
        {
            if (_silence is { } before)
                throw new EventStoreException(before.Fault, before.Message, before);
            var limit = appender._options.ConnectTimeout + LookUpMax;
            using var patience = new CancellationTokenSource(limit, appender._options.Clock);
            try
            {
                return await appender._reader.FindDecisionAsync(append.Prepared.Request.Decision, patience.Token);
            }
            catch (OperationCanceledException e)
            {
                throw _silence = new EventStoreException(StoreFault.Unavailable, $"PostgreSQL has not answered within {limit.TotalSeconds:0.#} s.", e);
            }
            catch (EventStoreException e) when (e.Fault is not (StoreFault.Corrupt or StoreFault.Damaged or StoreFault.Archived))
            {
                _silence = e;
                throw;
            }
        }
    }
}
