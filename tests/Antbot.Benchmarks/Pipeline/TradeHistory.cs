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
                history._events.AddRange(await store.FindByCorrelationAsync(last.CorrelationId!, cancellationToken: cancellationToken));
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
        var versions = new Dictionary<string, long>(StringComparer.Ordinal);
        for (var n = 0L; n < events; n++)
        {
            var e = Event(n, versions);
            var hash = ChainLink.Hash(previous, e.ContentHash(), e.Position, e.Sequence, e.Version, foreign: false);
            links.Add(new LedgerLink(e.Position, e.Sequence, e.EventId, e.CorrelationId, previous, hash, Foreign: false, e));
            previous = hash;
            if (links.Count < PageSize && n + 1 < events)
                continue;
            await ledger.ImportAsync(storeId, links, cancellationToken);
            links = new List<LedgerLink>(PageSize);
        }
    }

    /// <param name="versions">How long each stream is: what trades share, the account and a symbol's memory, grows with every one of them.</param>
    private StoredEvent Event(long n, Dictionary<string, long> versions)
    {
        var (told, template) = (n / _events.Count, _events[(int)(n % _events.Count)]);
        var old = template.CorrelationId!;
        var trade = new TradeId(DeterministicId.From("bench", old, told.ToString(System.Globalization.CultureInfo.InvariantCulture))).Value;
        var stream = template.Stream.Replace(old, trade, StringComparison.Ordinal);
        var version = versions[stream] = versions.GetValueOrDefault(stream) + 1;
        return template with
        {
            Version = version,
            Sequence = n + 1,
            Position = n + 1,
            EventId = DeterministicId.From("bench-event", n.ToString(System.Globalization.CultureInfo.InvariantCulture)),
            Stream = stream,
            CorrelationId = trade,
            CausationId = template.CausationId?.Replace(old, trade, StringComparison.Ordinal),
            Data = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(template.Data.Span).Replace(old, trade, StringComparison.Ordinal)),
        };
    }
}
