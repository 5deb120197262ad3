using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`antbot signal` against an endpoint that answers as a test wants.</summary>
public sealed class SignalVerbTests : IAsyncLifetime
{
    private const string Trade = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-signal-").FullName;
    private readonly ConcurrentQueue<(string Key, string Idempotency, JsonElement Body)> _heard = new();
    private WebApplication _endpoint = null!;
    private (int Status, object Body) _answer = (202, new { tradeId = Trade });

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private string Address => _endpoint.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single();

    public async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseSetting("urls", "http://127.0.0.1:0");
        _endpoint = builder.Build();
        _endpoint.Map("/signals", async context =>
        {
            using var body = await JsonDocument.ParseAsync(context.Request.Body);
            _heard.Enqueue((context.Request.Headers["X-Api-Key"].ToString(), context.Request.Headers["Idempotency-Key"].ToString(), body.RootElement.Clone()));
            await Results.Json(_answer.Body, statusCode: _answer.Status).ExecuteAsync(context);
        });
        await _endpoint.StartAsync(Cancel);
        Directory.CreateDirectory(Path.Combine(_folder, ".local"));
        await File.WriteAllTextAsync(Path.Combine(_folder, "key"), "a-key-for-signals\n", Cancel);
    }

    public async ValueTask DisposeAsync()
    {
        await _endpoint.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task A_signal_is_sent_with_what_was_said_and_nothing_else_and_the_trade_is_named()
    {
        var said = await AntbotProcess.RunAsync(
            _folder, "signal", "btcusdt", "buy", "--price", "64000.5", "--notional", "100", "--idempotency-key", "mine-1", "--signals", Address, "--api-key-file", "key", "--json");
        Assert.Equal((0, ""), (said.ExitCode, said.Error));
        Assert.Equal(Trade, JsonDocument.Parse(said.Output).RootElement.GetProperty("Trade").GetString());
        var (key, idempotency, body) = Assert.Single(_heard);
        Assert.Equal(("a-key-for-signals", "mine-1"), (key, idempotency));
        Assert.Equal("""{"symbol":"BTCUSDT","side":"buy","price":64000.5,"notional":100}""", body.GetRawText());
    }

    [Fact]
    public async Task What_runs_here_is_found_without_being_named()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, ".local", "console.json"), JsonSerializer.Serialize(new { signals = Address, signalKeyFile = Path.Combine(_folder, "key") }), Cancel);
        var said = await AntbotProcess.RunAsync(_folder, "signal", "ETHUSDT", "sell");
        Assert.Equal(0, said.ExitCode);
        Assert.Contains(Trade, said.Output, StringComparison.Ordinal);
    }

    /// <summary>A side of 7 was once sent as a sale.</summary>
    [Theory]
    [InlineData("BTCUSDT", "7")]
    [InlineData("BTCUSDT", "1")]
    [InlineData("BTCUSDT", "hold")]
    [InlineData("BTC/USDT", "buy")]
    [InlineData("BTCUSDT", "buy", "--price", "NaN")]
    [InlineData("BTCUSDT", "buy", "--idempotency-key", "two words")]
    public async Task What_is_no_signal_is_not_sent(params string[] said)
    {
        var answer = await AntbotProcess.RunAsync(_folder, ["signal", .. said, "--signals", Address, "--api-key-file", "key", "--json"]);
        Assert.Equal((2, ""), (answer.ExitCode, answer.Output));
        using var error = JsonDocument.Parse(answer.Error);
        Assert.Equal("Usage", error.RootElement.GetProperty("Error").GetString());
        Assert.DoesNotContain("System.", error.RootElement.GetProperty("Message").GetString()!, StringComparison.Ordinal);
        Assert.Empty(_heard);
    }

    /// <summary>Each of these once ended in an exception's trace.</summary>
    [Fact]
    public async Task A_key_that_is_none_and_an_answer_without_a_trade_are_told_in_a_sentence()
    {
        await File.WriteAllTextAsync(Path.Combine(_folder, "two-lines"), "a-key-for\nsignals\n", Cancel);
        var key = await AntbotProcess.RunAsync(_folder, "signal", "BTCUSDT", "buy", "--signals", Address, "--api-key-file", "two-lines");
        Assert.Equal((1, 1), (key.ExitCode, key.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
        Assert.Empty(_heard);
        _answer = (202, new { other = 1 });
        var trade = await AntbotProcess.RunAsync(_folder, "signal", "BTCUSDT", "buy", "--signals", Address, "--api-key-file", "key");
        Assert.Equal((1, 1), (trade.ExitCode, trade.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length));
    }

    [Theory]
    [InlineData(400, 2)]
    [InlineData(401, 6)]
    [InlineData(409, 1)]
    [InlineData(429, 1)]
    public async Task A_refusal_is_told_in_its_own_words(int status, int exitCode)
    {
        _answer = (status, new { error = "No such thing.", faults = new[] { "price: is missing" } });
        var said = await AntbotProcess.RunAsync(_folder, "signal", "BTCUSDT", "buy", "--signals", Address, "--api-key-file", "key");
        Assert.Equal(exitCode, said.ExitCode);
        Assert.Contains("No such thing. price: is missing", said.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("a-key-for-signals", said.Error + said.Output, StringComparison.Ordinal);
    }

    /// <summary>A commit whose answer was lost is answered with 503, and that was once called "not taken".</summary>
    [Theory]
    [InlineData(302)]
    [InlineData(408)]
    [InlineData(500)]
    [InlineData(503)]
    public async Task An_answer_that_does_not_refuse_the_signal_itself_is_an_unknown_outcome(int status)
    {
        _answer = (status, new { error = "Not now." });
        var said = await AntbotProcess.RunAsync(_folder, "signal", "BTCUSDT", "buy", "--signals", Address, "--api-key-file", "key", "--json");
        Assert.Equal((1, ""), (said.ExitCode, said.Output));
        using var error = JsonDocument.Parse(said.Error);
        Assert.Equal("OutcomeUnknown", error.RootElement.GetProperty("Error").GetString());
        Assert.Contains($"--idempotency-key {Assert.Single(_heard).Idempotency}:", error.RootElement.GetProperty("Message").GetString(), StringComparison.Ordinal);
    }

    /// <summary>What may have been taken was once called "not sent", and nothing said how to send it again only once.</summary>
    [Fact]
    public async Task A_connection_that_ends_after_the_signal_went_out_is_an_unknown_outcome_with_the_key_to_ask_again()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var heard = Task.Run(async () =>
        {
            using var taken = await listener.AcceptTcpClientAsync(Cancel);
            var text = new StringBuilder();
            var buffer = new byte[4096];
            while (!text.ToString().Contains("\"side\"", StringComparison.Ordinal))
                text.Append(Encoding.ASCII.GetString(buffer, 0, await taken.GetStream().ReadAsync(buffer, Cancel)));
            return text.ToString();
        });
        var said = await AntbotProcess.RunAsync(_folder, "signal", "BTCUSDT", "buy", "--signals", $"http://{listener.LocalEndpoint}", "--api-key-file", "key", "--json");
        Assert.Equal((1, ""), (said.ExitCode, said.Output));
        using var error = JsonDocument.Parse(said.Error);
        Assert.Equal("OutcomeUnknown", error.RootElement.GetProperty("Error").GetString());
        var key = (await heard).Split("\r\n").Single(l => l.StartsWith("Idempotency-Key: ", StringComparison.Ordinal))["Idempotency-Key: ".Length..];
        Assert.Contains($"--idempotency-key {key}:", error.RootElement.GetProperty("Message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_that_is_not_there_is_a_failure_and_nothing_was_sent()
    {
        var said = await AntbotProcess.RunAsync(_folder, "signal", "BTCUSDT", "buy", "--signals", "http://127.0.0.1:1", "--api-key-file", "key");
        Assert.Equal(1, said.ExitCode);
        Assert.Contains("was not sent", said.Error, StringComparison.Ordinal);
    }
}
