using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;

namespace Antbot.Hosting;

/// <summary>
/// The keys that open an HTTP interface, each with the name of who bears it. They come as a text or from a file: one key, or several
/// as <c>name=key</c> in lines or between commas.
/// </summary>
public sealed class ApiKeys
{
    public const string Header = "X-Api-Key";

    private const string Bearer = "Bearer ";
    private const string OnlyName = "default";
    private const int LengthMin = 16;
    private const int LengthMax = 512;

    private readonly List<(string Name, byte[] Hash)> _keys = [];

    private ApiKeys()
    {
    }

    public IEnumerable<string> Names => _keys.Select(k => k.Name);

    public bool IsEmpty => _keys.Count == 0;

    /// <summary>What is wrong is told without the key.</summary>
    public static ApiKeys Load(string? text, string? file, out IReadOnlyList<string> faults)
    {
        var (keys, found) = (new ApiKeys(), new List<string>());
        faults = found;
        if (!string.IsNullOrEmpty(text) && !string.IsNullOrEmpty(file))
            found.Add("The key is given both as a text and as a file; give one.");
        else if (!string.IsNullOrEmpty(file))
            text = Read(file, found);
        var parts = (text ?? "").Split([',', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        foreach (var part in parts)
            keys.Add(part, parts.Length, found);
        return keys;
    }

    /// <summary>Whose key the request bears; null where it bears none that is known. It takes as long whichever it is.</summary>
    public string? NameOf(HttpRequest request)
    {
        var presented = request.Headers[Header].ToString();
        if (presented.Length == 0 && request.Headers.Authorization.ToString() is { } authorization && authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
            presented = authorization[Bearer.Length..].Trim();
        return NameOf(presented);
    }

    /// <summary>The same for a key that was found elsewhere.</summary>
    public string? NameOf(string presented)
    {
        if (presented.Length is 0 or > LengthMax)
            return null;
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(presented));
        string? name = null;
        foreach (var key in _keys)
        {
            if (CryptographicOperations.FixedTimeEquals(hash, key.Hash))
                name = key.Name;
        }
        return name;
    }

    /// <summary>Lets a request through that bears a known key; any other is answered with 401, and nothing of it is read.</summary>
    public RequestDelegate Guard(RequestDelegate handle) => async context =>
    {
        if (NameOf(context.Request) is not null)
        {
            await handle(context);
            return;
        }
        context.Response.StatusCode = StatusCodes.Status401Unauthorized;
        context.Response.Headers.WWWAuthenticate = "Bearer";
        await context.Response.WriteAsJsonAsync(new { error = $"A known API key is needed, in the header {Header} or as Authorization: Bearer." });
    };

    private static string Read(string file, List<string> faults)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            faults.Add($"The key's file '{file}' cannot be read: {e.Message}");
            return "";
        }
    }

    private void Add(string part, int count, List<string> faults)
    {
        var split = part.IndexOf('=', StringComparison.Ordinal);
        // A key may end in '=', as base64 does; a name does not.
        var isNamed = split > 0 && part.Length - split - 1 >= LengthMin;
        var (name, key) = isNamed ? (part[..split].Trim(), part[(split + 1)..].Trim()) : (OnlyName, part);
        if (!isNamed && count > 1)
            faults.Add("Where there are several keys each has a name: name=key.");
        else if (name.Length > 40 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_'))
            faults.Add("A key's name has 1 to 40 letters, digits, hyphens and underscores.");
        else if (key.Length is < LengthMin or > LengthMax || key.Any(c => c is <= ' ' or >= '\x7f'))
            faults.Add($"The key '{name}' does not have {LengthMin} to {LengthMax} printable ASCII characters.");
        else if (_keys.Exists(k => k.Name == name))
            faults.Add($"There are two keys of the name '{name}'.");
        else
            _keys.Add((name, SHA256.HashData(Encoding.UTF8.GetBytes(key))));
    }
}
