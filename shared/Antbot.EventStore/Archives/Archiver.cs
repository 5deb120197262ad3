using System.Security.Cryptography;
using System.Text;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Proof;
using Antbot.Kernel.Identity;
using Antbot.Kernel.Time;
using Antbot.Runtime.Pipeline;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Archives;

/// <summary>
/// Moves streams that are over to files, a few thousand at a time: written, read back and verified; then recorded in the history; and only then taken
/// out of the store. Killed anywhere it goes on where it was: a file that nothing records is made again or taken as it is, and what is recorded
/// is brought to its end first.
/// </summary>
public sealed class Archiver(IEventStore store, ArchiveFolder folder, PublicKey key, IArchiveChoice choice, TimeProvider clock, ICrashPoints? crashPoints = null)
{
    public const string Consumer = "archives";

    private const int StreamsMax = 2_000;
    private const int EventsMax = 20_000;
    private const int PageSize = 500;

    /// <summary>Of the events' bodies in one file: whoever reads one of them has the file in memory.</summary>
    internal long BatchBytesMax { get; init; } = 16 * 1024 * 1024;

    private static readonly TimeSpan LeftoverAge = TimeSpan.FromHours(1);
    private static readonly EventCodec Codec = new(EventRegistry.From(typeof(StreamsArchived).Assembly));
    private static readonly string CompletedType = StoredNameAttribute.Of(typeof(ArchiveCompleted));
    private static readonly DateTimeOffset Always = new(9999, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly IArchivingLedger _ledger = store.Ledger as IArchivingLedger
        ?? throw new EventStoreException(StoreFault.Invalid, "Out of this store nothing can be archived.");

    private readonly ICrashPoints _crashPoints = crashPoints ?? NoCrashPoints.Instance;

    /// <summary>Streams that go together, with all of their events' places.</summary>
    private sealed record Candidate(ArchiveGroup Group, IReadOnlyList<(long Position, long Sequence)> Places, long Bytes);

    private sealed record Limits(long Signed, IReadOnlyList<Follower> Followers);

    /// <param name="progress">How many events have been looked at, and how many of them are in archives by now.</param>
    public async Task<ArchiveRun> RunAsync(ArchiveOrder order, Action<long, long>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(order);
        RemoveLeftovers();
        var resumed = order.DryRun ? [] : await ResumeAsync(cancellationToken);
        var limits = await LimitsAsync(order, cancellationToken);
        var (made, batch, held) = (new List<ArchiveMade>(), new List<Candidate>(), new Dictionary<string, long>(StringComparer.Ordinal));
        var (streams, events, looked, unsigned) = (0L, 0L, 0L, 0L);
        await foreach (var group in choice.FindAsync(order.Before, cancellationToken))
        {
            if (await ReadAsync(group, cancellationToken) is not { } candidate)
                continue;
            looked += candidate.Places.Count;
            if (candidate.Places.Max(p => p.Position) > limits.Signed)
            {
                unsigned++;
                continue;
            }
            if (limits.Followers.Where(f => f.Sequence < candidate.Places.Max(p => p.Sequence)).Select(f => f.Name).FirstOrDefault() is { } follower)
            {
                held[follower] = held.GetValueOrDefault(follower) + 1;
                continue;
            }
            (streams, events) = (streams + group.Streams.Count, events + candidate.Places.Count);
            if (IsFull(batch, candidate))
                await ArchiveAsync(order, batch, made, cancellationToken);
            if (!order.DryRun)
                batch.Add(candidate);
            progress?.Invoke(looked, made.Sum(m => (long)m.Events));
        }
        await ArchiveAsync(order, batch, made, cancellationToken);
        return new ArchiveRun(order.DryRun, resumed, made, streams, events, unsigned, held);
    }

    private bool IsFull(List<Candidate> batch, Candidate next) => batch.Count > 0
        && (batch.Sum(c => c.Group.Streams.Count) + next.Group.Streams.Count > StreamsMax || batch.Sum(c => c.Places.Count) + next.Places.Count > EventsMax || batch.Sum(c => c.Bytes) + next.Bytes > BatchBytesMax);

    /// <summary>What a run that was killed had not finished writing.</summary>
    private void RemoveLeftovers()
    {
        if (!Directory.Exists(folder.Location))
            return;
        foreach (var left in Directory.EnumerateFiles(folder.Location, "antbot-*.jsonl.*.part").Where(f => clock.GetUtcNow().UtcDateTime - File.GetLastWriteTimeUtc(f) > LeftoverAge))
            File.Delete(left);
    }

    private async Task<Limits> LimitsAsync(ArchiveOrder order, CancellationToken cancellationToken)
    {
        var signed = (await _ledger.ReadCheckpointsAsync(cancellationToken)).Where(c => CheckpointStatement.IsSignedBy(c, key)).Select(c => c.Position).DefaultIfEmpty().Max();
        var followers = (await _ledger.ReadFollowersAsync(cancellationToken)).Concat(await choice.ReadFollowersAsync(cancellationToken));
        // Of the copies of one projection only the newest is read.
        return new Limits(signed, [.. followers.Where(f => !order.Without.Contains(f.Name)).GroupBy(f => f.Name, StringComparer.Ordinal).Select(g => g.MaxBy(f => f.Sequence)!)]);
    }

    /// <summary>Null where somebody else's event in it has not been sealed, or it has moved on.</summary>
    private async Task<Candidate?> ReadAsync(ArchiveGroup group, CancellationToken cancellationToken)
    {
        var (places, bytes) = (new List<(long Position, long Sequence)>(), 0L);
        foreach (var head in group.Streams)
        {
            var version = 0L;
            await foreach (var stored in store.ReadStreamAsync(new StreamId(head.Stream), cancellationToken: cancellationToken))
            {
                if (stored.Position == 0 || stored.Version != ++version)
                    return null;
                places.Add((stored.Position, stored.Sequence));
                bytes += stored.Bytes;
            }
            if (version != head.Version)
                return null;
        }
        return new Candidate(group, places, bytes);
    }

    private async Task ArchiveAsync(ArchiveOrder order, List<Candidate> batch, List<ArchiveMade> made, CancellationToken cancellationToken)
    {
        if (batch.Count == 0)
            return;
        var positions = batch.SelectMany(c => c.Places).Select(p => p.Position).ToHashSet();
        var ranges = PositionRanges.Of(positions);
        var storeId = (await _ledger.ReadHeadAsync(cancellationToken)).StoreId;
        var digest = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{storeId:N} {ranges}")))[..16];
        var name = $"antbot-{ranges.First}-{ranges.Last}-{digest}.jsonl";
        if (!folder.Has(name))
            await WriteAsync(name, positions, cancellationToken);
        _crashPoints.Reach("archive.after-write");
        // Whoever gave it its name may have been killed before that was on the disk.
        folder.Flush(name);
        var contents = await VerifyAsync(name, positions, cancellationToken);
        _crashPoints.Reach("archive.after-verify");
        var heads = batch.SelectMany(c => c.Group.Streams).Select(s => new ArchivedStream(s.Stream, s.Version)).ToList();
        var record = new StreamsArchived(
            name, contents.Sha256, contents.Bytes, heads, positions.Count, ranges.ToString(), contents.Events.Min(e => e.Sequence), contents.Events.Max(e => e.Sequence),
            (await CheckpointBehindAsync(ranges.Last, cancellationToken)).Position, order.Reason, order.By);
        var recorded = await AppendAsync(name, "begin", record, cancellationToken);
        _crashPoints.Reach("archive.after-record");
        made.Add(await TakeOutAsync(recorded, contents, isOld: false, cancellationToken));
        batch.Clear();
    }

    /// <summary>Under its name there is only ever a whole file, and what is in it is on the disk when it has it.</summary>
    private async Task WriteAsync(string name, HashSet<long> positions, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder.Location);
        var aside = Path.Combine(folder.Location, $"{name}.{Guid.NewGuid():N}.part");
        try
        {
            await using (var file = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20))
            {
                await Excerpter.WriteAsync(_ledger, positions, file, progress: null, cancellationToken);
                file.Flush(flushToDisk: true);
            }
            _crashPoints.Reach("archive.before-name");
            WholeFile.TryPlace(aside, folder.PathOf(name));
        }
        finally
        {
            File.Delete(aside);
        }
    }

    /// <summary>Reads the file back: it must prove each of these events, and show no other.</summary>
    private async Task<ArchiveContents> VerifyAsync(string name, HashSet<long> positions, CancellationToken cancellationToken)
    {
        await using (var file = File.OpenRead(folder.PathOf(name)))
        {
            var report = await ExportVerifier.VerifyAsync(file, new VerifyOptions { Key = key }, cancellationToken);
            if (!report.IsIntact || report.EventsChecked != positions.Count)
                throw Unsound(name, report.Findings is [var first, ..] ? first.What : $"it proves {report.EventsChecked} events instead of {positions.Count}");
        }
        var contents = await folder.ReadAsync(name, cancellationToken);
        return positions.SetEquals(contents.Events.Select(e => e.Position)) && contents.Events.Count == positions.Count ? contents : throw Unsound(name, "it shows other events than it should");
    }

    private static EventStoreException Unsound(string name, string why) =>
        new(StoreFault.Corrupt, $"The archive '{name}' was read back and is not sound: {why}. Nothing was taken out of the store. Look at the disk, remove the file, and run 'antbot verify'.");

    private async Task<Checkpoint> CheckpointBehindAsync(long position, CancellationToken cancellationToken) =>
        (await _ledger.ReadCheckpointsAsync(cancellationToken)).OrderBy(c => c.Position).First(c => c.Position >= position);

    /// <summary>Whatever was recorded and did not come to its end.</summary>
    private async Task<IReadOnlyList<ArchiveMade>> ResumeAsync(CancellationToken cancellationToken)
    {
        var (resumed, after) = (new List<ArchiveMade>(), "");
        while (await _ledger.FindStreamsAsync(Streams.ArchivePrefix, Always, after, PageSize, cancellationToken) is { Count: > 0 } page)
        {
            after = page[^1].Stream;
            foreach (var stream in page)
            {
                if (await UnfinishedAsync(new StreamId(stream.Stream), cancellationToken) is not { } recorded)
                    continue;
                var contents = await folder.ReadAsync(recorded.Record.File, cancellationToken);
                // It may have been brought back from elsewhere since.
                folder.Flush(recorded.Record.File);
                resumed.Add(await TakeOutAsync(recorded, contents, isOld: true, cancellationToken));
            }
        }
        return resumed;
    }

    /// <summary>Null where its end is recorded and true: what stayed then may have been taken out since, by a run that was killed before it could say so.</summary>
    private async Task<(StoredEvent Stored, StreamsArchived Record)?> UnfinishedAsync(StreamId stream, CancellationToken cancellationToken)
    {
        var (first, end) = ((StoredEvent?)null, (StoredEvent?)null);
        await foreach (var stored in store.ReadStreamAsync(stream, cancellationToken: cancellationToken))
            (first, end) = (first ?? stored, stored.Type == CompletedType ? stored : end);
        var kept = end is null ? null : ((ArchiveCompleted)Codec.Decode(end)).Kept;
        if (first?.Type != Archiving.RecordType || kept is { Count: 0 } || Codec.Decode(first) is not StreamsArchived record || !ArchiveFolder.IsName(record.File) || Streams.Archive(record.File) != stream)
            return null;
        return kept is null || (await _ledger.ReadArchivedStreamsAsync(record.File, cancellationToken)).Overlaps(kept) ? (first, record) : null;
    }

    /// <summary>What is recorded and in the file as it was recorded, and still as it was then, is taken out; what is wanted again stays.</summary>
    /// <param name="isOld">It was recorded by an earlier run: what was over then may be wanted by now.</param>
    private async Task<ArchiveMade> TakeOutAsync((StoredEvent Stored, StreamsArchived Record) recorded, ArchiveContents contents, bool isOld, CancellationToken cancellationToken)
    {
        var record = recorded.Record;
        if (contents.Sha256 != record.Sha256)
            throw new EventStoreException(StoreFault.Corrupt, $"The archive '{record.File}' is not the file that was recorded: its SHA-256 is {contents.Sha256}, recorded was {record.Sha256}. Nothing more was taken out of the store.");
        var gone = await _ledger.ReadArchivedStreamsAsync(record.File, cancellationToken);
        var kept = new List<string>();
        var (slice, sliceEvents) = (new List<ArchivedStream>(), 0L);
        foreach (var group in record.Streams.Where(s => !gone.Contains(s.Stream)).GroupBy(s => GroupOf(s.Stream), StringComparer.Ordinal).Select(g => g.ToList()))
        {
            if (isOld && await choice.WhyWantedAsync([.. group.Select(s => s.Stream)], cancellationToken) is not null)
            {
                kept.AddRange(group.Select(s => s.Stream));
                continue;
            }
            var events = group.Sum(s => s.Version);
            if (slice.Count > 0 && sliceEvents + events > IArchivingLedger.TakeOutMax)
            {
                kept.AddRange(await TakeOutAsync(recorded.Stored.Sequence, record.File, slice, contents, cancellationToken));
                (slice, sliceEvents) = ([], 0);
            }
            slice.AddRange(group);
            sliceEvents += events;
        }
        kept.AddRange(await TakeOutAsync(recorded.Stored.Sequence, record.File, slice, contents, cancellationToken));
        var taken = record.Streams.Where(s => !kept.Contains(s.Stream)).ToList();
        // Those that stayed may go another time, under the same name where they were all: then that is said as well.
        await AppendAsync(record.File, $"end {string.Join(' ', kept.Order(StringComparer.Ordinal))}", new ArchiveCompleted(record.File, (int)taken.Sum(s => s.Version), kept), cancellationToken);
        return new ArchiveMade(record.File, record.Sha256, taken.Count, (int)taken.Sum(s => s.Version), record.Bytes, kept);
    }

    /// <returns>The streams that had moved on, with those that go with them.</returns>
    private async Task<IReadOnlyList<string>> TakeOutAsync(long record, string file, List<ArchivedStream> slice, ArchiveContents contents, CancellationToken cancellationToken)
    {
        var kept = new List<string>();
        while (slice.Count > 0)
        {
            var streams = slice.Select(s => s.Stream).ToHashSet(StringComparer.Ordinal);
            var events = contents.Events.Where(e => streams.Contains(e.Stream)).Select(e => (e.Sequence, e.Content)).ToList();
            var moved = await _ledger.TakeOutAsync(new TakeOut(file, record, [.. slice.Select(s => (s.Stream, s.Version))], events), cancellationToken);
            _crashPoints.Reach("archive.after-take-out");
            if (moved.Count == 0)
                break;
            var groups = moved.Select(GroupOf).ToHashSet(StringComparer.Ordinal);
            kept.AddRange(slice.Where(s => groups.Contains(GroupOf(s.Stream))).Select(s => s.Stream));
            slice.RemoveAll(s => kept.Contains(s.Stream));
        }
        return kept;
    }

    /// <summary>All streams of one trade are named after it.</summary>
    private static string GroupOf(string stream) => stream[(stream.IndexOf('-', StringComparison.Ordinal) + 1)..];

    private async Task<(StoredEvent Stored, StreamsArchived Record)> AppendAsync(string file, string step, StreamsArchived record, CancellationToken cancellationToken)
    {
        var stored = await AppendAsync(file, step, (object)record, cancellationToken);
        return (stored, (StreamsArchived)Codec.Decode(stored));
    }

    /// <summary>Once, however often it is tried: what was recorded before is what counts.</summary>
    private async Task<StoredEvent> AppendAsync(string file, string step, object @event, CancellationToken cancellationToken)
    {
        var by = @event is StreamsArchived record ? $"operator:{record.By}" : "service:archiver";
        var outcome = await store.AppendAsync(
            new AppendRequest
            {
                Stream = Streams.Archive(file),
                Expected = ExpectedVersion.Any,
                Decision = new Decision(DeterministicId.From("archive", file, step), Consumer),
                Events = [Codec.Encode(@event)],
                At = clock.GetUtcNow().Cut(),
                Meta = new EventMeta(null, null, by),
            },
            cancellationToken);
        return outcome switch
        {
            AppendOutcome.Appended done => done.Events[0],
            AppendOutcome.AlreadyThere there => there.Events[0],
            _ => throw new InvalidOperationException("An append that expects no version meets no conflict."),
        };
    }
}
