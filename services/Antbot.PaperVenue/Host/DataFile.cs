using System.Text.Json;

namespace Antbot.PaperVenue;

/// <summary>A small file of the data folder, as JSON.</summary>
internal static class DataFile
{
    private const int MaxBytes = 4_096;

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    /// <summary>Null where there is none. Throws <see cref="JsonException"/> for what is not it.</summary>
    public static T? Read<T>(string path)
        where T : class
    {
        if (!File.Exists(path))
            return null;
        if (new FileInfo(path).Length > MaxBytes)
            throw new JsonException("It is too large.");
        return JsonSerializer.Deserialize<T>(File.ReadAllText(path), Format);
    }

    /// <summary>Complete or not at all, and never readable to others, not even for a moment.</summary>
    public static void Write<T>(string path, T value)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        var fresh = $"{path}.new";
        File.Delete(fresh);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(fresh, options))
        {
            JsonSerializer.Serialize(file, value, Format);
            file.Flush(flushToDisk: true);
        }
        File.Move(fresh, path, overwrite: true);
    }
}
