using System.Text.Json;
using Antbot.Contracts;
using Antbot.Contracts.Events;
using Antbot.EventStore.Proof;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Archives;

/// <summary>
/// Holds what the store says of archived events against what its history recorded of the archives, and, where the files are at hand, each event
/// against its link. What the chain itself is made of has been seen to: this is about where the events are.
/// </summary>
internal sealed class ArchiveCheck(ArchiveFolder? folder, Findings findings)
{
    /// <summary>Archives go by age, so few of them are met at once.</summary>
    private const int OpenMax = 8;

    private readonly Dictionary<string, PositionRanges> _claimed = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (StreamsArchived Record, PositionRanges Positions)> _recorded = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _hashes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _unreadable = new(StringComparer.Ordinal);
    private readonly LinkedList<(string Name, Dictionary<long, byte[]> Contents)> _open = new();

    public long Events { get; private set; }

    public List<string> Notices { get; } = [];

    public async ValueTask CompareAsync(LedgerLink link, CancellationToken cancellationToken)
    {
        if (link is { Event: { } e, Foreign: false } && e.Type == Archiving.RecordType && e.Stream.StartsWith(Streams.ArchivePrefix, StringComparison.Ordinal))
            Record(e);
        if (link is not { Event: null, Archived: { } archived })
            return;
        Events++;
        if (!_claimed.TryGetValue(archived.Archive, out var claimed))
            _claimed[archived.Archive] = claimed = new PositionRanges();
        if (link.Position > claimed.Last)
            claimed.Add(link.Position);
        if (folder is null || await ContentsAsync(archived.Archive, cancellationToken) is not { } contents)
            return;
        if (!contents.TryGetValue(link.Position, out var content))
            Add(FindingKind.ArchiveMissing, link, $"the event at position {link.Position} is not in the archive '{archived.Archive}', which is said to have it");
        else if (!content.AsSpan().SequenceEqual(archived.Content))
            Add(FindingKind.ArchiveAltered, link, $"the event at position {link.Position} is not in the archive '{archived.Archive}' as it was recorded");
    }

    public void Finish()
    {
        foreach (var (name, claimed) in _claimed)
        {
            if (!_recorded.TryGetValue(name, out var recorded))
                Add(FindingKind.ArchiveUnrecorded, claimed.First, $"{claimed.Count:N0} events are said to be in an archive '{name}', and nothing in the history records it: they are gone (positions {Short(claimed)})");
            else
                Compare(name, claimed, recorded.Record, recorded.Positions);
        }
        foreach (var (name, why) in _unreadable)
            Add(FindingKind.ArchiveMissing, _claimed[name].First, $"{_claimed[name].Count:N0} events are in the archive '{name}': {why}");
        if (folder is null && Events > 0)
            Notices.Add($"{Events:N0} events are taken on the word of {_claimed.Count} archives: their hashes are in the chain, and whether the files have them was not looked at. --archives FOLDER holds each against its link.");
    }

    private void Compare(string name, PositionRanges claimed, StreamsArchived record, PositionRanges recorded)
    {
        var unnamed = PositionRanges.Of(claimed.All().Where(p => !recorded.Contains(p)));
        if (unnamed.Count > 0)
            Add(FindingKind.ArchiveUnrecorded, unnamed.First, $"{unnamed.Count:N0} events are said to be in the archive '{name}', whose record does not name them: they are gone (positions {Short(unnamed)})");
        if (_hashes.TryGetValue(name, out var hash) && hash != record.Sha256)
            Add(FindingKind.ArchiveAltered, claimed.First, $"the archive '{name}' is not the file that was recorded: its SHA-256 is {hash}, recorded was {record.Sha256}");
    }

    private void Record(StoredEvent e)
    {
        try
        {
            if (JsonSerializer.Deserialize<StreamsArchived>(e.Data.Span, EventCodec.Json) is { } record && Streams.Archive(record.File).Value == e.Stream && PositionRanges.Parse(record.Positions) is { } positions)
                _recorded.TryAdd(record.File, (record, positions));
        }
        catch (Exception fault) when (fault is JsonException or ArgumentException)
        {
            // It records nothing: what is said to be in it is not believed.
        }
    }

    private async Task<Dictionary<long, byte[]>?> ContentsAsync(string name, CancellationToken cancellationToken)
    {
        if (_unreadable.ContainsKey(name))
            return null;
        for (var node = _open.First; node is not null; node = node.Next)
        {
            if (node.Value.Name == name)
                return node.Value.Contents;
        }
        try
        {
            var read = await folder!.ReadAsync(name, cancellationToken);
            var contents = new Dictionary<long, byte[]>(read.Events.Count);
            foreach (var e in read.Events)
                contents[e.Position] = e.Content;
            _hashes[name] = read.Sha256;
            _open.AddFirst((name, contents));
            if (_open.Count > OpenMax)
                _open.RemoveLast();
            return contents;
        }
        catch (EventStoreException e)
        {
            _unreadable[name] = e.Message;
            return null;
        }
    }

    private static string Short(PositionRanges positions) => positions.ToString() is { Length: > 120 } text ? $"{text[..120]}…" : positions.ToString();

    private void Add(FindingKind kind, LedgerLink link, string what) => findings.Add(new Finding(kind, link.Position, link.Sequence, link.EventId, null, link.Archived?.Version, what));

    private void Add(FindingKind kind, long position, string what) => findings.Add(new Finding(kind, position, null, null, null, null, what));
}
