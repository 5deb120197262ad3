using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Antbot.Kernel.Time;
using Antbot.Runtime.Store;

namespace Antbot.EventStore.Proof;

/// <summary>
/// The checkpoints outside the database, a JSON line each: whoever can change the database cannot, from there, change these.
/// Keep the file on another disk or machine where it matters.
/// </summary>
public sealed class CheckpointFile(string path)
{
    private const int LineBytesMax = 4096;
    private const int TailBytes = 16 * LineBytesMax;

    private static readonly TimeSpan TurnWaitMax = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan TurnPause = TimeSpan.FromMilliseconds(20);

    public string Location { get; } = path;

    public bool Exists => File.Exists(Location);


    /// <summary>
    /// Held by whoever looks where the checkpoints end and adds the next one: two at once would both follow the same one, and a history
    /// that nobody touched would be accused for ever.
    /// </summary>
    public async Task<IDisposable> TakeTurnAsync(CancellationToken cancellationToken = default)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Location))!);
                // The file stays: who removed it would let the next one lock another.
                return new FileStream(Location + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (UnauthorizedAccessException e)
            {
                throw NotWritten(e);
            }
            catch (IOException e)
            {
                if (Stopwatch.GetElapsedTime(began) > TurnWaitMax)
                    throw NotWritten(e);
            }
            await Task.Delay(TurnPause, cancellationToken);
        }
    }

    public void Append(Checkpoint checkpoint)
    {
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(Location))!);
            using var stream = new FileStream(Location, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read);
            stream.Seek(0, SeekOrigin.End);
            // A line that a crash cut short stays what it is; the next one begins on its own.
            if (stream.Length > 0 && LastByte(stream) != '\n')
                stream.WriteByte((byte)'\n');
            stream.Write(Encoding.UTF8.GetBytes(Format(checkpoint) + "\n"));
            stream.Flush(flushToDisk: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw NotWritten(e);
        }
    }

    /// <summary>The checkpoints in the order of the file, and what is wrong with lines that are none.</summary>
    public (List<Checkpoint> Checkpoints, List<string> Faults) Read()
    {
        var (checkpoints, faults) = (new List<Checkpoint>(), new List<string>());
        if (!Exists)
            return (checkpoints, faults);
        var number = 0;
        foreach (var line in ReadLines())
        {
            number++;
            if (line.Length == 0)
                continue;
            if (Parse(line) is { } checkpoint)
                checkpoints.Add(checkpoint);
            else
                faults.Add(string.Create(CultureInfo.InvariantCulture, $"line {number} of '{Location}' is no checkpoint"));
        }
        return (checkpoints, faults);
    }

    /// <summary>The last one, without reading those before it: there is one a minute, for years. Null where there is none.</summary>
    public Checkpoint? Newest()
    {
        if (!Exists)
            return null;
        try
        {
            using var stream = new FileStream(Location, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            stream.Seek(-Math.Min(stream.Length, TailBytes), SeekOrigin.End);
            using var reader = new StreamReader(stream, Encoding.UTF8);
            if (reader.ReadToEnd().Split('\n').Select(Parse).LastOrDefault(c => c is not null) is { } newest)
                return newest;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException(StoreFault.Unavailable, $"The checkpoints in '{Location}' cannot be read: {e.Message}", e);
        }
        // Nothing but damage at its end.
        return Read().Checkpoints.LastOrDefault();
    }

    public static string Format(Checkpoint c) => JsonSerializer.Serialize(new Line(
        c.StoreId, c.Position, c.Sequence, Convert.ToHexStringLower(c.Hash), c.At.ToUnixMicroseconds(), Convert.ToHexStringLower(c.Previous), c.KeyId, Convert.ToBase64String(c.Signature)));

    public static Checkpoint? Parse(string line)
    {
        if (line.Length > LineBytesMax)
            return null;
        try
        {
            var l = JsonSerializer.Deserialize<Line>(line, EventCodec.Json);
            if (l is null)
                return null;
            var checkpoint = new Checkpoint(
                l.StoreId, l.Position, l.Sequence, Convert.FromHexString(l.Hash), Microseconds.FromUnixMicroseconds(l.AtMicroseconds), Convert.FromHexString(l.Previous), l.KeyId, Convert.FromBase64String(l.Signature));
            // One spelling only: what is written is what is read.
            return Format(checkpoint) == line ? checkpoint : null;
        }
        catch (Exception e) when (e is JsonException or FormatException or ArgumentException)
        {
            return null;
        }
    }

    private string[] ReadLines()
    {
        try
        {
            return File.ReadAllLines(Location);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new EventStoreException(StoreFault.Unavailable, $"The checkpoints in '{Location}' cannot be read: {e.Message}", e);
        }
    }

    private EventStoreException NotWritten(Exception e) =>
        new(StoreFault.Unavailable, $"The checkpoint cannot be written to '{Location}': {e.Message} Without it a cut or rewritten history can go unnoticed.", e);

    private static int LastByte(FileStream stream)
    {
        stream.Seek(-1, SeekOrigin.End);
        return stream.ReadByte();
    }

    private sealed record Line(Guid StoreId, long Position, long Sequence, string Hash, long AtMicroseconds, string Previous, string KeyId, string Signature);
}
