using System.Text;
using System.Text.Json;
using Antbot.Contracts;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Benchmarks.Pipeline;

/// <summary>A long history of finished trades: those that a run has really made, said again under other trades' ids.</summary>
internal sealed class TradeHistory
{
    private const int PageSize = 2_000;
    private const int EventsMax = 10_000;

    private readonly List<StoredEvent> _events = [];

    /// <summary>The first finished trades of a store.</summary>
    public static async Task<TradeHistory> FromAsync(IEventStore store, CancellationToken cancellationToken)
    {
        var history = new TradeHistory();
        for (var through = 0L; history._events.Count < EventsMax;)
        {
            var page = await store.ReadPageAsync(through, PageSize, [Streams.TradePrefix], cancellationToken);
            if (page.Through == through)
                break;
            through = page.Through;
            foreach (var last in page.Events.Where(e => e.Type == "trade_reconciled" && JsonElement.Parse(e.Data.Span).GetProperty("Closed").GetBoolean()))
            {
                // What many trades share is not theirs: the account, a symbol's memory.
                var all = await store.FindByCorrelationAsync(last.CorrelationId!, cancellationToken: cancellationToken);
                history._events.AddRange(all.Where(e => e.Stream.EndsWith(last.CorrelationId!, StringComparison.Ordinal)));
                if (history._events.Count >= EventsMax)
                    break;
            }
        }
        return history._events.Count > 0 ? history : throw new InvalidOperationException("No trade of the run was finished; there is no history to make longer.");
    }

    public async Task ImportAsync(ILedger ledger, int events, CancellationToken cancellationToken)
    {
        var storeId = Guid.NewGuid();
        var previous = ChainLink.Genesis(storeId);
        var links = new List<LedgerLink>(PageSize);
        for (var n = 0L; n < events; n++)
        {
            var e = Event(n);
            var hash = ChainLink.Hash(previous, e.ContentHash(), e.Position, e.Sequence, e.Version, foreign: false);
            links.Add(new LedgerLink(e.Position, e.Sequence, e.EventId, e.CorrelationId, previous, hash, Foreign: false, e));
            previous = hash;
            if (links.Count < PageSize && n + 1 < events)
                continue;
            await ledger.ImportAsync(storeId, links, cancellationToken);
            links = new List<LedgerLink>(PageSize);
        }
    }

    private StoredEvent Event(long n)
    {
        var (told, template) = (n / _events.Count, _events[(int)(n % _events.Count)]);
        var old = template.CorrelationId!;
        var trade = new TradeId(DeterministicId.From("bench", old, told.ToString(System.Globalization.CultureInfo.InvariantCulture))).Value;
        return template with
        {
            Sequence = n + 1,
            Position = n + 1,
            EventId = DeterministicId.From("bench-event", n.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            Stream = template.Stream.Replace(old, trade, StringComparison.Ordinal),
            CorrelationId = trade,
            CausationId = template.CausationId?.Replace(old, trade, StringComparison.Ordinal),
            Data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(template.Data.Span).Replace(old, trade, StringComparison.Ordinal)),
        };
    }
}
