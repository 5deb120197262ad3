using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>Reads an export line by line. Whatever is wrong with a line is said with its number; nothing is taken on trust.</summary>
public sealed class ExportReader(Stream input)
{
    private readonly PipeReader _pipe = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 256 * 1024));
    private long _line;
    private bool _links;
    private int _checkpointsAnnounced;

    public Guid StoreId { get; private set; }

    /// <summary>All of them as soon as the first event is read.</summary>
    public IReadOnlyList<Checkpoint> Checkpoints => _checkpoints;

    /// <summary>The position and hash that the end line names; null until it was read. An export without it was cut short.</summary>
    public (long Position, byte[] Hash)? End { get; private set; }

    private readonly List<Checkpoint> _checkpoints = [];

    /// <summary>The header; call it first.</summary>
    public async Task ReadHeaderAsync(CancellationToken cancellationToken = default)
    {
        var header = await ReadLineAsync(cancellationToken) ?? throw Damaged("it is empty");
        using (header)
        {
            if (!header.RootElement.TryGetProperty("AntbotExport", out var version) || version.ValueKind != JsonValueKind.Number)
                throw Damaged("it does not begin with an export's header");
            if (!version.TryGetInt32(out var number) || number != ExportFormat.FormatVersion)
                throw Damaged($"its format is version {version.GetRawText()}; this build reads {ExportFormat.FormatVersion}");
            (StoreId, _checkpointsAnnounced) = Get(() => (header.RootElement.GetProperty("StoreId").GetGuid(), header.RootElement.GetProperty("Checkpoints").GetInt32()));
        }
    }

    public async IAsyncEnumerable<LedgerLink> ReadLinksAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        while (await ReadLineAsync(cancellationToken) is { } document)
        {
            using (document)
            {
                if (End is not null)
                    throw Damaged("there is more after its end");
                var line = document.RootElement;
                if (line.TryGetProperty("Position", out _))
                {
                    _links = true;
                    yield return Get(() => ExportFormat.ReadLink(line));
                }
                else if (!_links && line.TryGetProperty("Checkpoint", out var checkpoint))
                    _checkpoints.Add(CheckpointFile.Parse(checkpoint.GetRawText()) ?? throw Damaged("a checkpoint cannot be read"));
                else if (line.TryGetProperty("End", out var end))
                    End = Get(() => (end.GetInt64(), ExportFormat.Bytes(line.GetProperty("Hash"))));
                else
                    throw Damaged("a line is not what belongs there (checkpoints, then events, then the end)");
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
            throw Damaged("it has no end: it was cut short");
        yield return page;
    }

    /// <summary>Whether the end line is there and says what was read.</summary>
    internal void CheckEnd(ChainWalk walk)
    {
        if (End is not { } end)
            throw Damaged("it has no end: it was cut short");
        if (_checkpoints.Count != _checkpointsAnnounced)
            throw Damaged($"it has {_checkpoints.Count} checkpoints, its header announced {_checkpointsAnnounced}");
        if (end.Position != walk.Position || !end.Hash.AsSpan().SequenceEqual(walk.Hash))
            throw Damaged($"it says that it ends at position {end.Position} with another event than the last one read, which is at {walk.Position}");
    }

    internal EventStoreException Damaged(string what) => new(StoreFault.Corrupt, $"The export is damaged at line {_line}: {what}.");

    private async Task<JsonDocument?> ReadLineAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await _pipe.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (buffer.PositionOf((byte)'\n') is { } end)
            {
                _line++;
                var document = Parse(buffer.Slice(0, end));
                _pipe.AdvanceTo(buffer.GetPosition(1, end));
                return document;
            }
            if (buffer.Length > ExportFormat.LineBytesMax)
                throw Damaged($"a line has more than {ExportFormat.LineBytesMax} bytes");
            _pipe.AdvanceTo(buffer.Start, buffer.End);
            if (!result.IsCompleted)
                continue;
            if (buffer.Length > 0)
                throw Damaged("its last line is cut short");
            return null;
        }
    }

    private JsonDocument Parse(ReadOnlySequence<byte> line)
    {
        try
        {
            var document = JsonDocument.Parse(line.ToArray());
            return document.RootElement.ValueKind == JsonValueKind.Object ? document : throw Damaged("it is not a JSON object");
        }
        catch (JsonException e)
        {
            throw Damaged($"it is not JSON ({e.Message})");
        }
    }

    private T Get<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException or ArgumentException)
        {
            throw Damaged($"a field is missing or not what it should be ({e.Message})");
        }
    }
}
