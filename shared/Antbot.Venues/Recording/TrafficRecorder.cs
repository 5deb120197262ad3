using System.Buffers;
using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Text.Json;
using System.Threading.Channels;
using Antbot.Contracts;
using Microsoft.Extensions.Logging;

namespace Antbot.Venues.Recording;

/// <summary>
/// Records the traffic with the venue beside the process. Nobody waits for it: what comes while the queue is full is left out, counted,
/// and told in the recording itself. With a full disk what is queued waits, and the rest is counted until there is room.
/// </summary>
internal sealed class TrafficRecorder : IDisposable
{
    private const int QueueMax = 16_384;
    private const int QueueBytesMax = 8 * 1024 * 1024;
    private const int FrameBytes = 256 * 1024;
    private const int StreamsMax = 1_000;

    /// <summary>So much may be lost with the process.</summary>
    private static readonly TimeSpan FlushEvery = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan SweepEvery = TimeSpan.FromMinutes(1);

    private static readonly byte[] NewLine = [(byte)'\n'];

    private readonly Channel<TrafficRecord> _queue = Channel.CreateBounded<TrafficRecord>(new BoundedChannelOptions(QueueMax) { SingleReader = true });
    private readonly ConcurrentDictionary<string, TickRate> _rates = new(StringComparer.Ordinal);
    private readonly Meter _meter = new("Antbot.Venues.Recording");
    private readonly Counter<long> _written;
    private readonly Counter<long> _left;
    private readonly RecordingOptions _options;
    private readonly RecordingWriter _writer;
    private readonly ILogger _log;
    private readonly Lock _lock = new();
    private (long Count, DateTimeOffset From, DateTimeOffset To) _missing;
    private (byte[] Frame, DateTimeOffset At, int Count)? _packed;
    private long _queuedBytes;
    private string? _trouble;
    private string? _sweepTrouble;
    private bool _ended;

    /// <param name="self">Whose recording it is.</param>
    /// <param name="secrets">What must never be found in it.</param>
    public TrafficRecorder(RecordingOptions options, RecordingFile self, string build, IEnumerable<string> secrets, TimeProvider clock, ILogger log)
    {
        (_options, _log, Clock) = (options, log, clock);
        Strikeout = new TrafficStrikeout(secrets, options.AnswerBytes);
        _writer = new RecordingWriter(options, self, build, clock);
        _written = _meter.CreateCounter<long>("antbot_recording_written_total", description: "Records of traffic with the venue that were written.");
        _left = _meter.CreateCounter<long>("antbot_recording_missing_total", description: "Records of traffic with the venue that were left out, because the queue was full.");
        _meter.CreateObservableGauge("antbot_recording_bytes", () => _writer.Bytes, description: "What the folder of the recording takes.");
        _meter.CreateObservableGauge("antbot_recording_stuck", () => Trouble is null ? 0 : 1, description: "1 where nothing can be recorded, or nothing removed.");
    }

    public TimeProvider Clock { get; }

    public TrafficStrikeout Strikeout { get; }

    public bool IsOn => _options.Folder.Length > 0;

    /// <summary>Why nothing is recorded, or too much is kept; null while all is well.</summary>
    public string? Trouble => Volatile.Read(ref _trouble) ?? Volatile.Read(ref _sweepTrouble);

    /// <summary>Null where nothing is recorded.</summary>
    /// <param name="parameters">Without the signature.</param>
    public RecordedExchange? Begin(string route, HttpMethod method, string path, string parameters, string? signature) =>
        IsOn ? new RecordedExchange(this, route, method.Method, path, parameters, signature) : null;

    /// <param name="keep">However many there are: something is decided on it by itself.</param>
    public void Heard(string stream, ReadOnlySpan<byte> message, bool keep)
    {
        if (!IsOn)
            return;
        // What the venue calls its streams is the venue's: too many names share one rate.
        var rate = _rates.TryGetValue(stream, out var known) ? known : _rates.GetOrAdd(_rates.Count < StreamsMax ? stream : "", _ => new TickRate(_options.TicksPerSecond, Clock));
        if (!rate.TryTake(keep, out var leftOut))
            return;
        var symbol = stream.Split('@')[0].ToUpperInvariant();
        Add(new TrafficRecord(Clock.GetUtcNow(), TrafficKind.Heard)
        {
            Stream = Strikeout.Text(stream), Symbol = Symbol.Fault(symbol) is null ? symbol : null, LeftOut = leftOut, Body = Strikeout.Body(message),
        });
    }

    public void Stream(string streams, string what)
    {
        if (IsOn)
            Add(new TrafficRecord(Clock.GetUtcNow(), TrafficKind.Stream) { Stream = Strikeout.Text(streams), Text = Strikeout.Text(what) });
    }

    public void Add(TrafficRecord record)
    {
        if (Interlocked.Add(ref _queuedBytes, record.Bytes) <= QueueBytesMax && _queue.Writer.TryWrite(record))
            return;
        Interlocked.Add(ref _queuedBytes, -record.Bytes);
        _left.Add(1);
        lock (_lock)
            _missing = (_missing.Count + 1, _missing.Count == 0 ? record.At : _missing.From, record.At);
    }

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        if (!IsOn)
            await Task.Delay(Timeout.InfiniteTimeSpan, Clock, cancellationToken);
        var swept = Clock.GetTimestamp();
        Sweep();
        while (true)
        {
            // Many together are packed well; a burst is not waited out.
            for (var began = Clock.GetTimestamp(); Clock.GetElapsedTime(began) < FlushEvery && Interlocked.Read(ref _queuedBytes) < FrameBytes;)
                await Task.Delay(Look, Clock, cancellationToken);
            if (!Flush())
                await Task.Delay(FlushEvery, Clock, cancellationToken);
            if (Clock.GetElapsedTime(swept) < SweepEvery)
                continue;
            swept = Clock.GetTimestamp();
            Sweep();
        }
    }

    /// <summary>After the last request: what is queued is written, and that nothing is missing.</summary>
    public void Dispose()
    {
        if (_ended)
            return;
        _ended = true;
        if (IsOn)
        {
            _queue.Writer.TryWrite(new TrafficRecord(Clock.GetUtcNow(), TrafficKind.Ended));
            if (!Flush())
                _log.LogWarning("The last {Count} records of the traffic with the venue are lost: {Fault}", (_packed?.Count ?? 0) + _queue.Reader.Count, Trouble);
        }
        _writer.Dispose();
        _meter.Dispose();
    }

    /// <returns>Whether all that was queued is written.</returns>
    internal bool Flush()
    {
        while (Next() is { } next)
        {
            try
            {
                _writer.Write(next.Frame, next.At);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                if (Interlocked.Exchange(ref _trouble, $"The traffic with the venue is not recorded: {e.Message}. It goes on when there is room; trading does not wait for it.") is null)
                    _log.LogWarning("The traffic with the venue is not recorded until this is over: {Fault}", e.Message);
                return false;
            }
            _packed = null;
            _written.Add(next.Count);
            if (Interlocked.Exchange(ref _trouble, null) is not null)
                _log.LogInformation("The traffic with the venue is recorded again");
        }
        return true;
    }

    /// <summary>What is to be written next, the same until it is. Of one hour: the file that it goes to is named by it.</summary>
    private (byte[] Frame, DateTimeOffset At, int Count)? Next()
    {
        if (_packed is not null)
            return _packed;
        var (lines, count, at) = (new ArrayBufferWriter<byte>(FrameBytes), 0, default(DateTimeOffset));
        while (lines.WrittenCount < FrameBytes && _queue.Reader.TryPeek(out var record) && (count == 0 || RecordingFile.HourOf(record.At) == RecordingFile.HourOf(at)))
        {
            _queue.Reader.TryRead(out _);
            Interlocked.Add(ref _queuedBytes, -record.Bytes);
            at = count++ == 0 ? record.At : at;
            Write(lines, record);
        }
        // Those that were left out came after those that were queued.
        if (TakeMissing() is { } missing)
        {
            at = count++ == 0 ? missing.At : at;
            Write(lines, missing);
        }
        return count == 0 ? null : _packed = (Frame.Pack(lines.WrittenSpan), at, count);
    }

    private TrafficRecord? TakeMissing()
    {
        lock (_lock)
        {
            if (_missing.Count == 0)
                return null;
            var told = new TrafficRecord(_missing.To, TrafficKind.Missing) { Missing = _missing.Count, Text = $"{_missing.Count} records from {_missing.From:O} on are missing: the queue was full." };
            _missing = default;
            return told;
        }
    }

    private void Sweep()
    {
        try
        {
            Volatile.Write(ref _sweepTrouble, _writer.Sweep());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Volatile.Write(ref _sweepTrouble, $"The recording's folder cannot be looked through: {e.Message}");
        }
    }

    private static void Write(ArrayBufferWriter<byte> to, TrafficRecord record)
    {
        using (var json = new Utf8JsonWriter(to, new JsonWriterOptions { Encoder = TrafficRecord.Json.Encoder }))
            JsonSerializer.Serialize(json, record, TrafficRecord.Json);
        to.Write(NewLine);
    }
}
