using System.Buffers;
using System.Net;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.RegularExpressions;

namespace Antbot.Runtime.Secrets;

/// <summary>
/// Takes out of a text whatever opens something: secrets that are known, however they are written, and what bears the name of such a thing. Whoever
/// cuts a text strikes first: half of a secret is much of one, and is not found.
/// </summary>
public sealed partial class Strikeout
{
    public const string Struck = "***";

    /// <summary>What is shorter is no secret, and would be found everywhere.</summary>
    public const int SecretLengthMin = 6;

    private const int MatchMilliseconds = 100;

    private static readonly SearchValues<string> Names = SearchValues.Create(
        ["signature", "key", "secret", "token", "passw", "passphrase", "pwd", "credential", "authorization", "bearer", "basic"], StringComparison.OrdinalIgnoreCase);

    private readonly string[] _secrets;
    private readonly SearchValues<string> _known;

    /// <param name="secrets">Those that are known.</param>
    public Strikeout(IEnumerable<string> secrets)
    {
        // The longest first: one may begin as another does.
        _secrets = [.. secrets.Where(s => s.Length >= SecretLengthMin).SelectMany(Written).Where(s => s.Length >= SecretLengthMin).Distinct(StringComparer.OrdinalIgnoreCase).OrderByDescending(s => s.Length)];
        _known = SearchValues.Create(_secrets, StringComparison.OrdinalIgnoreCase);
        LongestSecret = _secrets.Length > 0 ? _secrets[0].Length : 0;
    }

    /// <summary>How many characters one of those that are known takes at most, as it is written.</summary>
    public int LongestSecret { get; }

    /// <param name="signature">Of the request that it is about.</param>
    public string Strike(string text, string? signature = null)
    {
        ArgumentNullException.ThrowIfNull(text);
        text = WithoutKnown(text);
        if (signature is not null)
            text = text.Replace(signature, Struck, StringComparison.OrdinalIgnoreCase);
        try
        {
            if (text.Contains("://", StringComparison.Ordinal))
                text = UserInfo().Replace(text, $"{Struck}@");
            return text.AsSpan().ContainsAny(Names) ? Named().Replace(Scheme().Replace(text, "${name}" + Struck), "${name}" + Struck) : text;
        }
        catch (RegexMatchTimeoutException)
        {
            return "(left out: it could not be searched for secrets in time)";
        }
    }

    /// <summary>As it is, and as it is written in an address, a form, a page, a JSON text or one within another, in hexadecimal digits and in base64.</summary>
    private static IEnumerable<string> Written(string secret)
    {
        string[] json = [JavaScriptEncoder.Default.Encode(secret), JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode(secret), secret.Replace("/", "\\/", StringComparison.Ordinal)];
        return
        [
            secret, Uri.EscapeDataString(secret), WebUtility.UrlEncode(secret), HtmlEncoder.Default.Encode(secret), .. json, .. json.Select(JavaScriptEncoder.Default.Encode), .. json.Select(JavaScriptEncoder.UnsafeRelaxedJsonEscaping.Encode),
            Convert.ToHexString(Encoding.UTF8.GetBytes(secret)), .. Enumerable.Range(0, 3).SelectMany(before => InBase64(secret, before)),
        ];
    }

    /// <summary>What of its base64 is the same whatever stands behind it, and before it, of which so many bytes share its first group of three.</summary>
    private static string[] InBase64(string secret, int before)
    {
        byte[] bytes = [.. new byte[before], .. Encoding.UTF8.GetBytes(secret)];
        var text = Convert.ToBase64String(bytes)[(before == 0 ? 0 : before + 1)..(bytes.Length * 8 / 6)];
        return [text, text.Replace('+', '-').Replace('/', '_')];
    }

    private string WithoutKnown(string text)
    {
        var at = Find(text, 0);
        if (at < 0)
            return text;
        var (told, copied) = (new StringBuilder(text.Length), 0);
        while (at >= 0)
        {
            var (end, next) = (at + LengthAt(text, at), Find(text, at + 1));
            // What begins within one goes with it.
            for (; next >= 0 && next < end; next = Find(text, next + 1))
                end = Math.Max(end, next + LengthAt(text, next));
            told.Append(text, copied, at - copied).Append(Struck);
            (copied, at) = (end, next);
        }
        return told.Append(text, copied, text.Length - copied).ToString();
    }

    private int Find(string text, int from) => text.AsSpan(from).IndexOfAny(_known) is >= 0 and var at ? from + at : -1;

    private int LengthAt(string text, int at) => _secrets.First(s => text.AsSpan(at).StartsWith(s, StringComparison.OrdinalIgnoreCase)).Length;

    /// <summary>
    /// A name, what parts it from its value (in an address, a form, a header or JSON, written as a text in another JSON too), and the value: to its
    /// closing quote where it has one.
    /// </summary>
    [GeneratedRegex(
        """
        (?<name>
          (signature|listen_?-?key|api_?-?key|(secret|private|signing|access)_?-?key|secret|token|passw(or)?d|passphrase|pwd|credential|authorization)[\w-]{0,32}
          (\\{0,8}["']|\\{1,8}u002[27]|%2[27]|&(quot|apos|\#3[49]);)?
          \s{0,3}([:=]|%3[ad]|\\{1,8}u003[ad])>?\s{0,3}
          (?<quote>\\{0,8}["']|\\{1,8}u002[27]|%2[27]|&(quot|apos|\#3[49]);)?
          ((bearer|basic|token|digest|apikey|negotiate)\s+)?
        )
        (?(quote)(?![\s,;}\]])(?>((?!(?-i:\k<quote>))(\\+[^\r\n]?|[^\\\r\n]))+)|(?>(\\{1,8}(/|u00(2[bdef]|3d|7e))|[^"'&\s,;}\\])+))
        """,
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace, MatchMilliseconds)]
    private static partial Regex Named();

    [GeneratedRegex(@"\b(?<name>(bearer|basic)\s+)[a-z0-9._~+/=-]{6,}", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex Scheme();

    [GeneratedRegex(@"(?<=://)[^\s/""']+@", RegexOptions.ExplicitCapture, MatchMilliseconds)]
    private static partial Regex UserInfo();
}
