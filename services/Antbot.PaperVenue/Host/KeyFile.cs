using System.Security.Cryptography;
using System.Text.Json;

namespace Antbot.PaperVenue;

/// <summary>What the holder of a key may do. Withdraw is a flag to be found and refused by careful clients: nothing ever leaves this venue.</summary>
[Flags]
public enum Permissions
{
    None = 0,
    Read = 1,
    Trade = 2,
    Withdraw = 4,
}

/// <summary>What a client signs with.</summary>
/// <param name="Secret">Of HMAC; empty where the client keeps an Ed25519 key to itself.</param>
public sealed record ApiKey(string Account, string Key, string Secret)
{
    public Permissions Permissions { get; init; } = Permissions.Read | Permissions.Trade;

    /// <summary>Of Ed25519, in PEM.</summary>
    public string? PublicKey { get; init; }
}

/// <summary>Keys as files that their owner alone may read, one for each account and one for the admin.</summary>
internal sealed class KeyFile(string folder)
{
    private const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    private const int Length = 64;

    /// <param name="Address">Where the admin routes were at the last start.</param>
    private sealed record Admin(string AdminKey, string? Address = null);

    private sealed record Client(string Account, string ApiKey, string? ApiSecret, IReadOnlyList<string>? Permissions = null, string? PublicKey = null);

    public static bool IsKey(string text) => text.Length is >= 16 and <= 128 && text.All(char.IsAsciiLetterOrDigit);

    public static string NewKey() => RandomNumberGenerator.GetString(Alphabet, Length);

    public string PathOf(string account) => Path.Combine(folder, "keys", $"{account}.json");

    /// <summary>An account's first key has the account's name; further ones have a part of their own name beside it.</summary>
    public string PathOf(ApiKey key) => Path.Combine(folder, "keys", $"{key.Account}.{key.Key[..12]}.json");

    public string AdminPath => Path.Combine(folder, "admin.json");

    public string LoadAdmin(string? given)
    {
        if (given is null && Read<Admin>(AdminPath) is { AdminKey: { } known } && IsKey(known))
            return known;
        return given ?? NewKey();
    }

    public void SaveAdmin(string key, Uri address) => DataFile.Write(AdminPath, new Admin(key, address.ToString()));

    public ApiKey LoadOrCreate(string account, string? key = null, string? secret = null)
    {
        if (key is null && Load(PathOf(account)) is { Secret.Length: > 0 } known)
            return known;
        var made = new ApiKey(account, key ?? NewKey(), secret ?? NewKey());
        Save(made, PathOf(account));
        return made;
    }

    /// <summary>The further keys of all accounts.</summary>
    public IEnumerable<ApiKey> LoadFurther() =>
        Directory.EnumerateFiles(Path.Combine(folder, "keys"), "*.*.json").Order(StringComparer.Ordinal).Select(Load).OfType<ApiKey>();

    public void SaveFurther(ApiKey key) => Save(key, PathOf(key));

    public void Remove(ApiKey key) => File.Delete(PathOf(key));

    private static ApiKey? Load(string path)
    {
        if (Read<Client>(path) is not { ApiKey: { } key, Account: { } account } client || !IsKey(key))
            return null;
        var may = client.Permissions is { } names
            ? names.Aggregate(Permissions.None, (all, name) => Enum.TryParse<Permissions>(name, ignoreCase: true, out var one) ? all | one : all)
            : Permissions.Read | Permissions.Trade;
        var secret = client.ApiSecret is { } text && IsKey(text) ? text : "";
        return secret.Length == 0 && client.PublicKey is null ? null : new ApiKey(account, key, secret) { Permissions = may, PublicKey = client.PublicKey };
    }

    private static void Save(ApiKey key, string path) => DataFile.Write(path, new Client(key.Account, key.Key, key.Secret.Length > 0 ? key.Secret : null, Names(key.Permissions), key.PublicKey));

    public static IReadOnlyList<string> Names(Permissions may) =>
        [.. Enum.GetValues<Permissions>().Where(p => p != Permissions.None && may.HasFlag(p)).Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.ToString()))];

    private static T? Read<T>(string path)
        where T : class
    {
        try
        {
            return DataFile.Read<T>(path);
        }
        catch (JsonException e)
        {
            throw new PaperVenueException($"The key file {path} cannot be read: {e.Message} Restore it, or remove it for a new key.", e);
        }
    }
}
