namespace Antbot.PaperVenue;

/// <summary>Why a text is not a <see cref="Fixed8"/>.</summary>
public enum NumberFault
{
    None,
    Malformed,
    TooPrecise,
    TooLarge,
}

/// <summary>A price, an amount or a quantity: a whole number of hundred-millionths, so that matching is exact and fast.</summary>
public readonly record struct Fixed8(long Units) : IComparable<Fixed8>
{
    public const int Decimals = 8;
    public const long One = 100_000_000;

    /// <summary>Enough for any value: a sign, eleven digits, a point, eight digits.</summary>
    public const int MaxLength = 24;

    public static Fixed8 Zero { get; }

    public bool IsZero => Units == 0;

    public bool IsPositive => Units > 0;

    public static Fixed8 Parse(string text) =>
        TryParse(text, out var value) == NumberFault.None ? value : throw new FormatException($"'{text}' is not a number with at most {Decimals} decimals.");

    /// <summary>Digits with an optional fraction; no sign, no exponent.</summary>
    public static NumberFault TryParse(ReadOnlySpan<char> text, out Fixed8 value)
    {
        value = default;
        var point = text.IndexOf('.');
        var whole = point < 0 ? text : text[..point];
        var fraction = point < 0 ? default : text[(point + 1)..];
        if (whole.IsEmpty || whole.Length > 20 || fraction.Length > 20 || (point >= 0 && fraction.IsEmpty) || whole.ContainsAnyExceptInRange('0', '9') || fraction.ContainsAnyExceptInRange('0', '9'))
            return NumberFault.Malformed;
        Int128 units = 0;
        foreach (var digit in whole)
            units = (units * 10) + (digit - '0');
        for (var i = 0; i < Decimals; i++)
            units = (units * 10) + (i < fraction.Length ? fraction[i] - '0' : 0);
        if (fraction.Length > Decimals && fraction[Decimals..].ContainsAnyExcept('0'))
            return NumberFault.TooPrecise;
        if (units > long.MaxValue)
            return NumberFault.TooLarge;
        value = new Fixed8((long)units);
        return NumberFault.None;
    }

    /// <summary>The product, cut to eight decimals; exact wherever price and quantity keep their instrument's steps.</summary>
    public Fixed8 Times(Fixed8 other)
    {
        // Nearly every product fits a word, and dividing two is ten times as slow.
        var high = Math.BigMul(Units, other.Units, out var low);
        return new Fixed8(high == 0 && low >= 0 ? low / One : checked((long)((Int128)Units * other.Units / One)));
    }

    /// <summary>Whether <see cref="Times"/> can hold the product.</summary>
    public bool CanMultiply(Fixed8 other) => Math.BigMul(Units, other.Units, out _) < One / 2;

    /// <summary>How often <paramref name="price"/> goes into this amount, cut to eight decimals.</summary>
    public Fixed8 DividedBy(Fixed8 price) => new(checked((long)((Int128)Units * One / price.Units)));

    /// <summary>The largest multiple of <paramref name="step"/> that is not above this.</summary>
    public Fixed8 FloorTo(Fixed8 step) => new(Units - (Units % step.Units));

    public bool IsMultipleOf(Fixed8 step) => Units % step.Units == 0;

    public int CompareTo(Fixed8 other) => Units.CompareTo(other.Units);

    public static Fixed8 Min(Fixed8 a, Fixed8 b) => a.Units <= b.Units ? a : b;

    public static Fixed8 operator +(Fixed8 a, Fixed8 b) => new(checked(a.Units + b.Units));

    public static Fixed8 operator -(Fixed8 a, Fixed8 b) => new(checked(a.Units - b.Units));

    public static Fixed8 operator -(Fixed8 a) => new(checked(-a.Units));

    public static bool operator <(Fixed8 a, Fixed8 b) => a.Units < b.Units;

    public static bool operator >(Fixed8 a, Fixed8 b) => a.Units > b.Units;

    public static bool operator <=(Fixed8 a, Fixed8 b) => a.Units <= b.Units;

    public static bool operator >=(Fixed8 a, Fixed8 b) => a.Units >= b.Units;

    /// <summary>Always with eight decimals, as the venue writes them; the number of bytes written.</summary>
    public int Format(Span<byte> utf8)
    {
        var length = 0;
        // long.MinValue has no positive counterpart, its magnitude has.
        var magnitude = Units < 0 ? (ulong)-(Units + 1) + 1 : (ulong)Units;
        if (Units < 0)
            utf8[length++] = (byte)'-';
        var whole = magnitude / One;
        var fraction = magnitude % One;
        System.Buffers.Text.Utf8Formatter.TryFormat(whole, utf8[length..], out var written);
        length += written;
        utf8[length++] = (byte)'.';
        for (var i = Decimals - 1; i >= 0; i--)
        {
            utf8[length + i] = (byte)('0' + (int)(fraction % 10));
            fraction /= 10;
        }
        return length + Decimals;
    }

    public override string ToString()
    {
        Span<byte> utf8 = stackalloc byte[MaxLength];
        return System.Text.Encoding.ASCII.GetString(utf8[..Format(utf8)]);
    }
}
