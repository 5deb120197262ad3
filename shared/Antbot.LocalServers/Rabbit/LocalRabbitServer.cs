using System.Globalization;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Rabbit;

/// <summary>A private RabbitMQ from local binaries, with a private Erlang port mapper that ends with it.</summary>
internal sealed class LocalRabbitServer : RabbitServer
{
    private const string Name = "rabbitmq";
    private const string PortMapperName = "epmd";
    private const int PortTriesMax = 5;
    private static readonly TimeSpan PortMapperLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ControlLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private readonly RabbitNode _node;
    private readonly Guardian _portMapperGuardian;
    private readonly Guardian _guardian;
    private int _pid;
    private int _portMapperPid;
    private bool _disposed;

    private LocalRabbitServer(RabbitNode node)
        : base(
            AmqpUri.Create(node.Listens.Amqp, RabbitNode.UserName, node.Password),
            node.Listens.Management is { } port ? new Uri($"http://{RabbitNode.UserName}:{node.Password}@127.0.0.1:{port}/") : null)
    {
        _node = node;
        _portMapperGuardian = Guardian.Start(new Guardian.Plan(
            node.Folder, PortMapperName, "TERM", TimeSpan.FromSeconds(5), PidFile: "", RemovesFolder: false, node.PortMapperCommand));
        var kept = node.Folder.IsKept;
        _guardian = Guardian.Start(new Guardian.Plan(
            node.Folder, Name, kept ? "TERM" : "KILL", TimeSpan.FromSeconds(kept ? 30 : 10), node.PidFile, RemovesFolder: !kept, node.ServerCommand)
        { Environment = node.Environment });
    }

    public override bool IsOwned => true;

    public override int BrokerPid => _pid;

    public override string Folder => _node.Folder.Path;

    internal int PortMapperPid => _portMapperPid;

    internal RabbitNode.Ports Listens => _node.Listens;

    public static async Task<RabbitServer> RunAsync(
        RabbitBinaries binaries, RabbitServerOptions options, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await StartOnceAsync(binaries, options, cancellationToken);
            }
            catch (ServerException taken) when (options.Port is null && tries < PortTriesMax && taken.Message.Contains("eaddrinuse", StringComparison.Ordinal))
            {
                // Somebody was quicker; the next ports are other ones.
            }
        }
    }

    public override Task<bool> IsRunningAsync(CancellationToken cancellationToken = default) => Task.FromResult(ProcessTable.IsRunningFrom(_pid, Folder));

    public override Task KillAsync(CancellationToken cancellationToken = default) => EndBrokerAsync(Native.SigKill, "SIGKILL", cancellationToken);

    public override Task StopAsync(CancellationToken cancellationToken = default) => EndBrokerAsync(Native.SigTerm, "SIGTERM", cancellationToken);

    public override async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (ProcessTable.IsRunningFrom(_pid, Folder))
            throw new ServerException($"RabbitMQ in {Folder} still runs (process {_pid}); stop or kill it before it is started again.");
        await LaunchAsync(cancellationToken);
    }

    public override Task LoseDataAsync(CancellationToken cancellationToken = default)
    {
        if (ProcessTable.IsRunningFrom(_pid, Folder))
            throw new ServerException($"RabbitMQ in {Folder} still runs (process {_pid}); stop or kill it before its data is lost.");
        _node.EmptyData();
        return Task.CompletedTask;
    }

    internal override Task<string> ReadLogAsync(CancellationToken cancellationToken) =>
        File.ReadAllTextAsync(_node.Folder.LogOf(Name), cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            if (_node.Folder.IsKept && ProcessTable.IsRunningFrom(_pid, Folder))
                await StopAsync();
        }
        finally
        {
            await EndAsync();
            await _node.Folder.ReleaseAsync();
        }
    }

    private protected override async Task AddVirtualHostAsync(string name, CancellationToken cancellationToken)
    {
        // Not from standard input: that of RabbitMQ 4.0's command hangs.
        var file = _node.Write($"definitions-{Guid.NewGuid():N}.json", RabbitDefinitions.VirtualHost(name, RabbitNode.UserName));
        try
        {
            await ControlAsync(["import_definitions", file], cancellationToken);
        }
        finally
        {
            File.Delete(file);
        }
    }

    private protected override Task RemoveVirtualHostAsync(string name, CancellationToken cancellationToken) =>
        ControlAsync(["delete_vhost", name], cancellationToken);

    private static async Task<RabbitServer> StartOnceAsync(
        RabbitBinaries binaries, RabbitServerOptions options, CancellationToken cancellationToken)
    {
        var folder = await InstanceFolder.OpenAsync("mq", options.DataFolder, cancellationToken);
        LocalRabbitServer? server = null;
        try
        {
            server = new LocalRabbitServer(await RabbitNode.PrepareAsync(binaries, options, folder, cancellationToken));
            await server.StartPortMapperAsync(cancellationToken);
            await server.LaunchAsync(cancellationToken);
            return server;
        }
        catch
        {
            if (server is not null)
                await server.EndAsync();
            await folder.ReleaseAsync();
            throw;
        }
    }

    private async Task StartPortMapperAsync(CancellationToken cancellationToken)
    {
        var deadline = new Deadline(PortMapperLimit);
        _portMapperPid = await _portMapperGuardian.StartServerAsync(cancellationToken);
        while (!await RabbitProbe.ListensAsync(_node.Listens.PortMapper, cancellationToken))
        {
            if (deadline.Passed || !ProcessTable.IsRunning(_portMapperPid))
            {
                throw new ServerException(
                    $"Erlang's port mapper ({_node.Binaries.PortMapper}, process {_portMapperPid}) does not listen on port {_node.Listens.PortMapper}."
                    + LogTail.Of(_node.Folder.LogOf(PortMapperName)));
            }

            await Task.Delay(Interval, cancellationToken);
        }
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        var deadline = new Deadline(_node.Options.StartLimit);
        File.Delete(_node.PidFile);
        var started = await _guardian.StartServerAsync(cancellationToken);
        _pid = started;
        while (await RabbitProbe.TryAsync(AdminUri, cancellationToken) is { } noAnswer)
        {
            if (!ProcessTable.IsRunning(started))
                throw Failure("ended while it was starting", innerException: null);
            if (deadline.Passed)
                throw Failure($"took no connection within {_node.Options.StartLimit.TotalSeconds:0} s ({noAnswer.Message})", noAnswer);
            await Task.Delay(Interval, cancellationToken);
        }

        while (_node.Listens.Management is { } port && !await RabbitProbe.ListensAsync(port, cancellationToken))
        {
            if (deadline.Passed)
                throw Failure($"did not open its management port {port} within {_node.Options.StartLimit.TotalSeconds:0} s", innerException: null);
            await Task.Delay(Interval, cancellationToken);
        }

        // With su or runuser in front, the guardian's child is not the broker itself.
        _pid = ProcessTable.ReadPidFile(_node.PidFile) ?? started;
    }

    private async Task EndBrokerAsync(int signal, string name, CancellationToken cancellationToken)
    {
        ProcessTable.SignalIfFrom(_pid, Folder, signal);
        if (!await Deadline.WaitAsync(() => !ProcessTable.IsStillRunningFrom(_pid, Folder), StopLimit, Interval, cancellationToken))
            throw Failure($"has not ended within {StopLimit.TotalSeconds:0} s after {name}", innerException: null);
    }

    public override Task ControlAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken = default) => CommandAsync(arguments, cancellationToken);

    public override async Task<IReadOnlyDictionary<string, long>?> ReadUnacknowledgedAsync(string virtualHost, CancellationToken cancellationToken = default)
    {
        var lines = await CommandAsync(["list_queues", "--quiet", "--no-table-headers", "--vhost", virtualHost, "messages_unacknowledged", "name"], cancellationToken);
        return lines.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(l => l.Split('\t', 2)).ToDictionary(l => l[1], l => long.Parse(l[0], CultureInfo.InvariantCulture), StringComparer.Ordinal);
    }

    private async Task<string> CommandAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken)
    {
        var result = await ShortCommand.RunAsync(_node.ControlCommand(arguments), ControlLimit, environment: SetEnvironment, cancellationToken: cancellationToken);
        if (!result.Succeeded)
            throw new ServerException($"rabbitmqctl {arguments[0]} failed (exit code {result.ExitCode}).{LogTail.OfText(result.Everything)}");
        return result.Output;
    }

    private void SetEnvironment(IDictionary<string, string?> environment)
    {
        Guardian.RemoveForeignSettings(environment);
        foreach (var (key, value) in _node.Environment)
            environment[key] = value;
    }

    // The broker first: its guardian removes the folder, from which the port mapper runs but writes nothing.
    private async Task EndAsync()
    {
        try
        {
            await _guardian.DisposeAsync();
        }
        finally
        {
            await _portMapperGuardian.DisposeAsync();
        }
    }

    private ServerException Failure(string what, Exception? innerException) => new(
        $"RabbitMQ ({_node.Binaries.Server}, process {_pid}) {what}.{LogTail.Of(_node.Folder.LogOf(Name), marker: "[error]")}", innerException);
}
