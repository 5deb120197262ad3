using System.Globalization;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.ReadModels;
using Antbot.Runtime.Incidents;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;
using Microsoft.Extensions.Logging;

namespace Antbot.ConsoleService.Incidents;

/// <summary>Finds what no event says by itself, because it is that something goes on: dead letters that pile up, differences that stay, breakers that do not close.</summary>
internal sealed class TroubleWatch(PipelineParts parts, IReadModels models, ServiceHealth services, IIncidents incidents, ConsoleOptions options, ILogger<TroubleWatch> log)
{
    /// <summary>So many of a kind are incidents of their own; what is more is one together. Halts and crashes need the room that there is for incidents.</summary>
    private const int OfAKindMax = 3;

    private const int AccountsMax = 1_000;
    private const int GroupPagesMax = 20;

    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(15);

    /// <summary>Accounts are few and seldom new, and all streams are gone through to find them.</summary>
    private static readonly TimeSpan AccountsEvery = TimeSpan.FromMinutes(10);

    /// <summary>While it goes on it is told again so often, and recorded as the same.</summary>
    private static readonly TimeSpan TellEvery = TimeSpan.FromMinutes(10);

    /// <summary>It may go on for days: told anew after this, it is another time that it happens.</summary>
    private static readonly TimeSpan OneIncident = TimeSpan.FromDays(1);

    private readonly Dictionary<string, OpenDifferences> _accounts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTimeOffset> _told = new(StringComparer.Ordinal);
    private Dictionary<(string Service, string Name), DateTimeOffset> _breakers = [];
    private DateTimeOffset _accountsAt = DateTimeOffset.MinValue;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            await LookAsync(cancellationToken);
            await Task.Delay(LookEvery, parts.Clock, cancellationToken);
        }
    }

    /// <summary>What cannot be looked at now is looked at next time, and keeps nobody from the rest.</summary>
    public async Task LookAsync(CancellationToken cancellationToken)
    {
        foreach (var (kind, find) in new (string, Func<DateTimeOffset, CancellationToken, Task<IEnumerable<Trouble>>>)[] { ("dead letters", LettersAsync), ("differences", DifferencesAsync), ("breakers", BreakersAsync) })
        {
            try
            {
                var now = parts.Clock.GetUtcNow().Cut();
                var all = (await find(now, cancellationToken)).OrderBy(t => t.Since).ThenBy(t => t.Cause, StringComparer.Ordinal).ToList();
                foreach (var trouble in all.Take(OfAKindMax))
                    await TellAsync(trouble, now, cancellationToken);
                if (all.Count > OfAKindMax)
                    await TellAsync(new Trouble($"many: {kind}", $"{all.Count - OfAKindMax} more: {string.Join("; ", all.Skip(OfAKindMax).Select(t => t.What))}", all[OfAKindMax].Since), now, cancellationToken);
            }
            catch (EventStoreException e)
            {
                log.LogWarning("Whether something goes on that is an incident is not known: {Reason}", e.Message);
            }
        }
    }

    private async Task TellAsync(Trouble trouble, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (_told.TryGetValue(trouble.Cause, out var last) && now - last < TellEvery)
            return;
        var earliest = now - OneIncident;
        await incidents.RaiseAsync(
            new IncidentAlert(DeterministicId.From("incident-trouble", trouble.Cause, now.ToString("O", CultureInfo.InvariantCulture)), trouble.Cause, trouble.What, now, OneIncident)
            {
                Since = trouble.Since > earliest ? trouble.Since : earliest,
                Trades = trouble.Trade is { } trade ? [trade] : [],
            },
            cancellationToken);
        foreach (var old in _told.Where(t => now - t.Value >= TellEvery).Select(t => t.Key).ToList())
            _told.Remove(old);
        _told[trouble.Cause] = now;
    }

    private async Task<IEnumerable<Trouble>> LettersAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (waiting, after) = (new List<WaitingLetters>(), (string?)null);
        for (var pages = 0; pages < GroupPagesMax; pages++)
        {
            var page = await models.ListAsync(ViewTable.DeadLetterGroups, new ViewQuery([DeadLetterGroupView.Open], After: after, Limit: ViewQuery.LimitMax), cancellationToken);
            waiting.AddRange(page.Select(row => row.As<DeadLetterGroupView>()).Select(g => new WaitingLetters(
                g.Fingerprint, $"{g.MessageType} to {(g.Endpoint.Length > 0 ? g.Endpoint : "nobody knows where")}, {(g.FaultType.Length > 0 ? $"{g.FaultType}: " : "")}{g.Fault}", g.Waiting, g.Example, g.FirstSeen)));
            if (page.Count < ViewQuery.LimitMax)
                break;
            after = page[^1].Id;
        }
        return Troubles.Of(waiting, options.LettersOfCauseAlert, options.LettersAlert);
    }

    private async Task<IEnumerable<Trouble>> DifferencesAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (now - _accountsAt >= AccountsEvery && parts.Store.Ledger is IArchivingLedger ledger)
        {
            foreach (var head in await ledger.FindStreamsAsync(Streams.ReconciliationPrefix, now.AddDays(1), "", AccountsMax, cancellationToken))
                _accounts.TryAdd(head.Stream, new OpenDifferences());
            _accountsAt = now;
        }
        foreach (var (stream, account) in _accounts)
            await account.CatchUpAsync(parts, new StreamId(stream), cancellationToken);
        return Troubles.Of(_accounts.Values.SelectMany(a => a.All), TimeSpan.FromMinutes(options.DifferenceAlertMinutes), now);
    }

    private async Task<IEnumerable<Trouble>> BreakersAsync(DateTimeOffset now, CancellationToken cancellationToken)
    {
        // One that is seen so again is so since it was first seen; a service that does not answer for a moment has not closed it.
        var (notClosed, silent) = await services.AskBreakersAsync(cancellationToken);
        _breakers = notClosed.Union(_breakers.Keys.Where(b => silent.Contains(b.Service))).ToDictionary(b => b, b => _breakers.TryGetValue(b, out var since) ? since : now);
        return Troubles.Of(notClosed.Select(b => new BreakerNotClosed(b.Service, b.Breaker, _breakers[b])), TimeSpan.FromSeconds(options.BreakerAlertSeconds), now);
    }

    /// <summary>What is open of an account, by its own stream, read once.</summary>
    private sealed class OpenDifferences
    {
        private readonly Dictionary<string, StandingDifference> _open = new(StringComparer.Ordinal);

        public long Version { get; private set; }

        public IEnumerable<StandingDifference> All => _open.Values;

        public async Task CatchUpAsync(PipelineParts parts, StreamId stream, CancellationToken cancellationToken)
        {
            await foreach (var stored in parts.Store.ReadStreamAsync(stream, Version + 1, cancellationToken))
            {
                if (parts.Codec.Find<DifferenceFound>(stored) is { } e)
                {
                    var key = DifferenceKey.Of(e.Kind, e.Subject);
                    _open[key] = new StandingDifference(e.Account, e.Kind, e.Subject, e.Trade, e.What, e.Evidence, _open.TryGetValue(key, out var before) ? before.Since : stored.Timestamp);
                }
                else if (parts.Codec.Find<DifferenceSettled>(stored) is { } settled)
                {
                    _open.Remove(DifferenceKey.Of(settled.Kind, settled.Subject));
                }
                Version = stored.Version;
            }
        }
    }
}
