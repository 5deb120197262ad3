using System.Diagnostics;
using System.Text;
using Antbot.Kernel.Proof;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

public sealed class CanonicalJsonFuzzTests
{
    private const int Rounds = 20_000;

    private static readonly byte[][] Corpus =
    [
        .. new[]
        {
            """{"OrderId":"7f3a","Price":1.50,"Quantity":1e-7,"Side":0,"Note":null,"Open":true}""",
            """{"b":[1,-0,2.50E+3,{"z":"\u0041\/\n","y":"\ud83d\ude00"}],"a":{"":{},"é":[]}}""",
            "[[[[[[[[1]]]]]]],\"\\\\\\\"\"]",
            "\"\\u0000\\ud800\"",
            "-123456789.000000001e-25",
            $"{{{string.Join(',', Enumerable.Range(0, 40).Select(i => $"\"k{i * 17 % 40}\":{i}"))}}}",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly byte[][] Pieces =
    [
        .. new[] { "{", "}", "[", "]", ",", ":", "\"", "\\", "\\u", "\\ud83d", "\\u0000", "e", "E+", "e-999999999", "-", ".", "0", "00", "9999", "1e1000", "null", "tru", " ", "\n", "\"k1\":1,", "🐜" }
            .Select(Encoding.UTF8.GetBytes),
        [0], [0xFF], [0xC3], [0xED, 0xA0, 0x80], [0xEF, 0xBB, 0xBF],
    ];

    [Fact]
    public void Whatever_the_bytes_there_is_a_canonical_form_or_a_reason()
    {
        var accepted = 0;
        var watch = new Stopwatch();
        for (var seed = 0; seed < Rounds; seed++)
        {
            var bytes = Mutant(seed);
            watch.Restart();
            if (Accepts(bytes, seed))
                accepted++;
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"seed {seed}: {Convert.ToHexString(bytes)} took {watch.Elapsed}");
        }
        // Neither answer alone would show that the mutants reach far into the code.
        Assert.InRange(accepted, Rounds / 20, Rounds * 19 / 20);
    }

    private static bool Accepts(byte[] bytes, int seed)
    {
        try
        {
            var canonical = CanonicalJson.From(bytes);
            Assert.True(canonical.AsSpan().SequenceEqual(CanonicalJson.From(canonical)), $"seed {seed}: the canonical form of {Convert.ToHexString(bytes)} has another canonical form");
            return true;
        }
        catch (CanonicalJsonException e)
        {
            Assert.NotEmpty(e.Message);
            return false;
        }
        catch (Exception e) when (e is not Xunit.Sdk.IAssertionException)
        {
            throw new InvalidOperationException($"seed {seed}: {Convert.ToHexString(bytes)} gave {e.GetType().Name}", e);
        }
    }

    private static byte[] Mutant(int seed)
    {
        var random = new Random(seed);
        var bytes = new List<byte>(Corpus[random.Next(Corpus.Length)]);
        for (var i = random.Next(5); i >= 0; i--)
            Mutate(bytes, random);
        return [.. bytes];
    }

    private static void Mutate(List<byte> bytes, Random random)
    {
        var at = random.Next(bytes.Count + 1);
        var length = Math.Min(random.Next(1, 9), bytes.Count - at);
        switch (random.Next(7))
        {
            case 0: bytes.RemoveRange(at, length); break;
            case 1: bytes.InsertRange(at, Pieces[random.Next(Pieces.Length)]); break;
            case 2 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
            case 3 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
            case 4: bytes.InsertRange(random.Next(bytes.Count + 1), bytes.GetRange(at, length)); break;
            case 5 when at < bytes.Count && char.IsAsciiDigit((char)bytes[at]): bytes[at] = (byte)('0' + random.Next(10)); break;
            default: bytes.Insert(at, (byte)" \n,:09eE-."[random.Next(10)]); break;
        }
    }
}
