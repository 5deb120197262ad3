using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;

namespace Antbot.Kernel.Proof;

/// <summary>
/// One spelling for every JSON value, so that its bytes can be derived again from any store's rendition of it:
/// keys in ordinal order of their canonical bytes (without the quotes), no white space, plain decimals (their scale kept),
/// the shortest escapes.
/// PostgreSQL's jsonb reorders keys and rewrites <c>1e-7</c>; the canonical bytes survive both.
/// </summary>
public static class CanonicalJson
{
    public const int DepthMax = 64;

    /// <summary>Beyond this PostgreSQL would refuse or round a fraction.</summary>
    public const int NumberLengthMax = 16_000;

    /// <summary>How long a number may become when its exponent is written out.</summary>
    public const int ExpandedNumberLengthMax = 1000;

    public static byte[] From(ReadOnlySpan<byte> json)
    {
        var output = new ArrayBufferWriter<byte>(json.Length + 16);
        Write(json, output);
        return output.WrittenSpan.ToArray();
    }

    public static void Write(ReadOnlySpan<byte> json, ArrayBufferWriter<byte> output)
    {
        if (!Utf8.IsValid(json))
            throw new CanonicalJsonException("The text is not valid UTF-8.");
        var buffer = new Buffer(json.Length + 64);
        try
        {
            var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = DepthMax });
            if (!reader.Read())
                throw new CanonicalJsonException("The text is empty.");
            WriteValue(ref reader, buffer);
            if (reader.Read())
                throw new CanonicalJsonException("There is more text after the value.");
            output.Write(buffer.Written);
        }
        catch (JsonException e)
        {
            throw new CanonicalJsonException($"The text is not JSON: {e.Message}");
        }
        finally
        {
            buffer.Return();
        }
    }

    private static void WriteValue(ref Utf8JsonReader reader, Buffer output)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.StartObject: WriteObject(ref reader, output); break;
            case JsonTokenType.StartArray: WriteArray(ref reader, output); break;
            case JsonTokenType.String: WriteString(ref reader, output); break;
            case JsonTokenType.Number: CanonicalNumber.Write(reader.ValueSpan, output); break;
            case JsonTokenType.True: output.Add("true"u8); break;
            case JsonTokenType.False: output.Add("false"u8); break;
            case JsonTokenType.Null: output.Add("null"u8); break;
            default: throw new CanonicalJsonException($"Unexpected {reader.TokenType}.");
        }
    }

    private static void WriteArray(ref Utf8JsonReader reader, Buffer output)
    {
        output.Add((byte)'[');
        var first = true;
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (!first)
                output.Add((byte)',');
            first = false;
            WriteValue(ref reader, output);
        }
        output.Add((byte)']');
    }

    private static void WriteObject(ref Utf8JsonReader reader, Buffer output)
    {
        output.Add((byte)'{');
        var members = ArrayPool<Member>.Shared.Rent(16);
        var count = 0;
        var sorted = true;
        try
        {
            var start = output.Length;
            while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
            {
                if (count > 0)
                    output.Add((byte)',');
                var from = output.Length;
                WriteString(ref reader, output);
                var key = output.Length;
                output.Add((byte)':');
                reader.Read();
                WriteValue(ref reader, output);
                if (count == members.Length)
                    members = Grow(members);
                members[count] = new Member(from, key, output.Length);
                if (count > 0 && sorted)
                    sorted = Compare(output.Written, members[count - 1], members[count]) < 0;
                count++;
            }
            if (!sorted)
                Sort(output, start, members.AsSpan(0, count));
            output.Add((byte)'}');
        }
        finally
        {
            ArrayPool<Member>.Shared.Return(members);
        }
    }

    private static void Sort(Buffer output, int start, Span<Member> members)
    {
        var length = output.Length - start;
        var copy = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            var text = copy.AsSpan(0, length);
            output.Written[start..].CopyTo(text);
            // Insertion sort: objects are small, and a comparison delegate could not capture the span.
            if (members.Length <= 32)
                InsertionSort(text, start, members);
            else
                SortMany(copy, start, members);
            for (var i = 1; i < members.Length; i++)
            {
                if (KeyOf(text, start, members[i - 1]).SequenceEqual(KeyOf(text, start, members[i])))
                    throw new CanonicalJsonException("An object holds a key twice.");
            }
            output.Length = start;
            for (var i = 0; i < members.Length; i++)
            {
                if (i > 0)
                    output.Add((byte)',');
                output.Add(text[(members[i].From - start)..(members[i].To - start)]);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private static void InsertionSort(ReadOnlySpan<byte> text, int start, Span<Member> members)
    {
        for (var i = 1; i < members.Length; i++)
        {
            var member = members[i];
            var j = i - 1;
            for (; j >= 0 && KeyOf(text, start, members[j]).SequenceCompareTo(KeyOf(text, start, member)) > 0; j--)
                members[j + 1] = members[j];
            members[j + 1] = member;
        }
    }

    private static void SortMany(byte[] text, int start, Span<Member> members) =>
        members.Sort((a, b) => KeyOf(text, start, a).SequenceCompareTo(KeyOf(text, start, b)));

    /// <summary>The key without its quotes: with them <c>a!</c> would come before <c>a</c>.</summary>
    private static ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> text, int start, Member member) =>
        text[(member.From - start + 1)..(member.Key - start - 1)];

    private static int Compare(ReadOnlySpan<byte> written, Member a, Member b) =>
        KeyOf(written, 0, a).SequenceCompareTo(KeyOf(written, 0, b));

    private static Member[] Grow(Member[] members)
    {
        var larger = ArrayPool<Member>.Shared.Rent(members.Length * 2);
        members.CopyTo(larger, 0);
        ArrayPool<Member>.Shared.Return(members);
        return larger;
    }

    private static void WriteString(ref Utf8JsonReader reader, Buffer output)
    {
        output.Add((byte)'"');
        if (!reader.ValueIsEscaped)
        {
            output.Add(reader.ValueSpan);
        }
        else
        {
            var rented = ArrayPool<byte>.Shared.Rent(reader.ValueSpan.Length);
            try
            {
                var length = reader.CopyString(rented);
                WriteEscaped(rented.AsSpan(0, length), output);
            }
            catch (InvalidOperationException)
            {
                throw new CanonicalJsonException("A string holds half of a surrogate pair.");
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
        output.Add((byte)'"');
    }

    private static void WriteEscaped(ReadOnlySpan<byte> text, Buffer output)
    {
        foreach (var b in text)
        {
            switch (b)
            {
                case (byte)'"': output.Add("\\\""u8); break;
                case (byte)'\\': output.Add("\\\\"u8); break;
                case 0: throw new CanonicalJsonException("A string holds a NUL character.");
                case 8: output.Add("\\b"u8); break;
                case 9: output.Add("\\t"u8); break;
                case 10: output.Add("\\n"u8); break;
                case 12: output.Add("\\f"u8); break;
                case 13: output.Add("\\r"u8); break;
                case < 0x20:
                    output.Add("\\u00"u8);
                    output.Add("0123456789abcdef"u8[b >> 4]);
                    output.Add("0123456789abcdef"u8[b & 15]);
                    break;
                default: output.Add(b); break;
            }
        }
    }

    private readonly record struct Member(int From, int Key, int To);

    /// <summary>A growing pooled byte buffer that can be cut back, which <see cref="ArrayBufferWriter{T}"/> cannot.</summary>
    internal sealed class Buffer
    {
        private byte[] _bytes;

        public Buffer(int capacity) => _bytes = ArrayPool<byte>.Shared.Rent(capacity);

        public int Length { get; set; }

        public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

        public void Add(byte value)
        {
            if (Length == _bytes.Length)
                GrowBy(1);
            _bytes[Length++] = value;
        }

        public void Add(ReadOnlySpan<byte> values)
        {
            if (Length + values.Length > _bytes.Length)
                GrowBy(values.Length);
            values.CopyTo(_bytes.AsSpan(Length));
            Length += values.Length;
        }

        public void Return() => ArrayPool<byte>.Shared.Return(_bytes);

        private void GrowBy(int more)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_bytes.Length * 2, Length + more));
            _bytes.AsSpan(0, Length).CopyTo(larger);
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = larger;
        }
    }
}

/// <summary>The text has no canonical form, and why.</summary>
public sealed class CanonicalJsonException(string message) : FormatException(message);
