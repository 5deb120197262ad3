using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Antbot.Integration.Tests.Support;
using Xunit;

namespace Antbot.Integration.Tests.Cli;

/// <summary>`antbot forward` between connections of the test's and instances of the test's.</summary>
public sealed class ForwardVerbTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-forward-").FullName;
    private readonly List<Process> _started = [];

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        foreach (var process in _started)
        {
            process.Kill();
            process.Dispose();
        }
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Each_connection_goes_to_the_next_instance_and_past_one_that_is_gone()
    {
        await using var one = new Instance("one");
        var two = new Instance("two");
        var process = Start($"127.0.0.1:0=localhost:{one.Port},localhost:{two.Port}");
        var at = await AddressAsync(process);
        var heard = new List<string>();
        for (var i = 0; i < 8; i++)
            heard.Add(await AskAsync(at, "hello"));
        Assert.Equal(["one hello", "two hello"], heard.Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal));

        await two.DisposeAsync();
        for (var i = 0; i < 8; i++)
            Assert.Equal("one hello", await AskAsync(at, "hello"));

        await one.DisposeAsync();
        Assert.Equal("", await AskAsync(at, "hello"));
        Assert.Equal("", await AskAsync(at, "hello"));
        await using var back = new Instance("back", one.Port);
        Assert.Equal("back hello", await AskAsync(at, "hello"));

        AntbotProcess.Signal(process, "INT");
        await process.WaitForExitAsync(Cancel);
        Assert.Equal(130, process.ExitCode);
        var said = (await process.StandardError.ReadToEndAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["Warning", "Information", "Information"], said.Select(l => LogLines.Check(l, "gate").GetProperty("level").GetString()));
        Assert.Contains("does not answer", LogLines.MessageOf(said[0], "gate"), StringComparison.Ordinal);
        Assert.Contains("answers again", LogLines.MessageOf(said[1], "gate"), StringComparison.Ordinal);
        Assert.Equal("Stopped.", LogLines.MessageOf(said[2], "gate"));
    }

    [Fact]
    public async Task Much_goes_both_ways_whole_and_a_hundred_at_once()
    {
        await using var instance = new Instance("");
        var process = Start($"127.0.0.1:0=127.0.0.1:{instance.Port}");
        var at = await AddressAsync(process);
        var texts = Enumerable.Range(0, 100).Select(n => new string((char)('a' + n % 26), 100_000 + n)).ToList();
        var answers = await Task.WhenAll(texts.Select(t => AskAsync(at, t)));
        Assert.True(texts.Select(t => $" {t}").SequenceEqual(answers, StringComparer.Ordinal));
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        // A machine that has much else to do may not leave it the time for its last word.
        Assert.All((await process.StandardError.ReadToEndAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries), l => Assert.Equal("Stopped.", LogLines.MessageOf(l, "gate")));
    }

    [Theory]
    [InlineData("8080=console:8080")]
    [InlineData("127.0.0.1:8080")]
    [InlineData("127.0.0.1:8080=")]
    [InlineData("127.0.0.1:8080=console")]
    [InlineData("127.0.0.1:8080=console:0")]
    [InlineData("127.0.0.1:8080=con sole:80")]
    [InlineData("127.0.0.1:8080=console:80,")]
    public async Task What_is_no_way_is_told(string map)
    {
        var said = await AntbotProcess.RunAsync(_folder, "forward", "--map", map);
        Assert.Equal((2, ""), (said.ExitCode, said.Output));
        Assert.Contains(map, said.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_port_that_is_taken_is_told()
    {
        await using var instance = new Instance("");
        var said = await AntbotProcess.RunAsync(_folder, "forward", "--map", $"127.0.0.1:{instance.Port}=127.0.0.1:1");
        Assert.Equal(1, said.ExitCode);
        Assert.StartsWith($"127.0.0.1:{instance.Port} cannot be listened on: ", LogLines.MessageOf(said.Error.TrimEnd(), "gate"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Asked_for_JSON_its_answer_is_on_the_standard_output_alone()
    {
        await using var instance = new Instance("");
        var process = AntbotProcess.Start(AntbotProcess.CommandLine, _folder, "forward", "--json", "--map", $"127.0.0.1:0=127.0.0.1:{instance.Port}");
        _started.Add(process);
        var answer = new StringBuilder();
        while (!answer.ToString().EndsWith("\n}", StringComparison.Ordinal))
            answer.Append('\n').Append(await process.StandardOutput.ReadLineAsync(Cancel));
        Assert.Equal($"127.0.0.1:{instance.Port}", JsonElement.Parse(answer.ToString()).GetProperty("Forwards")[0].GetProperty("Targets").GetString());
        AntbotProcess.Signal(process, "TERM");
        await process.WaitForExitAsync(Cancel);
        // A machine that has much else to do may not leave it the time for its last word.
        Assert.All((await process.StandardError.ReadToEndAsync(Cancel)).Split('\n', StringSplitOptions.RemoveEmptyEntries), l => Assert.Equal("Stopped.", LogLines.MessageOf(l, "gate")));
    }

    /// <summary>Whatever becomes of the test, it does not go on after it.</summary>
    private Process Start(string map)
    {
        var process = AntbotProcess.Start(AntbotProcess.CommandLine, _folder, "forward", "--map", map);
        _started.Add(process);
        return process;
    }

    private static async Task<IPEndPoint> AddressAsync(Process process) => IPEndPoint.Parse(LogLines.MessageOf((await process.StandardError.ReadLineAsync(Cancel))!, "gate").Split(' ')[0]);

    /// <summary>Says something, ends its half, and hears until the other half ends.</summary>
    private static async Task<string> AskAsync(IPEndPoint at, string text)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(at, Cancel);
        try
        {
            var stream = client.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(text), Cancel);
            client.Client.Shutdown(SocketShutdown.Send);
            using var reader = new StreamReader(stream, Encoding.ASCII);
            return await reader.ReadToEndAsync(Cancel);
        }
        catch (Exception e) when (e is IOException or SocketException)
        {
            return "";
        }
    }

    /// <summary>Answers, once all has been said to it, with its name and what was said.</summary>
    private sealed class Instance : IAsyncDisposable
    {
        private readonly TcpListener _listener;
        private readonly Task _serving;

        public Instance(string name, int port = 0)
        {
            _listener = new TcpListener(IPAddress.Loopback, port);
            _listener.Start();
            Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
            _serving = ServeAsync(name);
        }

        public int Port { get; }

        public async ValueTask DisposeAsync()
        {
            _listener.Dispose();
            await _serving;
        }

        private async Task ServeAsync(string name)
        {
            var answering = new List<Task>();
            try
            {
                while (true)
                    answering.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(), name));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                await Task.WhenAll(answering);
            }
        }

        private static async Task AnswerAsync(TcpClient client, string name)
        {
            using var taken = client;
            using var reader = new StreamReader(client.GetStream(), Encoding.ASCII);
            var said = await reader.ReadToEndAsync();
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes($"{name} {said}"));
        }
    }
}
