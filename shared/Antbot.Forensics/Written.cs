using System.Buffers;
using System.Text.Json;
using Antbot.Runtime.Store;

namespace Antbot.Forensics;

/// <summary>Whether two things are the same once they are written down: every digit, and nothing besides.</summary>
public static class Written
{
    [ThreadStatic]
    private static Pen? _one;

    [ThreadStatic]
    private static Pen? _other;

    public static bool Same(object one, object other)
    {
        ArgumentNullException.ThrowIfNull(one);
        ArgumentNullException.ThrowIfNull(other);
        return one.GetType() == other.GetType() && (_one ??= new Pen()).Write(one).SequenceEqual((_other ??= new Pen()).Write(other));
    }

    public static bool Same(IReadOnlyList<object> ones, IReadOnlyList<object> others)
    {
        if (ones.Count != others.Count)
            return false;
        for (var i = 0; i < ones.Count; i++)
        {
            if (!Same(ones[i], others[i]))
                return false;
        }
        return true;
    }

    /// <param name="stored">As they lie in the store. What says the same to the byte needs not be written again; what does not may still be the same, as where a database keeps it in another form.</param>
    public static bool Same(IReadOnlyList<object> ones, IReadOnlyList<object> others, IReadOnlyList<StoredEvent> stored)
    {
        if (ones.Count != others.Count || others.Count != stored.Count)
            return false;
        for (var i = 0; i < ones.Count; i++)
        {
            if (ones[i].GetType() != others[i].GetType() || (!(_one ??= new Pen()).Write(ones[i]).SequenceEqual(stored[i].Data.Span) && !Same(ones[i], others[i])))
                return false;
        }
        return true;
    }

    private sealed class Pen
    {
        private readonly ArrayBufferWriter<byte> _bytes = new(4 * 1024);
        private readonly Utf8JsonWriter _json;

        public Pen() => _json = new Utf8JsonWriter(_bytes, new JsonWriterOptions { SkipValidation = true });

        public ReadOnlySpan<byte> Write(object what)
        {
            _bytes.ResetWrittenCount();
            _json.Reset();
            JsonSerializer.Serialize(_json, what, what.GetType(), EventCodec.Json);
            _json.Flush();
            return _bytes.WrittenSpan;
        }
    }
}
