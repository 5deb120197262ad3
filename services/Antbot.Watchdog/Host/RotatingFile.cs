using System.Text;

namespace Antbot.Watchdog;

/// <summary>A file of lines that ends at a size. The one before it is kept beside it, and none before that.</summary>
public sealed class RotatingFile(string path, long bytesMax) : IDisposable
{
    private FileStream? _stream;

    /// <summary>With the ending of the file itself, so that whoever takes logs takes both.</summary>
    public static string BeforeOf(string path) => Path.ChangeExtension(path, $".1{Path.GetExtension(path)}");

    public void Write(string line)
    {
        var bytes = Encoding.UTF8.GetBytes(line + Environment.NewLine);
        _stream ??= Open();
        if (_stream.Position > 0 && _stream.Position + bytes.Length > bytesMax)
        {
            Dispose();
            File.Move(path, BeforeOf(path), overwrite: true);
            _stream = Open();
        }
        var end = _stream.Position;
        try
        {
            _stream.Write(bytes);
        }
        catch (IOException)
        {
            // What there was room for is no line.
            _stream.SetLength(end);
            throw;
        }
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _stream = null;
    }

    /// <summary>Without a buffer: what is in the file is what was written, however the process ends.</summary>
    private FileStream Open() => new(path, FileMode.Append, FileAccess.Write, FileShare.Read, bufferSize: 0);
}
