using System.Buffers;
using Microsoft.Win32.SafeHandles;

namespace Antbot.PaperVenue.Journal;

/// <summary>The journal could not be written; what it was asked to keep may be kept or not.</summary>
public sealed class JournalException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// Keeps what happened. Records of all callers are collected while the last batch is synced and go to disk as one frame with one sync.
/// The space for the next file is reserved before it is needed: a full disk shows before an order is accepted, not after.
/// Adding is for one caller at a time.
/// </summary>
internal sealed class JournalWriter : IDisposable
{
    private readonly string _folder;
    private readonly int _segmentBytes;
    private readonly Thread _thread;
    private readonly SemaphoreSlim _work = new(0);
    private readonly Lock _gate = new();
    private readonly Queue<Batch> _sealed = new();
    private readonly Action<long> _committed;
    private Batch _pending;
    private Batch? _writing;
    private Segment? _current;
    private volatile Segment? _next;
    private long _unwritten;
    private long _room;
    private volatile Exception? _failure;
    private volatile bool _stopping;

    /// <param name="last">The sequence of the last frame that is there.</param>
    /// <param name="committed">Told the sequence of each frame that is on disk, in order, from the journal's own thread.</param>
    public JournalWriter(string folder, int segmentBytes, long last, Action<long> committed)
    {
        _folder = folder;
        _segmentBytes = segmentBytes;
        _committed = committed;
        _pending = new Batch(last + 1);
        _current = Segment.Create(folder, last + 1, segmentBytes);
        _room = segmentBytes;
        _thread = new Thread(Run) { IsBackground = true, Name = "journal" };
        _thread.Start();
    }

    public Exception? Failure => _failure;

    /// <summary>Written since the start.</summary>
    public long Bytes { get; private set; }

    public long Syncs { get; private set; }

    /// <summary>Whether whatever one operation may cause still finds room.</summary>
    public bool HasRoom
    {
        get
        {
            if (_failure is not null || Interlocked.Read(ref _unwritten) > _segmentBytes / 2)
                return false;
            return _next is not null || Interlocked.Read(ref _room) - Interlocked.Read(ref _unwritten) > _segmentBytes / 4;
        }
    }

    /// <summary>Ends when all that was added so far is on disk.</summary>
    public Task Durable
    {
        get
        {
            lock (_gate)
                return _pending.IsEmpty ? (_sealed.Count > 0 ? _sealed.Last() : _writing)?.Done.Task ?? Task.CompletedTask : _pending.Done.Task;
        }
    }

    /// <summary>The sequence of the frame that they will be in.</summary>
    public long Add(IEnumerable<VenueEvent> events)
    {
        lock (_gate)
        {
            var before = _pending.Bytes.WrittenCount;
            foreach (var e in events)
                JournalCodec.Write(_pending.Bytes, e);
            Interlocked.Add(ref _unwritten, _pending.Bytes.WrittenCount - before);
            if (before == Frame.HeaderBytes && !_pending.IsEmpty)
                _work.Release();
            return _pending.Sequence;
        }
    }

    /// <summary>Closes the current frame: everything added so far is in frames up to the one returned, everything later in later ones.</summary>
    public (long Sequence, Task Done) Seal()
    {
        lock (_gate)
        {
            if (_pending.IsEmpty)
                return (_pending.Sequence - 1, (_sealed.Count > 0 ? _sealed.Last() : _writing)?.Done.Task ?? Task.CompletedTask);
            var batch = _pending;
            _sealed.Enqueue(batch);
            _pending = new Batch(batch.Sequence + 1);
            return (batch.Sequence, batch.Done.Task);
        }
    }

    /// <summary>Writes what is left and ends.</summary>
    public void Dispose()
    {
        // Whoever opens it anew may have to try more than once.
        if (_stopping)
            return;
        _stopping = true;
        _work.Release();
        _thread.Join();
        _current?.Dispose();
        _next?.Discard();
        _work.Dispose();
    }

    private void Run()
    {
        while (true)
        {
            // Woken by work, and once in a while to look for room where there was none.
            _work.Wait(TimeSpan.FromMilliseconds(500));
            while (Take() is { } batch)
            {
                try
                {
                    if (_failure is not null)
                        throw new JournalException("The journal has failed before.", _failure);
                    Write(batch);
                }
                catch (Exception e) when (e is IOException or UnauthorizedAccessException or JournalException)
                {
                    _failure ??= e;
                    batch.Done.TrySetException(new JournalException($"The journal could not be written: {e.Message}", e));
                    // Whoever waits looks at it; where nobody does, it is told by Failure.
                    _ = batch.Done.Task.Exception;
                    continue;
                }
                finally
                {
                    Interlocked.Add(ref _unwritten, Frame.HeaderBytes - batch.Bytes.WrittenCount);
                    lock (_gate)
                        _writing = null;
                }
                _committed(batch.Sequence);
                batch.Done.TrySetResult();
            }
            if (_stopping)
                return;
            if (_next is null && _failure is null)
                Reserve();
        }
    }

    private Batch? Take()
    {
        lock (_gate)
        {
            if (_sealed.TryDequeue(out var batch))
                return _writing = batch;
            if (_pending.IsEmpty)
                return null;
            batch = _pending;
            _pending = new Batch(batch.Sequence + 1);
            return _writing = batch;
        }
    }

    private void Write(Batch batch)
    {
        var frame = batch.Frame;
        Frame.Complete(frame.Span, batch.Sequence);
        if (_current!.Length + frame.Length > _segmentBytes && _current.Length > 0)
        {
            if (_next is null)
                Reserve();
            var next = _next ?? throw new JournalException("There is no room for the next file of the journal.");
            _next = null;
            _current.Dispose();
            next.Name(_folder, batch.Sequence);
            _current = next;
        }
        _current.Write(frame.Span);
        Bytes += frame.Length;
        Syncs++;
        Interlocked.Exchange(ref _room, _segmentBytes - _current.Length);
    }

    private void Reserve()
    {
        try
        {
            _next = Segment.Reserve(_folder, _segmentBytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Full: HasRoom says so before the current file is.
        }
    }

    private sealed class Batch
    {
        public Batch(long sequence)
        {
            Sequence = sequence;
            Bytes.GetSpan(Journal.Frame.HeaderBytes);
            Bytes.Advance(Journal.Frame.HeaderBytes);
        }

        public long Sequence { get; }

        public ArrayBufferWriter<byte> Bytes { get; } = new(4_096);

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public bool IsEmpty => Bytes.WrittenCount == Journal.Frame.HeaderBytes;

        public Memory<byte> Frame => System.Runtime.InteropServices.MemoryMarshal.AsMemory(Bytes.WrittenMemory);
    }

    private sealed class Segment : IDisposable
    {
        private readonly SafeFileHandle _handle;
        private string _path;

        private Segment(string path, int bytes)
        {
            _path = path;
            File.Delete(path);
            _handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, FileShare.Read, FileOptions.None, bytes);
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(_handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }

        public long Length { get; private set; }

        public static Segment Create(string folder, long first, int bytes)
        {
            var segment = new Segment(JournalFiles.SegmentPath(folder, first), bytes);
            JournalFiles.SyncFolder(folder);
            return segment;
        }

        public static Segment Reserve(string folder, int bytes) => new(JournalFiles.ReservePath(folder), bytes);

        public void Name(string folder, long first)
        {
            var path = JournalFiles.SegmentPath(folder, first);
            File.Move(_path, path);
            _path = path;
            JournalFiles.SyncFolder(folder);
        }

        public void Write(ReadOnlySpan<byte> frame)
        {
            RandomAccess.Write(_handle, frame, Length);
            RandomAccess.FlushToDisk(_handle);
            Length += frame.Length;
        }

        public void Discard()
        {
            Dispose();
            File.Delete(_path);
        }

        /// <summary>What was reserved and not used goes back.</summary>
        public void Dispose()
        {
            if (!_handle.IsClosed)
                RandomAccess.SetLength(_handle, Length);
            _handle.Dispose();
        }
    }
}
