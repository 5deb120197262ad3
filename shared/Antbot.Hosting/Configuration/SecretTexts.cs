using System.Text.RegularExpressions;
using Npgsql;

namespace Antbot.Hosting;

/// <summary>Knows what may never be logged, and strikes it out. Nobody logs a secret on purpose; exceptions of libraries may.</summary>
internal sealed partial class SecretTexts
{
    private const int LengthMin = 6;
    private const string Struck = "***";

    private readonly string[] _texts;

    private SecretTexts(IEnumerable<string?> texts) =>
        _texts = [.. texts.OfType<string>().SelectMany(t => new[] { t, Uri.EscapeDataString(t) }).Where(t => t.Length >= LengthMin).Distinct(StringComparer.Ordinal).OrderByDescending(t => t.Length)];

    public static SecretTexts None { get; } = new([]);

    public static SecretTexts From(IReadOnlyDictionary<string, string?> settings) => new(settings
        .Where(s => SecretName().IsMatch(s.Key)).SelectMany(s => (s.Value ?? "").Split([',', '\n', '\r'], StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)).Select(AfterName)
        // A password may have in it what parts keys.
        .Concat(settings.Where(s => SecretName().IsMatch(s.Key)).Select(s => s.Value))
        .Concat(settings.Values.OfType<string>().Select(PasswordOf)));

    /// <summary>A setting's value with nothing in it that may not be told.</summary>
    public static string Without(string key, string value) => SecretName().IsMatch(key) ? Struck
        : PasswordOf(value) is { Length: > 0 } password ? value.Replace(Uri.EscapeDataString(password), Struck, StringComparison.Ordinal).Replace(password, Struck, StringComparison.Ordinal)
        : value;

    public string Strike(string text)
    {
        foreach (var secret in _texts)
            text = text.Replace(secret, Struck, StringComparison.Ordinal);
        return text;
    }

    private static string AfterName(string part) => part[(part.IndexOf('=', StringComparison.Ordinal) + 1)..];

    private static string? PasswordOf(string value)
    {
        if (Uri.TryCreate(value, UriKind.Absolute, out var uri) && uri.UserInfo.Split(':', 2) is [_, { Length: > 0 } password])
            return Uri.UnescapeDataString(password);
        if (!value.Contains("assword", StringComparison.OrdinalIgnoreCase))
            return null;
        try
        {
            return new NpgsqlConnectionStringBuilder(value).Password;
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    [GeneratedRegex("key|secret|token|password|passphrase", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SecretName();
}
