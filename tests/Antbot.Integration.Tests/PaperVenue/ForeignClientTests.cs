using System.Diagnostics;
using System.Text.Json;
using Xunit;

namespace Antbot.Integration.Tests.PaperVenue;

/// <summary>A real exchange client from npm that is only given another address. <c>make test</c> leaves it out, and says so, where npm has it not.</summary>
[Trait("Needs", "npm-ccxt")]
public sealed class ForeignClientTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_unmodified_client_trades_on_the_venue(bool withItsOwnKey)
    {
        await using var venue = await RunningVenue.StartAsync();
        var folder = Path.Combine(RepositoryFolder.Root, "tests", "clients", "ccxt");
        Assert.True(Directory.Exists(Path.Combine(folder, "node_modules", "ccxt")), "The client is not installed: run build/clients.sh true.");
        using var node = Process.Start(new ProcessStartInfo("node", ["client.mjs", venue.Server.Address.ToString()])
        {
            WorkingDirectory = folder,
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience);
        try
        {
            var complaints = node.StandardError.ReadToEndAsync(limit.Token);
            var publicKey = Json(await node.StandardOutput.ReadLineAsync(limit.Token)).GetProperty("publicKey").GetString();
            var key = venue.Server.Key;
            object given = new { apiKey = key.Key, secret = key.Secret };
            if (withItsOwnKey)
                given = new { apiKey = (await venue.Client.AdminAsync(HttpMethod.Post, "/admin/keys", new { account = "main", publicKey }))["apiKey"] };
            await node.StandardInput.WriteLineAsync(JsonSerializer.Serialize(given).AsMemory(), limit.Token);
            await node.StandardInput.FlushAsync(limit.Token);
            var said = await node.StandardOutput.ReadToEndAsync(limit.Token);
            await node.WaitForExitAsync(limit.Token);
            Assert.True(node.ExitCode == 0, await complaints);
            Assert.Equal(withItsOwnKey ? 20 : 19, Json(said).GetProperty("done").GetArrayLength());
        }
        finally
        {
            if (!node.HasExited)
                node.Kill();
        }
    }

    private static JsonElement Json(string? line) => JsonDocument.Parse(line ?? throw new InvalidOperationException("The client said nothing.")).RootElement;
}
