using System.Reflection;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.Forensics;
using Antbot.Integration.Tests.DeadLetters;
using Antbot.Runtime.Store;
using Xunit;

namespace Antbot.Integration.Tests.Archives;

/// <summary>What is read before anything is chosen: every letter that was ever kept.</summary>
public sealed class ArchiveChoiceTests
{
    private const int Letters = 40;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_search_says_how_far_it_is_before_anything_is_found_and_reads_each_letter_that_is_over_once()
    {
        await using var store = await LettersAsync();
        var (counting, reads) = CountingReads.Of(store);
        var (looked, found) = (new List<long>(), new List<string>());
        await foreach (var group in new ArchiveChoice(counting, store) { Looked = looked.Add }.FindAsync(ArchivedHistory.Later, Cancel))
        {
            Assert.Equal(Enumerable.Range(1, Letters).Select(i => (long)i), looked);
            found.Add(Assert.Single(group.Streams).Stream);
        }
        Assert.Equal(Letters / 2, found.Count);
        Assert.All(found, letter => Assert.Equal(1, reads[letter]));
    }

    [Fact]
    public async Task It_stops_where_it_is_asked_to()
    {
        await using var store = await LettersAsync();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        var last = 0L;
        var choice = new ArchiveChoice(store, store)
        {
            Looked = looked =>
            {
                last = looked;
                if (looked == 7)
                    stop.Cancel();
            },
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await choice.WhyWantedAsync(["trade-1"], stop.Token));
        Assert.Equal(7, last);
    }

    /// <summary>One that was replayed may be open again by the time it is chosen.</summary>
    [Fact]
    public async Task A_letter_that_opens_again_meanwhile_stays()
    {
        await using var store = new InMemoryEventStore(Guid.NewGuid());
        DeadLetterKept[] kept = [await ReplayedAsync(store), await ReplayedAsync(store)];
        var (first, second) = string.CompareOrdinal(kept[0].Letter.ToString("N"), kept[1].Letter.ToString("N")) < 0 ? (kept[0], kept[1]) : (kept[1], kept[0]);
        var opening = Task.CompletedTask;
        var choice = new ArchiveChoice(store, store)
        {
            Looked = looked => opening = looked == 2
                ? SeededLetters.AppendAsync(store, first, new DeadLetterReturned(first.Letter, first.Fingerprint, 1, first.Letter, DeadLetterKind.Fault, "System.Exception", "again", "", 5, first.FailedAt, "2", first.Fingerprint))
                : opening,
        };
        var found = new List<string>();
        await foreach (var group in choice.FindAsync(ArchivedHistory.Later, Cancel))
            found.Add(Assert.Single(group.Streams).Stream);
        await opening;
        Assert.Equal([Streams.DeadLetter(second.Letter).Value], found);
    }

    private static async Task<DeadLetterKept> ReplayedAsync(InMemoryEventStore store)
    {
        var kept = await SeededLetters.KeepAsync(store);
        await SeededLetters.OrderAsync(store, kept, 1);
        await SeededLetters.AppendAsync(store, kept, new DeadLetterReplayed(kept.Letter, kept.Fingerprint, 1, Guid.NewGuid(), "order-1", 5));
        return kept;
    }

    /// <summary>Every other one is over.</summary>
    private static async Task<InMemoryEventStore> LettersAsync()
    {
        var store = new InMemoryEventStore(Guid.NewGuid());
        for (var i = 0; i < Letters; i++)
        {
            var kept = await SeededLetters.KeepAsync(store);
            if (i % 2 == 0)
                await SeededLetters.AppendAsync(store, kept, new DeadLetterDiscarded(kept.Letter, Guid.NewGuid(), kept.Fingerprint, "of no use", "anna"));
        }
        return store;
    }
}

/// <summary>A store that counts how often each stream is read.</summary>
public class CountingReads : DispatchProxy
{
    private readonly Dictionary<string, int> _reads = new(StringComparer.Ordinal);
    private IEventStore _store = null!;

    internal static (IEventStore Store, IReadOnlyDictionary<string, int> Reads) Of(IEventStore store)
    {
        var counting = Create<IEventStore, CountingReads>();
        var self = (CountingReads)(object)counting;
        self._store = store;
        return (counting, self._reads);
    }

    protected override object? Invoke(MethodInfo? targetMethod, object?[]? args)
    {
        if (targetMethod!.Name == nameof(IEventStore.ReadStreamAsync))
        {
            var stream = ((StreamId)args![0]!).Value;
            _reads[stream] = _reads.GetValueOrDefault(stream) + 1;
        }
        return targetMethod.Invoke(_store, args);
    }
}
