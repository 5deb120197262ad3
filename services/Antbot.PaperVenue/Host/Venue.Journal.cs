using Antbot.PaperVenue.Http;
using Antbot.PaperVenue.Journal;
using Antbot.PaperVenue.Streams;
using Microsoft.Extensions.Logging;

namespace Antbot.PaperVenue;

/// <summary>What makes it last: everything that is done is kept before it is told, and a journal that failed is opened anew.</summary>
internal sealed partial class Venue
{
    /// <summary>Why the state is not to be trusted; null while it is.</summary>
    private Exception? Failure => _journal.Failure ?? _suspect;

    /// <summary>Who held them back is gone.</summary>
    private void ReleaseHeld() => Keep(() =>
    {
        foreach (var order in _exchange.Held)
            _exchange.Release(order, Now);
        return 0;
    });

    private (Exchange Exchange, JournalWriter Journal) Open()
    {
        var recovered = JournalFiles.Recover(_folder, _options.Rules, _options.Salvage);
        Notes = recovered.Notes;
        foreach (var note in recovered.Notes)
            _log.LogWarning("{Note}", note);
        _snapshotAt = _options.SnapshotBytes;
        _reports.BeginAfter(recovered.Last);
        return (recovered.Exchange, new JournalWriter(_folder, _options.SegmentBytes, recovered.Last, _reports.Committed));
    }

    /// <summary>Does something and publishes what it left. What breaks off in the middle leaves a state that nobody may trust: it is read from disk again.</summary>
    private T Keep<T>(Func<T> act)
    {
        try
        {
            var done = act();
            Publish();
            return done;
        }
        catch (ApiException)
        {
            // A refusal: whatever was done before it stays done.
            Publish();
            throw;
        }
        catch (Exception e)
        {
            _suspect = e;
            throw;
        }
    }

    /// <summary>Everything that the last operation left behind goes where it belongs.</summary>
    private void Publish()
    {
        Updates++;
        var outbox = _exchange.Outbox;
        var sequence = outbox.Journal.Count > 0 ? _journal.Add(outbox.Journal) : 0;
        foreach (var report in outbox.Reports)
        {
            if (Hub.HasListener(report.Order.Account.Id))
                _reports.Add(sequence, report.Order.Account.Id, report.Fill is not null, UserMessages.Execution(report, Rules));
        }
        foreach (var report in outbox.ListReports)
        {
            if (Hub.HasListener(report.List.Account.Id))
                _reports.Add(sequence, report.List.Account.Id, false, UserMessages.ListStatus(report));
        }
        foreach (var credit in outbox.Credits)
        {
            if (Hub.HasListener(credit.Account.Id))
                _reports.Add(sequence, credit.Account.Id, false, UserMessages.Credit(credit, Rules));
        }
        foreach (var (account, assets) in outbox.Touched)
        {
            if (Hub.HasListener(account.Id))
                _reports.Add(sequence, account.Id, false, UserMessages.Position(account, assets, Rules, Now));
        }
        // A quick disk has it before it is put here: then nobody would come back for it until something else happens.
        _reports.TellCommitted();
        Instrument? traded = null;
        foreach (var print in outbox.Prints)
        {
            _data[print.Instrument.Index].Take(print);
            Hub.Publish(MarketMessages.TradeStream(print.Instrument), () => MarketMessages.Trade(print));
            Hub.Publish(MarketMessages.AggregateTradeStream(print.Instrument), () => MarketMessages.AggregateTrade(print));
            traded = print.Instrument;
        }
        outbox.Clear();
        if (traded is not null)
            ShowBest(traded);
    }

    private async Task TendAsync()
    {
        using var timer = new PeriodicTimer(TendEvery, _clock);
        while (await NextAsync(timer))
        {
            await TryAsync(() =>
            {
                Hub.EndOldKeys();
                return Task.CompletedTask;
            });
            await TryAsync(KeepJournalAsync);
        }
    }

    /// <summary>Keeps the journal bounded, and opens it anew when it has failed: start-up is recovery.</summary>
    private async Task KeepJournalAsync()
    {
        if (Failure is not null)
            Mend();
        else if (_journal.Bytes >= _snapshotAt)
            await WriteSnapshotAsync();
    }

    /// <summary>Whatever fails is tried again: did this work end, nothing would be mended any more, no key would end, and the journal would grow for ever.</summary>
    private async Task TryAsync(Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception e)
        {
            TendFailures++;
            if (_toldAt.TryGetValue(e.GetType(), out var told) && _clock.GetElapsedTime(told) < TellEvery)
                return;
            _toldAt[e.GetType()] = _clock.GetTimestamp();
            _log.LogError(e, "The venue is not as it should be yet, {Count} failures by now; the next look at it is in {Seconds} s.", TendFailures, TendEvery.TotalSeconds);
        }
    }

    private void Mend()
    {
        lock (_gate)
        {
            _journal.Dispose();
            _reports.Forget();
            (_exchange, _journal) = Open();
            _suspect = null;
            foreach (var instrument in Rules.Instruments)
                Move(instrument, first: true);
            ReleaseHeld();
        }
        _log.LogInformation("The journal is open again; the venue stands where its disk says.");
    }

    /// <param name="isLast">Nothing changes any more from the moment on that it shows.</param>
    private async Task WriteSnapshotAsync(bool isLast = false)
    {
        ExchangeSnapshot snapshot;
        long sequence;
        Task durable;
        lock (_gate)
        {
            _ended = isLast;
            snapshot = _exchange.Capture();
            (sequence, durable) = _journal.Seal();
            if (Failure is { } failure)
                throw new JournalException($"The state is not to be trusted: {failure.Message}", failure);
        }
        await durable;
        if (_journal.Bytes == 0)
            return;
        JournalFiles.WriteSnapshot(_folder, snapshot, sequence);
        _snapshotAt = _journal.Bytes + _options.SnapshotBytes;
    }
}
