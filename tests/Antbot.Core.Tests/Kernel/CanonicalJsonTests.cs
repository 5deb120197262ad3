using System.Buffers;
using System.Diagnostics;
using System.Text;
using Antbot.Kernel.Proof;
using Xunit;

namespace Antbot.Core.Tests.Kernel;

public sealed class CanonicalJsonTests
{
    [Theory]
    [InlineData("0", "0")]
    [InlineData("-0", "0")]
    [InlineData("-0.00", "0.00")]
    [InlineData("-0e3", "0")]
    [InlineData("0e-3", "0.000")]
    [InlineData("-0.0E-1", "0.00")]
    [InlineData("1e-7", "0.0000001")]
    [InlineData("-1e-7", "-0.0000001")]
    [InlineData("1E+2", "100")]
    [InlineData("1.50e1", "15.0")]
    [InlineData("1.50e2", "150")]
    [InlineData("1.50e3", "1500")]
    [InlineData("0.0150e2", "1.50")]
    [InlineData("0.0150e1", "0.150")]
    [InlineData("12.5e-3", "0.0125")]
    [InlineData("1e00000000000000000000002", "100")]
    [InlineData("79228162514264337593543950335", "79228162514264337593543950335")]
    [InlineData("1.5", "1.5")]
    [InlineData("1.50", "1.50")]
    public void Numbers_are_written_out_and_keep_their_scale(string number, string canonical) => Assert.Equal(canonical, Canonical(number));

    [Fact]
    public void Exponents_are_written_out_up_to_a_limit_and_refused_beyond_it()
    {
        Assert.Equal("1" + new string('0', 1000), Canonical("1e1000"));
        Assert.Equal($"0.{new string('0', 999)}1", Canonical("1e-1000"));
        Assert.Contains("exponent", Refusal("1e1001"), StringComparison.Ordinal);
        Assert.Contains("exponent", Refusal("1e-1001"), StringComparison.Ordinal);
        Assert.Contains("exponent", Refusal("1e99999999999999999999999"), StringComparison.Ordinal);
        Assert.Contains("digits", Refusal(new string('1', 1001) + "e1"), StringComparison.Ordinal);
        Assert.Equal(new string('1', 1000) + "0", Canonical(new string('1', 1000) + "e1"));
    }

    /// <summary>Its numeric refuses them with an error that would end a whole batch, while the other engines would keep them.</summary>
    [Fact]
    public void A_plain_number_that_PostgreSQL_cannot_hold_is_refused_at_the_edge()
    {
        var longest = $"0.{new string('9', CanonicalJson.NumberLengthMax - 2)}";
        Assert.Equal(longest, Canonical(longest));
        Assert.Equal(new string('9', CanonicalJson.NumberLengthMax), Canonical(new string('9', CanonicalJson.NumberLengthMax)));
        Assert.Contains("characters", Refusal(longest + "9"), StringComparison.Ordinal);
        Assert.Contains("characters", Refusal($"-{longest}"), StringComparison.Ordinal);
        // Leading zeros of an exponent are characters too.
        Assert.Contains("characters", Refusal($"1e{new string('0', CanonicalJson.NumberLengthMax)}"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("\"\\u0061\"", "\"a\"")]
    [InlineData("\"\\/\"", "\"/\"")]
    [InlineData("\"\\u0022\\u005C\\u0008\\u0009\\u000a\\u000C\\u000d\"", """ "\"\\\b\t\n\f\r" """)]
    [InlineData("\"\\u001F\\u0001\"", "\"\\u001f\\u0001\"")]
    [InlineData("\"\\u007f\"", "\"\u007f\"")]
    [InlineData("\"\\ud83d\\ude00\"", "\"😀\"")]
    [InlineData("\"\\u2028<>&'+\"", "\"\u2028<>&'+\"")]
    public void Strings_take_the_shortest_escapes(string text, string canonical) => Assert.Equal(canonical.Trim(), Canonical(text));

    [Fact]
    public void Keys_stand_in_the_order_of_their_bytes_at_every_depth()
    {
        Assert.Equal("""{"a":{"x":1,"y":[{"p":1,"q":2}]},"b":2}""", Canonical("""{"b":2,"a":{"y":[{"q":2,"p":1}],"x":1}}"""));
        // In UTF-16 the pair would come before U+E000.
        Assert.Equal("{\"\ue000\":1,\"😀\":2}", Canonical("{\"😀\":2,\"\ue000\":1}"));
        Assert.Equal("""{"":0,"A":1,"a":2,"aa":3}""", Canonical("""{"aa":3,"a":2,"A":1,"":0}"""));
    }

    /// <summary>The closing quote (0x22) sorts behind a space and an exclamation mark; it is not part of the key.</summary>
    [Fact]
    public void A_key_comes_before_the_longer_key_that_begins_with_it_whatever_follows() =>
        Assert.Equal("""{"a":1,"a ":2,"a!":3,"a\"":4,"aa":5}""", Canonical("""{"aa":5,"a\"":4,"a!":3,"a ":2,"a":1}"""));

    [Theory]
    [InlineData(2)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(32)]
    [InlineData(33)]
    [InlineData(500)]
    public void Any_number_of_keys_is_sorted(int count)
    {
        var keys = Enumerable.Range(0, count).Select(i => $"k{i * 7919 % count:D4}").ToList();
        var sorted = keys.Order(StringComparer.Ordinal).ToList();
        Assert.Equal(Object(sorted), Canonical(Object(keys)));
        Assert.Equal(Object(sorted), Canonical(Object(sorted.AsEnumerable().Reverse())));
    }

    [Theory]
    [InlineData(3, "k001")]
    [InlineData(3, "\\u006b001")]
    [InlineData(40, "k001")]
    [InlineData(40, "\\u006b001")]
    public void A_repeated_key_is_refused_however_many_there_are_and_however_it_is_spelled(int count, string again)
    {
        var keys = Enumerable.Range(0, count).Select(i => $"k{i:D3}").ToList();
        Assert.Equal("An object holds a key twice.", Refusal(Object(keys.Append(again))));
        Assert.Equal("An object holds a key twice.", Refusal(Object(keys.Take(2).Append(again).Concat(keys.Skip(2)))));
        Assert.Equal("An object holds a key twice.", Refusal($"[{{\"in\":{Object(keys.Prepend(again))}}}]"));
        Assert.Equal(Object(keys), Canonical(Object(keys)));
    }

    [Fact]
    public void The_same_key_in_different_objects_is_no_repetition() =>
        Assert.Equal("""{"a":{"a":{"a":1}},"b":[{"a":1},{"a":2}]}""", Canonical("""{"b":[{"a":1},{"a":2}],"a":{"a":{"a":1}}}"""));

    [Theory]
    [InlineData("\"\\u0000\"", "NUL")]
    [InlineData("{\"a\\u0000\":1}", "NUL")]
    [InlineData("\"\\ud800\"", "surrogate")]
    [InlineData("\"\\udc00\"", "surrogate")]
    [InlineData("\"\\ude00\\ud83d\"", "surrogate")]
    [InlineData("{\"\\ud800x\":1}", "surrogate")]
    [InlineData("", "not JSON")]
    [InlineData("   ", "not JSON")]
    [InlineData("{", "not JSON")]
    [InlineData("[1,]", "not JSON")]
    [InlineData("{\"a\":1,}", "not JSON")]
    [InlineData("{\"a\"}", "not JSON")]
    [InlineData("{a:1}", "not JSON")]
    [InlineData("1 2", "not JSON")]
    [InlineData("{}x", "not JSON")]
    [InlineData("NaN", "not JSON")]
    [InlineData("Infinity", "not JSON")]
    [InlineData("01", "not JSON")]
    [InlineData("+1", "not JSON")]
    [InlineData("1.", "not JSON")]
    [InlineData(".5", "not JSON")]
    [InlineData("1e", "not JSON")]
    [InlineData("\"a\nb\"", "not JSON")]
    [InlineData("/* */1", "not JSON")]
    [InlineData("\ufeff1", "not JSON")]
    public void What_has_no_canonical_form_is_refused_with_its_reason(string json, string reason) =>
        Assert.Contains(reason, Refusal(json), StringComparison.Ordinal);

    [Theory]
    [InlineData(0xC3, 0x28)]
    [InlineData(0xC0, 0x80)]
    [InlineData(0xED, 0xA0, 0x80)]
    [InlineData(0xF5, 0x80, 0x80, 0x80)]
    [InlineData(0xE2, 0x82)]
    [InlineData(0xFF)]
    public void Invalid_UTF_8_is_refused(params int[] bytes)
    {
        var json = new[] { (byte)'"' }.Concat(bytes.Select(b => (byte)b)).Append((byte)'"').ToArray();
        var e = Assert.Throws<CanonicalJsonException>(() => CanonicalJson.From(json));
        Assert.Equal("The text is not valid UTF-8.", e.Message);
    }

    [Fact]
    public void Nesting_is_followed_to_its_limit_and_refused_beyond()
    {
        static string Lists(int depth) => new string('[', depth) + new string(']', depth);
        static string Maps(int depth) => string.Concat(Enumerable.Repeat("{\"b\":1,\"a\":", depth)) + "0" + new string('}', depth);
        Assert.Equal(Lists(CanonicalJson.DepthMax), Canonical(Lists(CanonicalJson.DepthMax)));
        Assert.StartsWith("{\"a\":{\"a\":", Canonical(Maps(CanonicalJson.DepthMax)), StringComparison.Ordinal);
        Assert.Contains("not JSON", Refusal(Lists(CanonicalJson.DepthMax + 1)), StringComparison.Ordinal);
        Assert.Contains("not JSON", Refusal(Maps(CanonicalJson.DepthMax + 1)), StringComparison.Ordinal);
        Assert.Contains("not JSON", Refusal(new string('[', 1_000_000)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_value_leaves_nothing_in_the_output()
    {
        var output = new ArrayBufferWriter<byte>();
        Assert.Throws<CanonicalJsonException>(() => CanonicalJson.Write("""{"a":1,"a":2}"""u8, output));
        Assert.Equal(0, output.WrittenCount);
        CanonicalJson.Write("""{ "b" : 1 }"""u8, output);
        CanonicalJson.Write("[ ]"u8, output);
        Assert.Equal("{\"b\":1}[]", Encoding.UTF8.GetString(output.WrittenSpan));
    }

    /// <summary>The worst shapes a body at the limit can have: a quadratic path would take minutes.</summary>
    [Fact]
    public void A_megabyte_of_the_worst_shape_takes_no_more_than_seconds()
    {
        var manyKeys = Object(Enumerable.Range(0, 70_000).Select(i => $"k{70_000 - i:D6}"));
        var manySmall = $"[{string.Join(',', Enumerable.Repeat("{\"b\":1,\"a\":2}", 70_000))}]";
        var deep = string.Concat(Enumerable.Repeat("{\"b\":1,\"a\":", 63)) + $"\"{new string('x', 900_000)}\"" + new string('}', 63);
        var escapes = $"\"{string.Concat(Enumerable.Repeat("\\u0061", 170_000))}\"";
        var numbers = $"[{string.Join(',', Enumerable.Repeat("1e1000", 1_000))}]";
        foreach (var json in new[] { manyKeys, manySmall, deep, escapes, numbers })
        {
            var watch = Stopwatch.StartNew();
            Canonical(json);
            Assert.True(watch.Elapsed < TimeSpan.FromSeconds(5), $"{json[..40]}… took {watch.Elapsed}");
        }
    }

    private static string Object(IEnumerable<string> keys) => $"{{{string.Join(',', keys.Select(k => $"\"{k}\":1"))}}}";

    private static string Canonical(string json) => Encoding.UTF8.GetString(CanonicalJson.From(Encoding.UTF8.GetBytes(json)));

    private static string Refusal(string json) =>
        Assert.Throws<CanonicalJsonException>(() => CanonicalJson.From(Encoding.UTF8.GetBytes(json))).Message;
}
