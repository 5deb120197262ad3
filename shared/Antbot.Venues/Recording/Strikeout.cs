using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;
using System.Text.Unicode;

namespace Antbot.Venues.Recording;

/// <summary>
/// Takes out of what is recorded whatever opens something: our key and secret wherever they turn up, each request's signature, and what
/// bears the name of such a thing.
/// </summary>
internal sealed partial class Strikeout
{
    private const string Struck = "***";

    /// <summary>What is shorter is no secret, and would be found everywhere.</summary>
    private const int SecretLengthMin = 6;

    private const int TextLengthMax = 4_096;

    private static readonly SearchValues<string> Names = SearchValues.Create(["signature", "key", "secret", "token", "passw", "passphrase", "authorization"], StringComparison.OrdinalIgnoreCase);

    private readonly string[] _secrets;
    private readonly int _longest;
    private readonly int _bodyBytesMax;

    public Strikeout(IEnumerable<string> secrets, int bodyBytesMax)
    {
        // As they are, and as they are written in an address or a JSON text.
        _secrets = [.. secrets.Where(s => s.Length >= SecretLengthMin)
            .SelectMany(s => new[] { s, Uri.EscapeDataString(s), JavaScriptEncoder.Default.Encode(s), s.Replace("/", "\\/", StringComparison.Ordinal), Convert.ToBase64String(Encoding.UTF8.GetBytes(s)) })
            .Distinct(StringComparer.Ordinal).OrderByDescending(s => s.Length)];
        _longest = _secrets.Select(s => s.Length).DefaultIfEmpty(0).Max();
        _bodyBytesMax = bodyBytesMax;
    }

    /// <param name="signature">Of the request that it is about.</param>
    public string Text(string text, string? signature = null)
    {
        var struck = Strike(text, signature);
        return struck.Length <= TextLengthMax ? struck : $"{struck[..TextLengthMax]}… ({struck.Length} characters)";
    }

    public TrafficBody Body(ReadOnlySpan<byte> body, string? signature = null)
    {
        // What begins before the cut is looked at to its end: half of a secret is much of one.
        var window = body[..Math.Min(body.Length, _bodyBytesMax + Math.Max(_longest, signature?.Length ?? 0))];
        var whole = WholeCharacters(window, isCut: window.Length < body.Length);
        var isUtf8 = Utf8.IsValid(whole);
        var text = Strike(isUtf8 ? Encoding.UTF8.GetString(whole) : Encoding.Latin1.GetString(window), signature);
        return body.Length <= _bodyBytesMax
            ? new TrafficBody(text, body.Length, IsLatin1: !isUtf8)
            : new TrafficBody(WithoutEnd(text, window.Length - _bodyBytesMax, isUtf8), body.Length, Convert.ToHexStringLower(SHA256.HashData(body)), !isUtf8);
    }

    /// <summary>Without what lies beyond the cut: there something may begin that was not seen whole. What was struck out is shorter than it was, so that it is more rather than less.</summary>
    private static string WithoutEnd(string text, int bytes, bool isUtf8)
    {
        var end = text.Length;
        while (bytes > 0 && end > 0)
        {
            var isPair = end > 1 && char.IsLowSurrogate(text[end - 1]);
            end -= isPair ? 2 : 1;
            bytes -= isUtf8 ? Encoding.UTF8.GetByteCount(text.AsSpan(end, isPair ? 2 : 1)) : 1;
        }
        return text[..end];
    }

    private string Strike(string text, string? signature)
    {
        foreach (var secret in _secrets)
            text = text.Replace(secret, Struck, StringComparison.Ordinal);
        if (signature is not null)
            text = text.Replace(signature, Struck, StringComparison.OrdinalIgnoreCase);
        if (!text.AsSpan().ContainsAny(Names))
            return text;
        try
        {
            return Named().Replace(text, "${name}" + Struck);
        }
        catch (RegexMatchTimeoutException)
        {
            return "(left out: it could not be searched for secrets in time)";
        }
    }

    private static ReadOnlySpan<byte> WholeCharacters(ReadOnlySpan<byte> bytes, bool isCut)
    {
        for (var left = 0; isCut && left < 3 && left < bytes.Length; left++)
        {
            if (Utf8.IsValid(bytes[^(left + 1)..]) || bytes[^(left + 1)] >= 0xC0)
                return bytes[^(left + 1)] >= 0xC0 && !Utf8.IsValid(bytes[^(left + 1)..]) ? bytes[..^(left + 1)] : bytes;
        }
        return bytes;
    }

    /// <summary>A name, what parts it from its value (in an address, a form, a header or JSON, written as a text in another JSON too), and the value.</summary>
    [GeneratedRegex("""(?<name>(signature|listen_?-?key|api_?-?key|x-mbx-apikey|secret_?-?key|api_?-?secret|secret|access_?-?token|refresh_?-?token|token|password|passphrase|authorization)\\?["']?\s?([:=]|%3[aAdD])\s?\\?["']?((bearer|basic)\s)?)[^"'&\s,;}\\]+""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 100)]
    private static partial Regex Named();
}
