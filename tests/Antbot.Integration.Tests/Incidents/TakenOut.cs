using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Integration.Tests.ConsoleApi;
using Antbot.Kernel.Identity;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Incidents;

/// <summary>A history of which an archive has a stream, and nobody has the archive.</summary>
internal static class TakenOut
{
    public const string Archive = "antbot-1-9-0123456789abcdef.jsonl";

    public static async Task TakeOutAsync(this InMemoryEventStore store, StreamId stream, DateTimeOffset at)
    {
        var cancel = TestContext.Current.CancellationToken;
        var events = await store.ReadStreamAsync(stream, 1, cancel).ToListAsync(cancel);
        var record = new StreamsArchived(Archive, "", 1, [new ArchivedStream(stream.Value, events[^1].Version)], events.Count, "", events[0].Sequence, events[^1].Sequence, 1, "old", "anna");
        var recorded = Assert.IsType<AppendOutcome.Appended>(await store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Archive(Archive), Expected = ExpectedVersion.None, Decision = new Decision(DeterministicId.From("archive", stream.Value), "test"), Events = [RandomHistory.Codec.Encode(record)], At = at,
                Meta = new EventMeta(null, null, "operator:anna"),
            },
            cancel)).Events[0];
        Assert.Empty(await store.TakeOutAsync(new TakeOut(Archive, recorded.Sequence, [(stream.Value, events[^1].Version)], [.. events.Select(e => (e.Sequence, e.ContentHash()))]), cancel));
    }
}
