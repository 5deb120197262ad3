using System.Collections;
using System.Globalization;
using System.Text;
using Antbot.Contracts.Events;
using Antbot.Contracts.Messages;
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

    /// <summary>As they were, each of the type that it had.</summary>
    public static Dictionary<string, object?> To(IEnumerable<MessageHeader> lines)
    {
        var headers = new Dictionary<string, object?>(StringComparer.Ordinal);
        var open = new Stack<Action<string, object?>>([(name, value) => headers[name] = value]);
        foreach (var line in lines)
        {
            while (open.Count > line.Depth + 1)
                open.Pop();
            var value = Value(line);
            open.Peek()(Unescape(line.Name), value);
            if (value is Dictionary<string, object?> table)
                open.Push((name, within) => table[name] = within);
            else if (value is List<object?> list)
                open.Push((_, within) => list.Add(within));
        }
        return headers;
    }

    public static string Unescape(string text)
    {
        if (!text.Contains('\\', StringComparison.Ordinal))
            return text;
        var written = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
            written.Append(text[i] != '\\' || i + 1 == text.Length ? text[i] : text[++i] == '0' ? '\0' : '\\');
        return written.ToString();
    }

    private static object? Value(MessageHeader line) => line.Kind switch
    {
        HeaderKind.Nothing => null,
        HeaderKind.Text => Encoding.UTF8.GetBytes(Unescape(line.Value)),
        HeaderKind.RawText => Convert.FromBase64String(line.Value),
        HeaderKind.Bytes => new BinaryTableValue(Convert.FromBase64String(line.Value)),
        HeaderKind.Boolean => line.Value == "true",
        HeaderKind.Int8 => sbyte.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.UInt8 => byte.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Int16 => short.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.UInt16 => ushort.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Int32 => int.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.UInt32 => uint.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Int64 => long.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Single => float.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Double => double.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Decimal => decimal.Parse(line.Value, CultureInfo.InvariantCulture),
        HeaderKind.Timestamp => new AmqpTimestamp(long.Parse(line.Value, CultureInfo.InvariantCulture)),
        HeaderKind.Table => new Dictionary<string, object?>(StringComparer.Ordinal),
        HeaderKind.List => new List<object?>(),
        _ => throw new ArgumentOutOfRangeException(nameof(line), line.Kind, "That is no type of a header."),
    };

    /// <summary>Without what was added to a message when it died: headers, and whatever is within them.</summary>
    public static IEnumerable<MessageHeader> OfTheLiving(IEnumerable<MessageHeader> lines)
    {
        var lives = true;
        foreach (var line in lines)
        {
            if (line.Depth == 0)
                lives = !DeadLetterHeaders.Faults.Contains(line.Name) && !DeadLetterHeaders.Counters.Contains(line.Name) && !DeadLetterHeaders.IsOfDeath(line.Name);
            if (lives)
                yield return line;
        }
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
