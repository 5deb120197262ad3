using System.Security.Cryptography;
using System.Text.Json;

namespace Antbot.PaperVenue;

/// <summary>What a client signs with.</summary>
public sealed record ApiKey(string Account, string Key, string Secret);

/// <summary>Keys as files that their owner alone may read, one for each account and one for the admin.</summary>
internal sealed class KeyFile(string folder)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int Length = 64;
    private const int MaxBytes = 4_096;

    private static readonly JsonSerializerOptions Format = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private sealed record Admin(string AdminKey);

    private sealed record Client(string Account, string ApiKey, string ApiSecret);

    public static bool IsKey(string text) => text.Length is >= 16 and <= 128 && text.All(char.IsAsciiLetterOrDigit);

    public static string NewKey() => RandomNumberGenerator.GetString(Alphabet, Length);

    public string PathOf(string account) => Path.Combine(folder, "keys", $"{account}.json");

    public string AdminPath => Path.Combine(folder, "admin.json");

    public string LoadAdmin(string? given)
    {
        if (given is null && Read<Admin>(AdminPath) is { AdminKey: { } known } && IsKey(known))
            return known;
        var key = given ?? NewKey();
        Write(AdminPath, new Admin(key));
        return key;
    }

    public ApiKey LoadOrCreate(string account, string? key = null, string? secret = null)
    {
        if (key is null && Read<Client>(PathOf(account)) is { ApiKey: { } knownKey, ApiSecret: { } knownSecret } && IsKey(knownKey) && IsKey(knownSecret))
            return new ApiKey(account, knownKey, knownSecret);
        var made = new ApiKey(account, key ?? NewKey(), secret ?? NewKey());
        Write(PathOf(account), new Client(account, made.Key, made.Secret));
        return made;
    }

    private static T? Read<T>(string path)
        where T : class
    {
        if (!File.Exists(path))
            return null;
        try
        {
            if (new FileInfo(path).Length > MaxBytes)
                throw new JsonException("It is too large.");
            return JsonSerializer.Deserialize<T>(File.ReadAllText(path), Format);
        }
        catch (JsonException e)
        {
            throw new PaperVenueException($"The key file {path} cannot be read: {e.Message} Restore it, or remove it for a new key.", e);
        }
    }

    /// <summary>Complete or not at all, and never readable to others, not even for a moment.</summary>
    private static void Write<T>(string path, T value)
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
