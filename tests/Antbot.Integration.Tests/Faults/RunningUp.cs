using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Antbot.EventStore.Postgres;
using Antbot.Integration.Tests.Cli;
using Xunit;

namespace Antbot.Integration.Tests.Faults;

/// <summary>What runs, as `up` says.</summary>
/// <param name="Starts">How often it was started; the first time counts.</param>
internal sealed record UpProcess(string Name, string Service, int? ProcessId, int Starts, Uri Health);

internal sealed record UpServers(int Postgres, int Rabbitmq);

internal sealed record UpState(int ProcessId, Uri Console, Uri Signals, Uri Venue, UpServers Servers, IReadOnlyList<UpProcess> Processes)
{
    public UpProcess this[string name] => Processes.Single(p => p.Name == name);

    public IEnumerable<int> ProcessIds => [ProcessId, Servers.Postgres, Servers.Rabbitmq, .. Processes.Select(p => p.ProcessId).OfType<int>()];
}

/// <summary>`make up`'s program on a folder of a test's own: every service, PostgreSQL and RabbitMQ as processes of their own.</summary>
internal sealed class RunningUp : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(20) };
    private readonly string _folder = Directory.CreateTempSubdirectory("antbot-up-").FullName;
    private readonly (string Name, string Value)[] _settings;

    public RunningUp(params (string Name, string Value)[] settings)
    {
        _settings = settings;
        // The servers run as users of their own, and pass through.
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
    }

    /// <summary>Within the folder that commands run in, so that the command line finds it.</summary>
    public string Data => Path.Combine(_folder, ".local", "up");

    public string Folder => _folder;

    /// <summary>The last state that was read; it outlives the platform.</summary>
    public UpState State { get; private set; } = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>The supervisor's own build folder, as `make` runs it.</summary>
    private static string Program { get; } = Path.Combine(
        RepositoryFolder.Root, "services", "Antbot.Watchdog", "Host", "bin", new DirectoryInfo(AppContext.BaseDirectory).Parent!.Name, new DirectoryInfo(AppContext.BaseDirectory).Name, "Antbot.Watchdog.dll");

    /// <summary>`up --detach`, and what it says.</summary>
    public Task<Said> UpAsync(params string[] arguments) => RunAsync(["up", "--detach", "--data", Data, .. arguments]);

    public Task<Said> DownAsync() => RunAsync(["down", "--data", Data]);

    /// <summary>Starts it and returns when everything is ready.</summary>
    public async Task<UpState> StartAsync(string instances = "")
    {
        var said = await UpAsync("--json", "--instances", instances);
        Assert.True(said.ExitCode == 0, $"{said.Error}{said.Output}");
        return Read(said.Output);
    }

    public UpState Read() => Read(File.ReadAllText(Path.Combine(Data, "platform.json")));

    public async Task<Said> RunAsync(params string[] arguments)
    {
        using var process = AntbotProcess.Start(Program, _folder, _settings, arguments);
        process.StandardInput.Close();
        var (output, error) = (process.StandardOutput.ReadToEndAsync(Cancel), process.StandardError.ReadToEndAsync(Cancel));
        await process.WaitForExitAsync(Cancel).WaitAsync(Patience, Cancel);
        return new Said(process.ExitCode, await output, await error);
    }

    public string StoreAddress => FromConsoleFile("store");

    public PostgresEventStore OpenStore() => new(new PostgresStoreOptions { ConnectionString = StoreAddress });

    public async Task<JsonElement> StatusAsync()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(State.Console, "api/status"));
        request.Headers.Authorization = new("Bearer", Key("console-token"));
        using var answer = await _http.SendAsync(request, Cancel);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Cancel)).RootElement;
    }

    public async Task<bool> IsReadyAsync(string name)
    {
        try
        {
            using var answer = await _http.GetAsync(State[name].Health, Cancel);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            return false;
        }
    }

    /// <summary>A sum over all lines of this metric of one process.</summary>
    public async Task<double> MetricAsync(string name, string metric)
    {
        var text = await _http.GetStringAsync(new Uri(State[name].Health, "/metrics"), Cancel);
        return text.Split('\n').Where(l => l.StartsWith(metric, StringComparison.Ordinal)).Sum(l => double.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));
    }

    public static async Task UntilAsync(Func<Task<bool>> holds, Func<string> what, TimeSpan? patience = null)
    {
        var began = Stopwatch.GetTimestamp();
        while (!await holds())
        {
            Assert.True(Stopwatch.GetElapsedTime(began) < (patience ?? Patience), $"It did not come about: {what()}");
            await Task.Delay(200, Cancel);
        }
    }

    /// <summary>SIGKILL, by its id.</summary>
    public static void Kill(int processId) => Signal(processId, "KILL");

    public static void End(int processId) => Signal(processId, "TERM");

    public static void Signal(int processId, string signal)
    {
        using var kill = Process.Start("kill", [$"-{signal}", processId.ToString(CultureInfo.InvariantCulture)]);
        kill.WaitForExit();
    }

    public static bool IsRunning(int processId)
    {
        try
        {
            using var process = Process.GetProcessById(processId);
            return !process.HasExited;
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    /// <summary>The end of what a process has logged.</summary>
    public string Log(string name, int lines = 15) => File.Exists(Path.Combine(Data, "logs", $"{name}.log")) ? string.Join('\n', File.ReadLines(Path.Combine(Data, "logs", $"{name}.log")).TakeLast(lines)) : "";

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (Directory.Exists(Data))
            await RunAsync("down", "--data", Data);
        Directory.Delete(_folder, recursive: true);
    }

    private UpState Read(string json) => State = JsonSerializer.Deserialize<UpState>(json, JsonSerializerOptions.Web)!;

    private string Key(string name) => File.ReadAllText(Path.Combine(Data, "keys", name));

    private string FromConsoleFile(string name)
    {
        using var file = JsonDocument.Parse(File.ReadAllText(Path.Combine(Data, "console.json")));
        return file.RootElement.GetProperty(name).GetString()!;
    }
}
