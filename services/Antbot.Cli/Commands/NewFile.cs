using Antbot.EventStore;

namespace Antbot.Cli.Commands;

/// <summary>A file that was not there before: under its name there is only ever the whole of it.</summary>
internal static class NewFile
{
    public static async Task<T> WriteAsync<T>(string file, Func<Stream, Task<T>> write)
    {
        if (File.Exists(file))
            throw IsThere(file);
        var aside = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            T summary;
            await using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20))
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
