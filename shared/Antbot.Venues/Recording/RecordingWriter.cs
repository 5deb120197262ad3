using System.Text.Json;

namespace Antbot.Venues.Recording;

/// <summary>The files of one process's recording: a new one each hour and when one grows long, and the folder's oldest removed.</summary>
/// <param name="self">Whose files they are; hour and part are of no matter.</param>
/// <param name="build">What the first line of each file says.</param>
internal sealed class RecordingWriter(RecordingOptions options, RecordingFile self, string build, TimeProvider clock) : IDisposable
{
    private const int PartsMax = 9_999;
    private const long Megabyte = 1024 * 1024;
    private const long FileBytesMax = 64 * Megabyte;

    /// <summary>What a file counts for at least: a process that is started again and again leaves no thousands of them.</summary>
    private const long FileBytesCounted = 64 * 1024;

    private readonly long _fileBytesMax = Math.Min(FileBytesMax, options.Megabytes * Megabyte / 4);
    private (RecordingFile File, string Path, FileStream Stream)? _open;

    /// <summary>What all files of the folder take, when it was last looked at.</summary>
    public long Bytes { get; private set; }

    /// <exception cref="IOException">It could not be written, and nothing of it is in the file.</exception>
    public void Write(byte[] frame, DateTimeOffset at)
    {
        if (new DriveInfo(Path.GetFullPath(Folder())).AvailableFreeSpace < options.FreeMegabytes * Megabyte)
            throw new IOException($"less than {options.FreeMegabytes} MB are free on its disk");
        var hour = RecordingFile.HourOf(at);
        // Who removes the file that is written loses that one alone.
        if (_open is not { } open || open.File.Hour != hour || open.Stream.Length + frame.Length > _fileBytesMax || !File.Exists(open.Path))
            open = Open(hour);
        Append(open.Stream, frame);
        Bytes += frame.Length;
    }

    /// <summary>Removes what is too old, and the oldest until the rest is not too much.</summary>
    /// <returns>Why something could not be removed; null where all was.</returns>
    public string? Sweep()
    {
        if (!Directory.Exists(options.Folder))
            return null;
        string? fault = null;
        var before = clock.GetUtcNow() - TimeSpan.FromDays(options.Days);
        var files = RecordingFile.List(options.Folder).Select(f => (f.File, f.Info, Bytes: Math.Max(FileBytesCounted, f.Info.Length))).ToList();
        var bytes = files.Sum(f => f.Bytes);
        foreach (var (file, info, length) in files)
        {
            if ((file.Hour.AddHours(1) > before && bytes <= options.Megabytes * Megabyte) || info.FullName == _open?.Path)
                continue;
            try
            {
                info.Delete();
                bytes -= length;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                fault ??= $"'{info.Name}' cannot be removed: {e.Message}";
            }
        }
        Bytes = bytes;
        return fault;
    }

    public void Dispose()
    {
        _open?.Stream.Dispose();
        _open = null;
    }

    private string Folder()
    {
        if (!Directory.Exists(options.Folder))
        {
            if (OperatingSystem.IsWindows())
                Directory.CreateDirectory(options.Folder);
            else
                Directory.CreateDirectory(options.Folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
        return options.Folder;
    }

    private (RecordingFile File, string Path, FileStream Stream) Open(DateTimeOffset hour)
    {
        var part = _open is { } before && before.File.Hour == hour ? before.File.Part + 1 : 1;
        Dispose();
        // Another one of the same hour may be there from before the clock was set back.
        var file = Enumerable.Range(part, Math.Max(0, PartsMax - part + 1)).Select(p => self with { Hour = hour, Part = p }).FirstOrDefault(f => !File.Exists(PathOf(f)))
            ?? throw new IOException($"there are {PartsMax} files of this hour");
        var create = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
            create.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var open = (File: file, Path: PathOf(file), Stream: new FileStream(PathOf(file), create));
        _open = open;
        try
        {
            Append(open.Stream, Frame.Pack([.. JsonSerializer.SerializeToUtf8Bytes(new TrafficRecord(clock.GetUtcNow(), TrafficKind.Began) { Text = build }, TrafficRecord.Json), (byte)'\n']));
        }
        catch (IOException)
        {
            Dispose();
            File.Delete(open.Path);
            throw;
        }
        return open;
    }

    private void Append(FileStream stream, byte[] frame)
    {
        var length = stream.Length;
        try
        {
            stream.Write(frame);
        }
        catch (IOException)
        {
            // Half a frame in the middle would hide what follows: it goes, or what follows goes into a file of its own.
            try
            {
                stream.SetLength(length);
                stream.Position = length;
            }
            catch (IOException)
            {
                Dispose();
            }
            throw;
        }
    }

    private string PathOf(RecordingFile file) => Path.Combine(Path.GetFullPath(options.Folder), file.Name);
}
