using Antbot.EventStore;

namespace Antbot.Cli.Commands;

/// <summary>A file that was not there before: under its name there is only ever the whole of it.</summary>
internal static class NewFile
{
    /// <param name="ownerOnly">Nobody else on this machine may read it.</param>
    public static async Task<T> WriteAsync<T>(string file, Func<Stream, Task<T>> write, bool ownerOnly = false)
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.Read, BufferSize = 1 << 20 };
        if (ownerOnly && !OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        if (File.Exists(file))
            throw IsThere(file);
        var aside = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            T summary;
            await using (var stream = new FileStream(aside, options))
            {
                summary = await write(stream);
                stream.Flush(flushToDisk: true);
            }
            return WholeFile.TryPlace(aside, file) ? summary : throw IsThere(file);
        }
        finally
        {
            File.Delete(aside);
        }
    }

    private static IOException IsThere(string file) => new($"'{file}' is there already and nothing is overwritten; choose another name.");
}
