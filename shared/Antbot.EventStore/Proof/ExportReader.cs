using System.Runtime.CompilerServices;
using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Reads an export line by line; nothing is taken on trust.</summary>
public sealed class ExportReader
{
    private readonly ExportLines _lines;
    private readonly List<Checkpoint> _checkpoints = [];
    private bool _links;
    private int _checkpointsAnnounced;

    public ExportReader(Stream input)
        : this(new ExportLines(input))
    {
    }

    internal ExportReader(ExportLines lines) => _lines = lines;

    public Guid StoreId { get; private set; }

    /// <summary>All of them as soon as the first event is read.</summary>
    public IReadOnlyList<Checkpoint> Checkpoints => _checkpoints;

    /// <summary>The position and hash that the end line names; null until it was read. An export without it was cut short.</summary>
    public (long Position, byte[] Hash)? End { get; private set; }

    /// <summary>The header; call it first.</summary>
    public async Task ReadHeaderAsync(CancellationToken cancellationToken = default)
    {
        using var header = await _lines.ReadAsync(cancellationToken) ?? throw _lines.Damaged("it is empty");
        Begin(header.RootElement);
    }

    internal void Begin(JsonElement header)
    {
        if (!header.TryGetProperty(ExportFormat.Whole, out var version) || version.ValueKind != JsonValueKind.Number)
            throw _lines.Damaged("it does not begin with an export's header");
        if (!version.TryGetInt32(out var number) || number != ExportFormat.FormatVersion)
            throw _lines.Damaged($"its format is version {version.GetRawText()}; this build reads {ExportFormat.FormatVersion}");
        (StoreId, _checkpointsAnnounced) = _lines.Get(() => (header.GetProperty("StoreId").GetGuid(), header.GetProperty("Checkpoints").GetInt32()));
    }

    public async IAsyncEnumerable<LedgerLink> ReadLinksAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await _lines.ReadAsync(cancellationToken) is { } document)
        {
            using (document)
            {
                if (End is not null)
                    throw _lines.Damaged("there is more after its end");
                var line = document.RootElement;
                if (line.TryGetProperty("Position", out _))
                {
                    _links = true;
                    yield return _lines.Get(() => ExportFormat.ReadLink(line));
                }
                else if (!_links && line.TryGetProperty("Checkpoint", out var checkpoint))
                    _checkpoints.Add(CheckpointFile.Parse(checkpoint.GetRawText()) ?? throw _lines.Damaged("a checkpoint cannot be read"));
                else if (line.TryGetProperty("End", out var end))
                    End = _lines.Get(() => (end.GetInt64(), ExportFormat.Bytes(line.GetProperty("Hash"))));
                else
                    throw _lines.Damaged("a line is not what belongs there (checkpoints, then events, then the end)");
            }
        }
    }

    /// <summary>The whole export's events, in pages. That it is whole is seen to; that it is true is the verifier's to say.</summary>
    public async IAsyncEnumerable<IReadOnlyList<StoredEvent>> ReadPagesAsync(int size, [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await ReadHeaderAsync(cancellationToken);
        var page = new List<StoredEvent>(size);
        await foreach (var link in ReadLinksAsync(cancellationToken))
        {
            page.Add(link.Event!);
            if (page.Count < size)
                continue;
            yield return page;
            page = new List<StoredEvent>(size);
        }
        if (End is null)
            throw _lines.Damaged("it has no end: it was cut short");
        yield return page;
    }

    /// <summary>Whether the end line is there and says what was read.</summary>
    internal void CheckEnd(ChainWalk walk)
    {
        if (End is not { } end)
            throw _lines.Damaged("it has no end: it was cut short");
        if (_checkpoints.Count != _checkpointsAnnounced)
            throw _lines.Damaged($"it has {_checkpoints.Count} checkpoints, its header announced {_checkpointsAnnounced}");
        if (end.Position != walk.Position || !end.Hash.AsSpan().SequenceEqual(walk.Hash))
            throw _lines.Damaged($"it says that it ends at position {end.Position} with another event than the last one read, which is at {walk.Position}");
    }

    internal EventStoreException Damaged(string what) => _lines.Damaged(what);
}
