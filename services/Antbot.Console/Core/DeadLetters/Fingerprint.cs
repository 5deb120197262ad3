using System.Text;
using Antbot.Contracts.Events;
using Antbot.Kernel.Identity;

namespace Antbot.ConsoleService.DeadLetters;

/// <summary>
/// What dead letters of one cause have in common, in this build and the next: who could not do what with which kind of message, and where
/// in our own code. Lines, offsets, parameters and what compilers name are left out of it, and so is what differs from message to message.
/// </summary>
public static class Fingerprint
{
    private const string Version = "1";
    private const string Own = "Antbot.";
    private const int FramesMax = 5;
    private const int NameLengthMax = 1_000;
    private const int StackLengthMax = 16 * 1024;
    private const int MessageLengthMax = 4 * 1024;
    private const int PartLengthMax = 1_000;

    public static string Of(string endpoint, DeadLetterKind kind, string messageType, string faultType, string faultMessage, string stack)
    {
        var frames = FramesOf(stack);
        // Thrown by others' code, as for JSON that does not fit: then what it says has to do.
        var place = frames.Count > 0 ? string.Join('\n', frames) : MessageOf(faultMessage);
        return DeterministicId.From("dead-letter-group", Version, Part(endpoint), kind.ToString(), Part(messageType), Part(faultType), Part(place)).ToString("N");
    }

    /// <summary>The methods of ours that it came through, from where it was thrown on; without what another build may have otherwise.</summary>
    public static IReadOnlyList<string> FramesOf(string stack)
    {
        var frames = new List<string>();
        foreach (var line in stack.AsSpan(0, Math.Min(stack.Length, StackLengthMax)).EnumerateLines())
        {
            var frame = line.Trim();
            if (!frame.StartsWith("at "))
                continue;
            frame = frame[3..];
            // A stack may be cut off anywhere, in the middle of a name too: the mark of it says so.
            if (frame.IndexOf('(') is var end and > 0 and <= NameLengthMax && frame.StartsWith(Own) && !frame[..end].Contains('…') && MethodOf(frame[..end].TrimEnd()) is var method && (frames.Count == 0 || frames[^1] != method))
                frames.Add(method);
            if (frames.Count == FramesMax)
                break;
        }
        return frames;
    }

    /// <summary>What was said, without what was said of this one alone: what is quoted, numbers and ids.</summary>
    public static string MessageOf(string text)
    {
        var written = new StringBuilder();
        var rest = text.AsSpan(0, Math.Min(text.Length, MessageLengthMax));
        var previous = ' ';
        while (rest.Length > 0)
        {
            var c = rest[0];
            var length = 1;
            if (c is '\'' or '"' && !char.IsLetterOrDigit(previous) && rest[1..].IndexOf(c) is var close and >= 0)
            {
                length = close + 2;
                written.Append('?');
            }
            else if (char.IsAsciiLetterOrDigit(c))
            {
                length = WordLength(rest);
                if (IsOfThisOne(rest[..length]))
                    Number(written);
                else
                    written.Append(rest[..length]);
            }
            else if (!char.IsWhiteSpace(c))
            {
                written.Append(c);
            }
            else if (written.Length > 0 && written[^1] != ' ')
            {
                written.Append(' ');
            }
            previous = rest[length - 1];
            rest = rest[length..];
        }
        return written.ToString().Trim();
    }

    private static int WordLength(ReadOnlySpan<char> text)
    {
        var length = 1;
        while (length < text.Length && (char.IsAsciiLetterOrDigit(text[length]) || text[length] is '-' or '_'))
            length++;
        return length;
    }

    private static bool IsOfThisOne(ReadOnlySpan<char> word) => word.ContainsAnyInRange('0', '9') || (word.Length >= 8 && !word.ContainsAnyExcept("0123456789abcdefABCDEF-"));

    /// <summary>4,194,304 is one number, and so is 12:30:05.</summary>
    private static void Number(StringBuilder written)
    {
        if (written.Length > 1 && written[^1] is ',' or '.' or ':' && written[^2] == '#')
            written.Length--;
        else
            written.Append('#');
    }

    /// <summary>Lambdas, local functions, closures and state machines are numbered by where they stand in a file; the method that they stand in is not.</summary>
    private static string MethodOf(ReadOnlySpan<char> name)
    {
        var written = new StringBuilder();
        Write(name, written);
        var method = written.ToString();
        return method.EndsWith(".MoveNext", StringComparison.Ordinal) ? method[..^".MoveNext".Length] : method;
    }

    private static void Write(ReadOnlySpan<char> name, StringBuilder written)
    {
        while (name.Length > 0)
        {
            var length = 1;
            switch (name[0])
            {
                case '<' when Closing(name) is var close and > 0:
                    length = close + 1;
                    // What the compiler makes of a method has its name in brackets, and what it makes of that has it in brackets again.
                    var inner = name[1..close].TrimStart('<');
                    var suffix = name[length..];
                    suffix = suffix.IndexOf('.') is var dot and >= 0 ? suffix[..dot] : suffix;
                    length += suffix.Length;
                    var end = inner.IndexOf('>');
                    Segment(end < 0 ? inner : inner[..end], written);
                    var made = end < 0 ? suffix : inner[(end + 1)..];
                    if (made.StartsWith("g__") && made.IndexOf('|') is var bar and > 0)
                        Segment(made[3..bar], written);
                    break;
                case '[' when name.IndexOf(']') is var bracket and > 0:
                    length = bracket + 1;
                    break;
                case '`':
                    while (length < name.Length && char.IsAsciiDigit(name[length]))
                        length++;
                    break;
                case '+' or '.':
                    if (written.Length > 0 && written[^1] != '.')
                        written.Append('.');
                    break;
                default:
                    written.Append(name[0]);
                    break;
            }
            name = name[length..];
        }
    }

    private static void Segment(ReadOnlySpan<char> segment, StringBuilder written)
    {
        if (segment.Length == 0)
            return;
        if (written.Length > 0 && written[^1] != '.')
            written.Append('.');
        written.Append(segment);
    }

    private static int Closing(ReadOnlySpan<char> name)
    {
        var depth = 0;
        for (var i = 0; i < name.Length; i++)
        {
            depth += name[i] switch { '<' => 1, '>' => -1, _ => 0 };
            if (depth == 0)
                return i;
        }
        return -1;
    }

    /// <summary>Of any length and any characters; what an id is made of has a limit and is whole.</summary>
    private static string Part(string text)
    {
        var part = text.AsSpan(0, Math.Min(text.Length, PartLengthMax));
        var whole = new StringBuilder(part.Length);
        foreach (var rune in part.EnumerateRunes())
            whole.Append(rune.ToString());
        return whole.ToString();
    }
}
