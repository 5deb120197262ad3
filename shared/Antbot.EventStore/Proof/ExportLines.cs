using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>An export's lines, a JSON object each. Whatever is wrong with one is said with its number.</summary>
internal sealed class ExportLines(Stream input)
{
    private readonly PipeReader _pipe = PipeReader.Create(input, new StreamPipeReaderOptions(bufferSize: 256 * 1024));
    private long _line;

    public EventStoreException Damaged(string what) => new(StoreFault.Corrupt, $"The export is damaged at line {_line}: {what}.");

    /// <summary>The next object; null at the end.</summary>
    public async Task<JsonDocument?> ReadAsync(CancellationToken cancellationToken)
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

    public T Get<T>(Func<T> read)
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
