using System.Globalization;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Docker;

/// <summary>One container that we run through the docker program, with a guardian that removes it when we end.</summary>
internal sealed class DockerContainer : IAsyncDisposable
{
    // The image may have to be fetched first.
    private static readonly TimeSpan RunLimit = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan CommandLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);
    private readonly DockerEngine _engine;
    private readonly InstanceFolder _folder;
    private readonly Guardian _guardian;
    private readonly string _name;

    private DockerContainer(DockerEngine engine, InstanceFolder folder, Guardian guardian, string name) =>
        (_engine, _folder, _guardian, _name) = (engine, folder, guardian, name);

    /// <param name="Secrets">Go through a file that only we can read, never the command line.</param>
    /// <param name="Data">Where the image keeps its data; bound to our folder when that is kept.</param>
    internal sealed record Plan(
        string Image, IReadOnlyList<(int Host, int Container)> Ports, IReadOnlyDictionary<string, string> Secrets, string Data, IReadOnlyList<string> Command)
    {
        /// <summary>Further options of <c>docker run</c>.</summary>
        public IReadOnlyList<string> Options { get; init; } = [];
    }

    public string Folder => _folder.Path;

    public static async Task<DockerContainer> RunAsync(
        DockerEngine engine, InstanceFolder folder, string kind, Plan plan, CancellationToken cancellationToken)
    {
        var name = $"antbot-{kind}-{Password.New()[..12]}";
        var secrets = folder.In("container.env");
        Password.WriteSecret(secrets, string.Join('\n', plan.Secrets.Select(secret => $"{secret.Key}={secret.Value}")) + "\n");
        await File.WriteAllTextAsync(folder.In($"{name}.container"), "", cancellationToken);

        // The data of RabbitMQ belongs to a host name.
        var run = new List<string> { engine.Program, folder.Path, name, folder.IsKept ? "keep" : "remove", plan.Image, "--hostname", "antbot", "--env-file", secrets };
        foreach (var (host, container) in plan.Ports)
            run.AddRange(["--publish", $"127.0.0.1:{host}:{container}"]);
        if (folder.IsKept)
            run.AddRange(["--volume", $"{folder.In("data")}:{plan.Data}"]);
        run.AddRange(plan.Options);
        run.Add(plan.Image);
        run.AddRange(plan.Command);

        var guardian = Guardian.Start(Scripts.DockerGuardian, run, name, CommandLimit, new Dictionary<string, string>());
        var started = new DockerContainer(engine, folder, guardian, name);
        try
        {
            if (await guardian.OrderAsync(RunLimit, cancellationToken) == "started")
                return started;
            throw new ServerException($"docker could not run {plan.Image}.{LogTail.Of(folder.LogOf(name))}");
        }
        catch
        {
            await guardian.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where the engine runs on this machine's kernel, the process that its server is here.</summary>
    public int ProcessId { get; private set; }

    public async Task<bool> IsRunningAsync(CancellationToken cancellationToken) => await ReadProcessIdAsync(cancellationToken) is not null;

    public Task StopAsync(CancellationToken cancellationToken) => DockerAsync(["stop", "--time", "60", _name], cancellationToken);

    public async Task StartAgainAsync(CancellationToken cancellationToken)
    {
        if (await ReadProcessIdAsync(cancellationToken) is { } running)
            throw new ServerException($"Container {_name} still runs (process {running}); stop or kill it before it is started again.");
        await DockerAsync(["start", _name], cancellationToken);
    }

    /// <summary>Sends the signal and waits until the container has ended.</summary>
    public async Task EndAsync(string signal, CancellationToken cancellationToken)
    {
        await DockerAsync(["kill", "--signal", signal, _name], cancellationToken);
        await DockerAsync(["wait", _name], cancellationToken);
    }

    public Task ExecuteAsync(string user, IReadOnlyList<string> command, CancellationToken cancellationToken) =>
        DockerAsync(["exec", "--user", user, _name, .. command], cancellationToken);

    public async Task<string> ReadLogAsync(CancellationToken cancellationToken, params IReadOnlyList<string> options)
    {
        var log = await ShortCommand.RunAsync([_engine.Program, "logs", .. options, _name], CommandLimit, cancellationToken: cancellationToken);
        return log.Everything;
    }

    /// <summary>Polls until the server in the container answers.</summary>
    public async Task WaitUntilAsync(Func<CancellationToken, Task<Exception?>> probe, TimeSpan limit, CancellationToken cancellationToken)
    {
        var deadline = new Deadline(limit);
        while (await probe(cancellationToken) is { } noAnswer)
        {
            if (await ReadProcessIdAsync(cancellationToken) is null)
                throw await FailureAsync("ended while it was starting", noAnswer, cancellationToken);
            if (deadline.Passed)
                throw await FailureAsync($"did not answer within {limit.TotalSeconds:0} s ({noAnswer.Message})", noAnswer, cancellationToken);
            await Task.Delay(Interval, cancellationToken);
        }

        ProcessId = await ReadProcessIdAsync(cancellationToken) ?? throw await FailureAsync("ended as soon as it answered", cause: null, cancellationToken);
    }

    /// <summary>Kept data gets the time for an orderly end; the container itself always goes.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_folder.IsKept)
                await StopAsync(CancellationToken.None);
        }
        finally
        {
            await _guardian.DisposeAsync();
            await _folder.ReleaseAsync();
        }
    }

    /// <summary>Null when the container does not run.</summary>
    private async Task<int?> ReadProcessIdAsync(CancellationToken cancellationToken)
    {
        var pid = await DockerAsync(["inspect", "--format", "{{.State.Pid}}", _name], cancellationToken);
        return int.TryParse(pid, NumberStyles.None, CultureInfo.InvariantCulture, out var id) && id > 0 ? id : null;
    }

    private async Task<ServerException> FailureAsync(string what, Exception? cause, CancellationToken cancellationToken) =>
        new($"Container {_name} {what}.{LogTail.OfText(await ReadLogAsync(cancellationToken, "--tail", "200"), marker: "[error]")}", cause);

    private async Task<string> DockerAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await ShortCommand.RunAsync([_engine.Program, .. arguments], CommandLimit, cancellationToken: cancellationToken);
        if (!result.Succeeded)
            throw new ServerException($"docker {arguments[0]} failed (exit code {result.ExitCode}).{LogTail.OfText(result.Everything)}");
        return result.Output.Trim();
    }
}
