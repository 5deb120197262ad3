using System.Security.Cryptography;
using System.Text;
using Antbot.Runtime.Secrets;
using Antbot.Venues.Recording;
using Xunit;

namespace Antbot.Integration.Tests.Venues.Recordings;

public sealed class StrikeoutTests
{
    internal const string Key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A";
    internal const string Secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
    internal const string Odd = "a/b+c=\"d'e&f";
    private const string Signature = "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71";
    private const int Kept = 256;

    private readonly TrafficStrikeout _strikeout = new([Key, Secret, Odd], Kept);

    /// <summary>Secrets that are known, as they turn up.</summary>
    public static TheoryData<string> Known =>
    [
        $"{Key}",
        $"Authorization: Bearer {Secret} was refused",
        $"https://api.example/api/v3/order?symbol=BTCUSDT&apiKey={Key}&timestamp=5",
        $"twice {Secret}{Secret}",
        "a/b+c=\"d'e&f",
        "a\\/b+c=\"d'e&f",
        "a%2Fb%2Bc%3D%22d%27e%26f",
        "a/b\\u002Bc=\\u0022d\\u0027e\\u0026f",
        "a%2fb%2bc%3d%22d%27e%26f",
        "{\"msg\":\"a/b\\\\u002Bc=\\\\u0022d\\\\u0027e\\\\u0026f\"}",
        "a/b&#x2B;c=&quot;d&#x27;e&amp;f",
        $"Basic {Base64($"user:{Secret}")}",
        $"x={Base64($"{Secret} and more")}",
        $"x={Base64($":{Secret} and more")}",
        $"x={Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Secret))}",
    ];

    public static TheoryData<string> Signed => [$"signature={Signature}", "signature=C8DB56825AE71D6D79447849E617115F4A920FA2ACDCAB2B053C4B2838BD6B71"];

    [Theory]
    [MemberData(nameof(Known))]
    [MemberData(nameof(Signed))]
    public void Our_own_secrets_are_struck_out_however_they_are_written(string text)
    {
        var told = _strikeout.Text(text, Signature);
        foreach (var secret in new[] { Key, Secret, Signature, "a/b+c", "a%2Fb", "a%2fb", "a\\/b", "u0022d", "C8DB56825AE7", "a/b&#x2B;", "4e68715074", Base64(Secret)[4..40], Base64($":{Secret}")[4..40], Base64($"::{Secret}")[4..40] })
            Assert.DoesNotContain(secret, told, StringComparison.Ordinal);
        Assert.Contains("***", told, StringComparison.Ordinal);
        Assert.Equal(told, _strikeout.Body(Encoding.UTF8.GetBytes(text), Signature).Text);
    }

    /// <summary>What nobody knows, under the name of a secret.</summary>
    public static TheoryData<string> Named =>
    [
        """{"listenKey":"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}""",
        """{"listenKey" : "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"}""",
        """{"msg":"{\"listenKey\":\"pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1\"}"}""",
        "listenKey=pqia91ma19a5s61cv6a81va65sdf19v8a65a1&timestamp=1",
        "LISTENKEY%3Dpqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        "X-MBX-APIKEY: pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        "authorization: Basic pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        """{"api_secret":"pqia91ma19a5s61cv6a81va65sdf19v8a65a1"}""",
        "signature=pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        "token='pqia91ma19a5s61cv6a81va65sdf19v8a65a1'",
        "passphrase: pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        "pwd=pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        """{"refresh_token" : "pqia91ma19a5s61cv6a81va65sdf19v8a65a1"}""",
        """{"a":"{\"b\":\"{\\\"token\\\":\\\"pqia91ma19a5s61cv6a81va65sdf19v8a65a1\\\"}\"}"}""",
        """{"a":"{\u0022token\u0022:\u0022pqia91ma19a5s61cv6a81va65sdf19v8a65a1\u0022}"}""",
        """{"token":"abc\/def\u002Bpqia91ma19a5s61cv6a81va65sdf19v8a65a1"}""",
        """{"token":"abc\"def,pqia91ma19a5s61cv6a81va65sdf19v8a65a1"}""",
        "password='correct horse, pqia91ma19a5s61cv6a81va65sdf19v8a65a1 & so on'",
        "token%3D%22pqia91ma19a5s61cv6a81va65sdf19v8a65a1%22",
        "secret&quot;:&quot;pqia91ma19a5s61cv6a81va65sdf19v8a65a1&quot;",
        "PRIVATE_KEY=pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        "token => pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
        "wss://user:pqia91ma19a5s61cv6a81va65sdf19v8a65a1@broker/x",
        "wss://user:p@sspqia91ma19a5s61cv6a81va65sdf19v8a65a1@broker/x",
        "it said Bearer pqia91ma19a5s61cv6a81va65sdf19v8a65a1 aloud",
        "Authorization: Token pqia91ma19a5s61cv6a81va65sdf19v8a65a1",
    ];

    public static TheoryData<string> Harmless =>
    [
        "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.00100&newClientOrderId=e0-0123456789abcdef0123456789abcdef&recvWindow=5000&timestamp=1499827319559",
        """{"code":-1022,"msg":"Signature for this request is not valid."}""",
        """{"code":-2014,"msg":"API-key format invalid."}""",
        "the token bucket is full, and the key of the order is e0-1",
        """{"password":"","x":"https://binance.example/api?a=b"}""",
    ];

    [Theory]
    [MemberData(nameof(Named))]
    public void What_bears_a_secrets_name_is_struck_out_though_nobody_knows_it(string text)
    {
        var told = _strikeout.Text(text);
        Assert.DoesNotContain("pqia91ma19", told, StringComparison.Ordinal);
        Assert.Contains("***", told, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Harmless))]
    public void What_is_no_secret_stays_as_it_came(string text) => Assert.Equal(text, _strikeout.Text(text, Signature));

    [Fact]
    public void What_begins_within_a_secret_goes_with_it()
    {
        var strikeout = new Strikeout(["abcdefgh", "fghijklmn", "abcdef"]);
        Assert.Equal("<***> *** x *** abcde", strikeout.Strike("<abcdefghijklmn> ABCDEFGH x abcdef abcde"));
    }

    [Fact]
    public void What_is_longer_than_is_kept_is_cut_with_its_length_and_hash_told()
    {
        var body = Encoding.UTF8.GetBytes(new string('x', 10_000));
        Assert.Equal(new TrafficBody(new string('x', Kept), 10_000, Convert.ToHexStringLower(SHA256.HashData(body))), _strikeout.Body(body));
        Assert.Equal(new TrafficBody(new string('x', Kept), Kept), _strikeout.Body(body.AsSpan(0, Kept)));
    }

    /// <summary>Wherever the cut comes, and whatever was struck out before it: no part of a secret is left standing.</summary>
    [Fact]
    public void Nothing_of_a_secret_is_left_at_the_cut()
    {
        foreach (var before in new[] { "", Key, $"{Key}{Secret}", $"listenKey={Key}&" })
        {
            for (var at = 0; at < Kept + 80; at++)
            {
                var body = Encoding.UTF8.GetBytes($"{before}{new string('.', at)}{Secret}{new string('-', 500)}");
                var kept = _strikeout.Body(body, Signature).Text;
                Assert.DoesNotContain(kept, c => char.IsAsciiLetterOrDigit(c) && before.Length < 65);
                Assert.DoesNotContain(Secret[..6], kept, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void A_character_is_not_cut_in_two_and_what_is_no_text_keeps_its_bytes()
    {
        foreach (var filler in Enumerable.Range(0, 5).Select(i => new string('a', i)))
        {
            foreach (var letter in new[] { "ä", "€", "😀" })
            {
                var kept = _strikeout.Body(Encoding.UTF8.GetBytes(filler + string.Concat(Enumerable.Repeat(letter, 400))));
                Assert.False(kept.IsLatin1);
                Assert.StartsWith(filler + letter, kept.Text, StringComparison.Ordinal);
                Assert.False(char.IsHighSurrogate(kept.Text[^1]) || kept.Text.Contains('\uFFFD', StringComparison.Ordinal));
                Assert.InRange(kept.Text.Length, 60, Kept);
            }
        }
        byte[] bytes = [0, 0xFF, 0xC3, 0x28, (byte)'!'];
        var odd = _strikeout.Body(bytes);
        Assert.True(odd.IsLatin1);
        Assert.Equal(bytes, Encoding.Latin1.GetBytes(odd.Text));
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
