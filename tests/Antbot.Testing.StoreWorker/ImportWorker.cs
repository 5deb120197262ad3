using System.Globalization;
using System.Text;
using Antbot.Kernel.Proof;
using Antbot.Runtime.Store;

namespace Antbot.Testing.StoreWorker;

/// <summary>Imports pages behind the store's head, one after the other. Where somebody appended in between, a page is refused and made anew.</summary>
internal sealed class ImportWorker(ILedger ledger, string prefix)
{
    private const int PageEvents = 1_000;

    private static readonly string Text = new('x', 2_000);

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (var n = 0; !cancellationToken.IsCancellationRequested; n++)
        {
            try
            {
                var head = await ledger.ReadHeadAsync(CancellationToken.None);
                var page = Page(head, $"{prefix}-{Guid.NewGuid():N}");
                await ledger.ImportAsync(head.StoreId, page, CancellationToken.None);
                foreach (var link in page)
                    Worker.Say($"ack {link.EventId:D}");
            }
            catch (EventStoreException e)
            {
                Worker.Say($"fault {e.Fault} {e.Message}");
            }
        }
    }

    private static List<LedgerLink> Page(LedgerHead head, string stream)
    {
        var (links, previous) = (new List<LedgerLink>(PageEvents), head.Hash);
        for (var i = 1; i <= PageEvents; i++)
        {
            var e = new StoredEvent
            {
                Sequence = head.Sequence + i,
                Position = head.Position + i,
                EventId = Guid.NewGuid(),
                Stream = stream,
                Version = i,
                Type = "worker_counted",
                ClrType = "Antbot.Testing.WorkerCounted, Antbot.Testing",
                Data = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"N":{{i}},"Text":"{{Text}}"}""")),
                Timestamp = DateTimeOffset.UnixEpoch.AddSeconds(i),
            };
            var hash = ChainLink.Hash(previous, e.ContentHash(), e.Position, e.Sequence, e.Version, foreign: false);
            links.Add(new LedgerLink(e.Position, e.Sequence, e.EventId, null, previous, hash, Foreign: false, e));
            previous = hash;
        }
        return links;
    }
}
