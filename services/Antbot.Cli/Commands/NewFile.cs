namespace Antbot.Cli.Commands;

/// <summary>A file that was not there before: under its name there is only ever the whole of it.</summary>
internal static class NewFile
{
    public static async Task<T> WriteAsync<T>(string file, Func<Stream, Task<T>> write)
    {
        if (File.Exists(file))
            throw new IOException($"'{file}' is there already and nothing is overwritten; choose another name.");
        var aside = $"{file}.{Guid.NewGuid():N}.part";
        try
        {
            T summary;
            await using (var stream = new FileStream(aside, FileMode.CreateNew, FileAccess.Write, FileShare.Read, 1 << 20))
            {
                summary = await write(stream);
                stream.Flush(flushToDisk: true);
            }
            File.Move(aside, file, overwrite: false);
            return summary;
        }
        finally
        {
            File.Delete(aside);
        }
    }
}
