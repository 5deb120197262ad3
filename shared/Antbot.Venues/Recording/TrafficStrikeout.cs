using System.Security.Cryptography;
using System.Text;
using System.Text.Unicode;
using Antbot.Runtime.Secrets;

namespace Antbot.Venues.Recording;

/// <summary>What is recorded, cut to what is kept of it: without our key and secret wherever they turn up, each request's signature, and what bears the name of such a thing.</summary>
internal sealed class TrafficStrikeout(IEnumerable<string> secrets, int bodyBytesMax)
{
    private const int TextLengthMax = 4_096;

    private readonly Strikeout _strikeout = new(secrets);

    /// <param name="signature">Of the request that it is about.</param>
    public string Text(string text, string? signature = null)
    {
        var struck = _strikeout.Strike(text, signature);
        return struck.Length <= TextLengthMax ? struck : $"{struck[..TextLengthMax]}… ({struck.Length} characters)";
    }

    public TrafficBody Body(ReadOnlySpan<byte> body, string? signature = null)
    {
        // What begins before the cut is looked at to its end.
        var window = body[..Math.Min(body.Length, bodyBytesMax + Math.Max(_strikeout.LongestSecret, signature?.Length ?? 0))];
        var whole = WholeCharacters(window, isCut: window.Length < body.Length);
        var isUtf8 = Utf8.IsValid(whole);
        var text = _strikeout.Strike(isUtf8 ? Encoding.UTF8.GetString(whole) : Encoding.Latin1.GetString(window), signature);
        return body.Length <= bodyBytesMax
            ? new TrafficBody(text, body.Length, IsLatin1: !isUtf8)
            : new TrafficBody(WithoutEnd(text, window.Length - bodyBytesMax, isUtf8), body.Length, Convert.ToHexStringLower(SHA256.HashData(body)), !isUtf8);
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

    private static ReadOnlySpan<byte> WholeCharacters(ReadOnlySpan<byte> bytes, bool isCut)
    {
        for (var left = 0; isCut && left < 3 && left < bytes.Length; left++)
        {
            if (Utf8.IsValid(bytes[^(left + 1)..]) || bytes[^(left + 1)] >= 0xC0)
                return bytes[^(left + 1)] >= 0xC0 && !Utf8.IsValid(bytes[^(left + 1)..]) ? bytes[..^(left + 1)] : bytes;
        }
        return bytes;
    }
}
