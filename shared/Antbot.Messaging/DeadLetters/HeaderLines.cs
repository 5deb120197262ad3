using System.Collections;
using System.Globalization;
using System.Text;
using Antbot.Contracts.Events;
using RabbitMQ.Client;

namespace Antbot.Messaging;

/// <summary>
/// Headers as they are recorded: one a line, what is nested under what it is in, each with its type on the wire. Nothing here calls
/// itself: a table within a table within a table may go on for as long as a frame.
/// </summary>
internal static class HeaderLines
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static IReadOnlyList<MessageHeader> From(IEnumerable<KeyValuePair<string, object?>> headers)
    {
        var lines = new List<MessageHeader>();
        var open = new Stack<IEnumerator<KeyValuePair<string, object?>>>([headers.GetEnumerator()]);
        while (open.TryPeek(out var members))
        {
            if (!members.MoveNext())
            {
                open.Pop().Dispose();
                continue;
            }
            var (name, value) = members.Current;
            var (kind, text) = Describe(value);
            lines.Add(new MessageHeader(open.Count - 1, Escape(name), kind, text));
            if (MembersOf(value) is { } within)
                open.Push(within.GetEnumerator());
        }
        return lines;
    }

    /// <summary>No store of JSON takes a NUL; half a surrogate pair, which no UTF-8 has, comes only from within this process.</summary>
    public static string Escape(string text)
    {
        if (text.AsSpan().IndexOfAny('\0', '\\') < 0 && IsWhole(text))
            return text;
        var written = new StringBuilder(text.Length + 8);
        foreach (var rune in text.EnumerateRunes())
            _ = rune.Value switch
            {
                0 => written.Append("\\0"),
                '\\' => written.Append("\\\\"),
                _ => written.Append(rune.ToString()),
            };
        return written.ToString();
    }

    private static bool IsWhole(string text)
    {
        foreach (var c in text)
        {
            if (char.IsSurrogate(c))
                return false;
        }
        return true;
    }

    private static IEnumerable<KeyValuePair<string, object?>>? MembersOf(object? value) => value switch
    {
        IDictionary<string, object?> table => table,
        byte[] or BinaryTableValue or string => null,
        IList list => list.Cast<object?>().Select(e => new KeyValuePair<string, object?>("", e)),
        _ => null,
    };

    private static (HeaderKind Kind, string Text) Describe(object? value) => value switch
    {
        null => (HeaderKind.Nothing, ""),
        byte[] bytes => Text(bytes),
        string text => (HeaderKind.Text, Escape(text)),
        BinaryTableValue binary => (HeaderKind.Bytes, Convert.ToBase64String(binary.Bytes ?? [])),
        bool flag => (HeaderKind.Boolean, flag ? "true" : "false"),
        sbyte n => (HeaderKind.Int8, Number(n)),
        byte n => (HeaderKind.UInt8, Number(n)),
        short n => (HeaderKind.Int16, Number(n)),
        ushort n => (HeaderKind.UInt16, Number(n)),
        int n => (HeaderKind.Int32, Number(n)),
        uint n => (HeaderKind.UInt32, Number(n)),
        long n => (HeaderKind.Int64, Number(n)),
        float n => (HeaderKind.Single, n.ToString("R", CultureInfo.InvariantCulture)),
        double n => (HeaderKind.Double, n.ToString("R", CultureInfo.InvariantCulture)),
        decimal n => (HeaderKind.Decimal, Number(n)),
        AmqpTimestamp at => (HeaderKind.Timestamp, Number(at.UnixTime)),
        IDictionary<string, object?> => (HeaderKind.Table, ""),
        IList => (HeaderKind.List, ""),
        // Of a type that no broker sends: what the bus within one process was given.
        _ => (HeaderKind.Text, Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")),
    };

    private static (HeaderKind Kind, string Text) Text(byte[] bytes)
    {
        try
        {
            return (HeaderKind.Text, Escape(Strict.GetString(bytes)));
        }
        catch (DecoderFallbackException)
        {
            return (HeaderKind.RawText, Convert.ToBase64String(bytes));
        }
    }

    private static string Number(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
