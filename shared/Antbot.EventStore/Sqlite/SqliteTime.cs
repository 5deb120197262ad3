using System.Text;
using Antbot.Kernel.Time;

namespace Antbot.EventStore.Sqlite;

/// <summary>Times as text of one width, so that they sort as they are: <c>2026-08-01T12:00:00.000000Z</c>.</summary>
internal static class SqliteTime
{
    public const int Length = 27;

    private const string Pattern = "0000-00-00T00:00:00.000000Z";

    public static void Format(DateTimeOffset time, Span<byte> text)
    {
        var utc = time.Cut();
        Write(text[..4], utc.Year);
        text[4] = (byte)'-';
        Write(text[5..7], utc.Month);
        text[7] = (byte)'-';
        Write(text[8..10], utc.Day);
        text[10] = (byte)'T';
        Write(text[11..13], utc.Hour);
        text[13] = (byte)':';
        Write(text[14..16], utc.Minute);
        text[16] = (byte)':';
        Write(text[17..19], utc.Second);
        text[19] = (byte)'.';
        Write(text[20..26], utc.Millisecond * 1000 + utc.Microsecond);
        text[26] = (byte)'Z';
    }

    public static string Format(DateTimeOffset time)
    {
        Span<byte> text = stackalloc byte[Length];
        Format(time, text);
        return Encoding.ASCII.GetString(text);
    }

    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        if (!Fits(text))
            return false;
        var (year, month, day) = (Read(text[..4]), Read(text[5..7]), Read(text[8..10]));
        var (hour, minute, second) = (Read(text[11..13]), Read(text[14..16]), Read(text[17..19]));
        if (year == 0 || month is 0 or > 12 || day == 0 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59)
            return false;
        time = new DateTimeOffset(year, month, day, hour, minute, second, TimeSpan.Zero).AddTicks(Read(text[20..26]) * TimeSpan.TicksPerMicrosecond);
        return true;
    }

    private static bool Fits(ReadOnlySpan<byte> text)
    {
        if (text.Length != Length)
            return false;
        for (var i = 0; i < Length; i++)
        {
            var fits = Pattern[i] == '0' ? text[i] is >= (byte)'0' and <= (byte)'9' : text[i] == Pattern[i];
            if (!fits)
                return false;
        }
        return true;
    }

    private static int Read(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var digit in digits)
            value = value * 10 + (digit - '0');
        return value;
    }

    private static void Write(Span<byte> digits, int value)
    {
        for (var i = digits.Length - 1; i >= 0; i--, value /= 10)
            digits[i] = (byte)('0' + value % 10);
    }
}
