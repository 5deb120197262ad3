using System.Security.Cryptography;

namespace Antbot.Hosting;

/// <summary>Keys of a local platform: made on the first run, kept in files that only their owner reads, handed on by path.</summary>
public sealed class KeyFolder
{
    private readonly string _folder;

    public KeyFolder(string folder)
    {
        _folder = folder;
        if (OperatingSystem.IsWindows())
            Directory.CreateDirectory(folder);
        else
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public string FileOf(string name)
    {
        var file = Path.Combine(_folder, name);
        if (!File.Exists(file))
            Write(file, RandomNumberGenerator.GetHexString(48, lowercase: true));
        return file;
    }

    /// <summary>What is secret and made elsewhere: an address with its password.</summary>
    public string FileWith(string name, string content)
    {
        var file = Path.Combine(_folder, name);
        File.Delete($"{file}.new");
        Write($"{file}.new", content);
        File.Move($"{file}.new", file, overwrite: true);
        return file;
    }

    private static void Write(string file, string content)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using var stream = new StreamWriter(file, options);
        stream.Write(content);
    }
}
