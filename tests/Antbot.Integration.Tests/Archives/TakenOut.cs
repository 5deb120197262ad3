using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Contract;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>Streams of which only the store's record is left: nobody has the file.</summary>
internal static class TakenOut
{
    public const string File = "antbot-1-9-0123456789abcdef.jsonl";

    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(StreamsArchived).Assembly));

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public static async Task FromAsync(IEventStore store, params IReadOnlyList<StreamId> streams)
    {
        var record = new StreamsArchived(File, new string('0', 64), 1, [], 1, "1", 1, 1, 1, "test", "test");
        var recorded = Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(Some.Append(Streams.Archive(File), Codec.Encode(record)), Cancel)).Events[0];
        foreach (var stream in streams)
        {
            var events = new List<StoredEvent>();
            await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: Cancel))
                events.Add(stored);
            Assert.Empty(await ((IArchivingLedger)store.Ledger).TakeOutAsync(new TakeOut(File, recorded.Sequence, [(stream.Value, events[^1].Version)], [.. events.Select(e => (e.Sequence, e.ContentHash()))]), Cancel));
        }
    }
}
