using Antbot.PaperVenue;
using Antbot.PaperVenue.Http;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>Keys of every kind: what they sign with and what they may.</summary>
public sealed class KeyTests(SharedVenue shared) : IClassFixture<SharedVenue>
{
    private VenueClient Client => shared.Venue.Client;

    /// <summary>The test vectors of RFC 8032, 7.1.</summary>
    [Theory]
    [InlineData("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b")]
    [InlineData("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72", "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00")]
    [InlineData("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82", "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a")]
    public void A_signature_of_the_standard_is_right_and_every_changed_one_is_not(string key, string message, string signature)
    {
        var (publicKey, text, signed) = (Convert.FromHexString(key), Convert.FromHexString(message), Convert.FromHexString(signature));
        Assert.True(Ed25519.Verify(publicKey, text, signed));
        for (var i = 0; i < signed.Length; i++)
        {
            var changed = signed.ToArray();
            changed[i] ^= (byte)(1 << (i % 8));
            Assert.False(Ed25519.Verify(publicKey, text, changed));
        }
        Assert.False(Ed25519.Verify(publicKey, [.. text, 0], signed));
        Assert.False(Ed25519.Verify(publicKey, text, signed[..^1]));
    }

    /// <summary>The same signature with the group's order added would be a second one for the same message.</summary>
    [Fact]
    public void A_signature_that_is_right_but_not_in_its_one_form_is_refused()
    {
        var order = System.Numerics.BigInteger.Pow(2, 252) + System.Numerics.BigInteger.Parse("27742317777372353535851937790883648493");
        var signature = Convert.FromHexString("e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
        var again = new System.Numerics.BigInteger(signature.AsSpan(32), isUnsigned: true) + order;
        again.TryWriteBytes(signature.AsSpan(32), out _, isUnsigned: true);
        Assert.False(Ed25519.Verify(Convert.FromHexString("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"), [], signature));
    }

    /// <summary>Signed by openssl 3 with a key that was thrown away, for a venue whose clock stands still.</summary>
    [Theory]
    [InlineData(0, "FB5A6MORIx7Oz/gyhC4DqfHWd883Hz66nhyaBF7VjAaatXbBOHBuqKQx5ShHilS9g4Dmv8V/aig+4/9UkJx1Aw==")]
    [InlineData(1, "P8jN+uNY4aLJc+RFCno/NwpXRiq6hVwxJJOWJbvW68gk49VOlkzqD0U78UXopvi2Th2kf3Zwl8bzg2dTak9ICA==")]
    [InlineData(2, "7YblQfMrzLAhxqjnbXw6tcCXGl6zyIJTBfbaOsyl0u0a6b565um4h+YWj/6BCwB1qu2eAf8A0DSYgRZSAWpMAw==")]
    public async Task A_client_that_keeps_its_key_to_itself_trades_with_its_signature_alone(int number, string signature)
    {
        const string Pem = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAt+bEwiJDVQD36lHn0DgJNE+NWgXow+QDa+ATV7O3Pak=\n-----END PUBLIC KEY-----\n";
        await using var venue = await RunningVenue.StartAsync(clock: new StandingClock(DateTimeOffset.FromUnixTimeMilliseconds(1_767_225_600_000)));
        var added = await venue.Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", publicKey = Pem });
        Assert.Equal(("Ed25519", false), (added["signature"], added.Json.TryGetProperty("apiSecret", out _)));

        var query = $"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001&newClientOrderId=ed-{number}&timestamp=1767225600000";
        Assert.Equal(200, await SendAsync(query, signature));
        Assert.Equal(400, await SendAsync(query.Replace("0.001", "0.002", StringComparison.Ordinal), signature));
        Assert.Equal(400, await SendAsync(query, VenueClient.Sign(query, venue.Server.Key.Secret)));
        Assert.Equal(400, await SendAsync(query, "\0"));

        async Task<int> SendAsync(string query, string signature) =>
            (await venue.Client.SendAsync(HttpMethod.Post, $"/api/v3/order?{query}&signature={Uri.EscapeDataString(signature)}", apiKey: added["apiKey"])).Status;
    }

    [Fact]
    public async Task A_key_does_what_it_may_and_says_what_that_is()
    {
        using var reader = await NewClientAsync("read");
        Assert.Equal(200, (await reader.SignedAsync(HttpMethod.Get, "/api/v3/openOrders")).Status);
        var refused = await reader.BuyAsync("0.001");
        Assert.Equal((401, -2015), (refused.Status, refused.Code));
        Assert.Equal(-2015, (await reader.SignedAsync(HttpMethod.Delete, "/api/v3/openOrders", ("symbol", "BTCUSDT"))).Code);
        Assert.Equal(("False", "False"), await reader.SignedAsync(HttpMethod.Get, "/api/v3/account") is var account ? (account["canTrade"], account["canWithdraw"]) : default);

        using var rich = await NewClientAsync("read", "trade", "withdraw");
        Assert.Equal(200, (await rich.BuyAsync("0.001")).Status);
        Assert.Equal(("True", "True"), await rich.SignedAsync(HttpMethod.Get, "/api/v3/account") is var other ? (other["canTrade"], other["canWithdraw"]) : default);
        Assert.Equal("True", (await rich.SignedAsync(HttpMethod.Get, "/sapi/v1/account/apiRestrictions"))["enableWithdrawals"]);

        using var blind = await NewClientAsync("trade");
        Assert.Equal(-2015, (await blind.SignedAsync(HttpMethod.Get, "/api/v3/account")).Code);
    }

    [Fact]
    public async Task Keys_are_listed_without_secrets_outlive_a_restart_and_can_be_taken_back()
    {
        var folder = Directory.CreateTempSubdirectory("antbot-venue-");
        try
        {
            ApiKey key;
            await using (var venue = await RunningVenue.StartAsync(folder: folder.FullName))
            {
                var added = await venue.Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", permissions = new[] { "read" } });
                key = new ApiKey("main", added["apiKey"], added["apiSecret"]);
                var listed = await venue.Client.AdminAsync(HttpMethod.Get, "/admin/keys");
                Assert.Equal(2, listed.Json.GetArrayLength());
                Assert.DoesNotContain(key.Secret, listed.Json.GetRawText(), StringComparison.Ordinal);
                Assert.Equal(409, (await venue.Client.AdminAsync(HttpMethod.Delete, $"/admin/keys?apiKey={venue.Server.Key.Key}")).Status);
            }
            await using var again = await RunningVenue.StartAsync(folder: folder.FullName);
            using var client = new VenueClient(again.Server.Address, key);
            Assert.Equal(200, (await client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Status);
            Assert.Equal(-2015, (await client.BuyAsync("0.001")).Code);
            Assert.Equal(200, (await again.Client.AdminAsync(HttpMethod.Delete, $"/admin/keys?apiKey={key.Key}")).Status);
            Assert.Equal(-2015, (await client.SignedAsync(HttpMethod.Get, "/api/v3/account")).Code);
            Assert.Single(Directory.GetFiles(Path.Combine(folder.FullName, "keys")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [InlineData("""{"account":"nobody"}""", 404)]
    [InlineData("""{"account":"main","permissions":["rule"]}""", 400)]
    [InlineData("""{"account":"main","permissions":"read"}""", 400)]
    [InlineData("""{"account":"main","publicKey":"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----"}""", 400)]
    public async Task A_key_that_makes_no_sense_is_refused(string body, int status) =>
        Assert.Equal((status, -1102), await Client.SendAsync(HttpMethod.Post, "/admin/keys", new StringContent(body), adminKey: shared.Venue.Server.AdminKey) is var answer ? (answer.Status, answer.Code) : default);

    [Fact]
    public async Task The_admin_routes_are_at_their_own_port_alone()
    {
        var (venue, admin) = (shared.Venue.Server.Address, shared.Venue.Server.AdminAddress);
        Assert.NotEqual(venue.Port, admin.Port);
        using var http = new HttpClient { DefaultRequestHeaders = { { "X-Admin-Key", shared.Venue.Server.AdminKey } } };
        Assert.Equal(404, (int)(await http.GetAsync(new Uri(venue, "/admin/status"), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(200, (int)(await http.GetAsync(new Uri(admin, "/admin/status"), TestContext.Current.CancellationToken)).StatusCode);
        Assert.Equal(404, (int)(await http.GetAsync(new Uri(admin, "/api/v3/ping"), TestContext.Current.CancellationToken)).StatusCode);
    }

    private async Task<VenueClient> NewClientAsync(params string[] permissions)
    {
        var added = await Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", permissions });
        Assert.Equal(200, added.Status);
        return new VenueClient(shared.Venue.Server.Address, new ApiKey("main", added["apiKey"], added["apiSecret"]));
    }

    private sealed class StandingClock(DateTimeOffset at) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => at;
    }
}
