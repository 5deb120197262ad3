namespace Antbot.Kernel.Proof;

/// <summary>A JSON number without exponent and without negative zero; trailing zeros stay, because a decimal's scale is part of it.</summary>
internal static class CanonicalNumber
{
    public static void Write(ReadOnlySpan<byte> number, CanonicalJson.Buffer output)
    {
        if (number.Length > CanonicalJson.NumberLengthMax)
            throw new CanonicalJsonException($"A number has more than {CanonicalJson.NumberLengthMax} characters.");
        var negative = number[0] == '-';
        var digits = negative ? number[1..] : number;
        var mark = digits.IndexOfAny((byte)'e', (byte)'E');
        if (negative && IsZero(mark < 0 ? digits : digits[..mark]))
            negative = false;
        if (negative)
            output.Add((byte)'-');
        if (mark < 0)
            output.Add(digits);
        else
            WriteExpanded(digits[..mark], Exponent(digits[(mark + 1)..]), output);
    }

    private static bool IsZero(ReadOnlySpan<byte> digits) => digits.IndexOfAnyExcept((byte)'0', (byte)'.') < 0;

    private static int Exponent(ReadOnlySpan<byte> text)
    {
        var negative = text[0] == '-';
        if (text[0] is (byte)'-' or (byte)'+')
            text = text[1..];
        var value = 0;
        foreach (var b in text)
        {
            value = value * 10 + (b - '0');
            if (value > CanonicalJson.ExpandedNumberLengthMax)
                throw new CanonicalJsonException($"A number's exponent is beyond {CanonicalJson.ExpandedNumberLengthMax}.");
        }
        return negative ? -value : value;
    }

    private static void WriteExpanded(ReadOnlySpan<byte> mantissa, int exponent, CanonicalJson.Buffer output)
    {
        if (mantissa.Length > CanonicalJson.ExpandedNumberLengthMax)
            throw new CanonicalJsonException($"A number with an exponent has more than {CanonicalJson.ExpandedNumberLengthMax} digits.");
        Span<byte> digits = stackalloc byte[CanonicalJson.ExpandedNumberLengthMax];
        var point = mantissa.IndexOf((byte)'.');
        var whole = point < 0 ? mantissa : mantissa[..point];
        var fraction = point < 0 ? default : mantissa[(point + 1)..];
        whole.CopyTo(digits);
        fraction.CopyTo(digits[whole.Length..]);
        var all = digits[..(whole.Length + fraction.Length)];
        var scale = fraction.Length - exponent;
        if (scale <= 0)
        {
            WriteWhole(all, output);
            if (!IsZero(all))
                Zeros(-scale, output);
            return;
        }
        var split = all.Length - scale;
        WriteWhole(split > 0 ? all[..split] : default, output);
        output.Add((byte)'.');
        Zeros(Math.Max(0, -split), output);
        output.Add(all[Math.Max(0, split)..]);
    }

    private static void WriteWhole(ReadOnlySpan<byte> digits, CanonicalJson.Buffer output)
    {
        var trimmed = digits.TrimStart((byte)'0');
        output.Add(trimmed.IsEmpty ? "0"u8 : trimmed);
    }

    private static void Zeros(int count, CanonicalJson.Buffer output)
    {
        for (var i = 0; i < count; i++)
            output.Add((byte)'0');
    }
}
