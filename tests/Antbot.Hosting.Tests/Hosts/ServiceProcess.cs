using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Xunit;

namespace Antbot.Hosting.Tests.Hosts;

/// <summary>The test service in a process of its own.</summary>
internal sealed class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private readonly ConcurrentQueue<string> _output = new();
    private readonly ConcurrentQueue<string> _errors = new();
    private readonly Task _reading;

    private ServiceProcess(Process process, Uri address)
    {
        (_process, Http) = (process, new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(30) });
        _reading = Task.WhenAll(ReadAsync(process.StandardOutput, _output), ReadAsync(process.StandardError, _errors));
    }

    public HttpClient Http { get; }

    public IReadOnlyCollection<string> Output => _output;

    public IReadOnlyCollection<string> Errors => _errors;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <param name="settings">Without their prefix: <c>STORE</c>, <c>EXECUTION__NUMBER</c>; what begins otherwise than ANTBOT is given as <c>=NAME</c>.</param>
    public static ServiceProcess Start(string modules, params (string Name, string Value)[] settings)
    {
        var address = $"http://127.0.0.1:{FreePort()}";
        // What starts in the background inherits that SIGINT and SIGQUIT are ignored.
        var start = new ProcessStartInfo("env", ["--default-signal=INT,QUIT", "dotnet", Path.Combine(AppContext.BaseDirectory, "Antbot.Testing.Service.dll")]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true, UseShellExecute = false };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("ANTBOT_", StringComparison.Ordinal) || k.StartsWith("OTEL_", StringComparison.Ordinal)).ToArray())
            start.Environment.Remove(name);
        start.Environment["TEST_MODULES"] = modules;
        start.Environment["ANTBOT_LISTEN"] = address;
        foreach (var (name, value) in settings)
            start.Environment[name.StartsWith('=') ? name[1..] : $"ANTBOT_{name}"] = value;
        return new ServiceProcess(Process.Start(start)!, new Uri(address));
    }

    public async Task ReadyAsync() => await UntilAsync(async () => (await Http.GetAsync("/readyz", Cancel)).IsSuccessStatusCode, "it is ready");

    public async Task UntilAsync(Func<Task<bool>> done, string what)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                if (await done())
                    return;
            }
            catch (Exception e) when (e is HttpRequestException or SocketException)
            {
                // It does not listen yet.
            }
            Assert.False(_process.HasExited, $"It ended before {what}: {Said()}");
            Assert.True(Stopwatch.GetElapsedTime(began) < WaitMax, $"Not within {WaitMax.TotalSeconds:0} s: {what}. {Said()}");
            await Task.Delay(50, Cancel);
        }
    }

    public async Task<(HttpStatusCode Status, JsonElement Body)> GetAsync(string path)
    {
        using var answer = await Http.GetAsync(path, Cancel);
        return (answer.StatusCode, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement);
    }

    public Task<string> MetricsAsync() => Http.GetStringAsync("/metrics", Cancel);

    public async Task<HttpResponseMessage> WishAsync(Guid trade, string reason, string? traceParent = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/wishes?trade={trade:N}&reason={Uri.EscapeDataString(reason)}");
        if (traceParent is not null)
            request.Headers.Add("traceparent", traceParent);
        return await Http.SendAsync(request, Cancel);
    }

    public void Signal(string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", $"{_process.Id}"]);
        kill.WaitForExit();
    }

    public async Task<int> EndAsync()
    {
        await _process.WaitForExitAsync(Cancel).WaitAsync(WaitMax, Cancel);
        await _reading.WaitAsync(WaitMax, Cancel);
        return _process.ExitCode;
    }

    public Task<int> StopAsync(string signal = "TERM")
    {
        Signal(signal);
        return EndAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
            _process.Kill();
        await _process.WaitForExitAsync(CancellationToken.None);
        _process.Dispose();
        Http.Dispose();
    }

    public string Said() => string.Join('\n', _errors.TakeLast(10).Concat(_output.TakeLast(20)));

    public static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private static async Task ReadAsync(StreamReader reader, ConcurrentQueue<string> lines)
    {
        while (await reader.ReadLineAsync() is { } line)
            lines.Enqueue(line);
    }
}
