using System.Numerics;
using System.Security.Cryptography;

namespace Antbot.PaperVenue.Http;

/// <summary>
/// Checks Ed25519 signatures by RFC 8032; the base library has none and no package for it is to be had everywhere. It only ever sees what is
/// public, a key's public half, a message and a signature, so nothing here has to take the same time for every value. It signs nothing.
/// </summary>
internal static class Ed25519
{
    public const int SignatureBytes = 64;
    public const int KeyBytes = 32;

    /// <summary>What stands before the 32 bytes in a SubjectPublicKeyInfo.</summary>
    private static ReadOnlySpan<byte> KeyHead => [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

    private static readonly BigInteger Prime = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger Order = BigInteger.Pow(2, 252) + BigInteger.Parse("27742317777372353535851937790883648493");
    private static readonly BigInteger CurveD = Modulo(-121_665 * Inverse(121_666));
    private static readonly BigInteger RootOfMinusOne = BigInteger.ModPow(2, (Prime - 1) / 4, Prime);
    private static readonly Point Base = FromAffine(FindX(Modulo(4 * Inverse(5)), odd: false)!.Value, Modulo(4 * Inverse(5)));
    private static readonly Element TwoD = Element.From(Modulo(2 * CurveD));

    /// <summary>Out of PEM, as <c>openssl pkey -pubout</c> writes it.</summary>
    public static bool TryReadPublicKey(string pem, out byte[] key)
    {
        key = [];
        if (pem.Length > 1_000 || !PemEncoding.TryFind(pem, out var fields) || !pem.AsSpan()[fields.Label].SequenceEqual("PUBLIC KEY"))
            return false;
        Span<byte> bytes = stackalloc byte[KeyBytes + 12];
        if (!Convert.TryFromBase64Chars(pem.AsSpan()[fields.Base64Data], bytes, out var written) || written != bytes.Length || !bytes.StartsWith(KeyHead))
            return false;
        key = bytes[KeyHead.Length..].ToArray();
        return TryDecode(key, out _);
    }

    public static bool Verify(ReadOnlySpan<byte> publicKey, ReadOnlySpan<byte> message, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureBytes || publicKey.Length != KeyBytes || !TryDecode(publicKey, out var owner))
            return false;
        var s = new BigInteger(signature[KeyBytes..], isUnsigned: true);
        // A larger one would be a second signature for the same message.
        if (s >= Order)
            return false;
        byte[] hashed = [.. signature[..KeyBytes], .. publicKey, .. message];
        var k = new BigInteger(SHA512.HashData(hashed), isUnsigned: true) % Order;
        Span<byte> found = stackalloc byte[KeyBytes];
        SumOfProducts(s, Base, k, owner.Negated()).Encode(found);
        return found.SequenceEqual(signature[..KeyBytes]);
    }

    /// <summary>Both products in one walk over the bits.</summary>
    private static Point SumOfProducts(BigInteger a, in Point p, BigInteger b, in Point q)
    {
        var both = p.Plus(q);
        var sum = Point.Zero;
        for (var bit = (int)Math.Max(a.GetBitLength(), b.GetBitLength()) - 1; bit >= 0; bit--)
        {
            sum = sum.Plus(sum);
            sum = ((a >> bit).IsEven, (b >> bit).IsEven) switch
            {
                (false, false) => sum.Plus(both),
                (false, true) => sum.Plus(p),
                (true, false) => sum.Plus(q),
                (true, true) => sum,
            };
        }
        return sum;
    }

    private static bool TryDecode(ReadOnlySpan<byte> bytes, out Point point)
    {
        point = default;
        Span<byte> y = stackalloc byte[KeyBytes];
        bytes.CopyTo(y);
        y[^1] &= 0x7F;
        var affine = new BigInteger(y, isUnsigned: true);
        if (affine >= Prime || FindX(affine, odd: bytes[^1] >= 0x80) is not { } x)
            return false;
        point = FromAffine(x, affine);
        return true;
    }

    /// <summary>The x that belongs to a y on the curve; null where there is none.</summary>
    private static BigInteger? FindX(BigInteger y, bool odd)
    {
        var square = Modulo((y * y - 1) * Inverse(Modulo(CurveD * y * y + 1)));
        var x = BigInteger.ModPow(square, (Prime + 3) / 8, Prime);
        if (Modulo(x * x - square) != 0)
            x = Modulo(x * RootOfMinusOne);
        if (Modulo(x * x - square) != 0 || (x.IsZero && odd))
            return null;
        return x.IsEven == odd ? Prime - x : x;
    }

    private static Point FromAffine(BigInteger x, BigInteger y) => new(Element.From(x), Element.From(y), Element.One, Element.From(Modulo(x * y)));

    private static BigInteger Modulo(BigInteger value) => ((value % Prime) + Prime) % Prime;

    private static BigInteger Inverse(BigInteger value) => BigInteger.ModPow(value, Prime - 2, Prime);

    /// <summary>Extended coordinates: x = X/Z, y = Y/Z, xy = T/Z.</summary>
    private readonly record struct Point(Element X, Element Y, Element Z, Element T)
    {
        public static Point Zero { get; } = new(default, Element.One, Element.One, default);

        /// <summary>Complete: it doubles too, and takes the neutral point.</summary>
        public Point Plus(in Point other)
        {
            var a = (Y - X) * (other.Y - other.X);
            var b = (Y + X) * (other.Y + other.X);
            var c = T * TwoD * other.T;
            var d = (Z + Z) * other.Z;
            var (e, f, g, h) = (b - a, d - c, d + c, b + a);
            return new Point(e * f, g * h, f * g, e * h);
        }

        public Point Negated() => new(default(Element) - X, Y, Z, default(Element) - T);

        public void Encode(Span<byte> bytes)
        {
            var inverse = Inverse(Z.ToInteger());
            var (x, y) = (Modulo(X.ToInteger() * inverse), Modulo(Y.ToInteger() * inverse));
            bytes.Clear();
            y.TryWriteBytes(bytes, out _, isUnsigned: true);
            if (!x.IsEven)
                bytes[^1] |= 0x80;
        }
    }

    /// <summary>A number modulo the prime in five words of 51 bits, each with room to spare.</summary>
    private readonly record struct Element(ulong A, ulong B, ulong C, ulong D, ulong E)
    {
        private const int Bits = 51;
        private const ulong Mask = (1UL << Bits) - 1;

        public static Element One { get; } = new(1, 0, 0, 0, 0);

        public static Element From(BigInteger value) => new(
            (ulong)(value & Mask), (ulong)((value >> 51) & Mask), (ulong)((value >> 102) & Mask), (ulong)((value >> 153) & Mask), (ulong)((value >> 204) & Mask));

        public BigInteger ToInteger() => Modulo(A + ((BigInteger)B << 51) + ((BigInteger)C << 102) + ((BigInteger)D << 153) + ((BigInteger)E << 204));

        public static Element operator +(in Element x, in Element y) => Carried((UInt128)x.A + y.A, (UInt128)x.B + y.B, (UInt128)x.C + y.C, (UInt128)x.D + y.D, (UInt128)x.E + y.E);

        /// <summary>Four times the prime is added first, so that no word goes below zero.</summary>
        public static Element operator -(in Element x, in Element y)
        {
            const ulong First = (Mask - 18) * 4;
            const ulong Other = Mask * 4;
            return Carried(
                (UInt128)x.A + First - y.A, (UInt128)x.B + Other - y.B, (UInt128)x.C + Other - y.C, (UInt128)x.D + Other - y.D, (UInt128)x.E + Other - y.E);
        }

        /// <summary>What goes over the fifth word comes back nineteenfold into the first.</summary>
        public static Element operator *(in Element x, in Element y)
        {
            var (b, c, d, e) = (y.B * 19, y.C * 19, y.D * 19, y.E * 19);
            return Carried(
                Times(x.A, y.A) + Times(x.B, e) + Times(x.C, d) + Times(x.D, c) + Times(x.E, b),
                Times(x.A, y.B) + Times(x.B, y.A) + Times(x.C, e) + Times(x.D, d) + Times(x.E, c),
                Times(x.A, y.C) + Times(x.B, y.B) + Times(x.C, y.A) + Times(x.D, e) + Times(x.E, d),
                Times(x.A, y.D) + Times(x.B, y.C) + Times(x.C, y.B) + Times(x.D, y.A) + Times(x.E, e),
                Times(x.A, y.E) + Times(x.B, y.D) + Times(x.C, y.C) + Times(x.D, y.B) + Times(x.E, y.A));
        }

        private static UInt128 Times(ulong x, ulong y)
        {
            var high = Math.BigMul(x, y, out var low);
            return new UInt128(high, low);
        }

        private static Element Carried(UInt128 a, UInt128 b, UInt128 c, UInt128 d, UInt128 e)
        {
            b += a >> Bits;
            c += b >> Bits;
            d += c >> Bits;
            e += d >> Bits;
            var first = ((ulong)a & Mask) + ((ulong)(e >> Bits) * 19);
            return new Element(first & Mask, ((ulong)b & Mask) + (first >> Bits), (ulong)c & Mask, (ulong)d & Mask, (ulong)e & Mask);
        }
    }
}
