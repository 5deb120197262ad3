using System.Globalization;
using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Postgres;

/// <summary>A private PostgreSQL from local binaries.</summary>
internal sealed class LocalPostgresServer : PostgresServer
{
    private const string Name = "postgres";
    private const int PortTriesMax = 5;
    private const string PortTaken = "could not bind";
    private const string MemoryTaken = "shared memory block";
    private const string StillLocked = "lock file";
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);
    private readonly PostgresCluster _cluster;
    private readonly Guardian _guardian;
    private SmallDisk? _smallDisk;
    private int _pid;
    private int? _sharedMemory;
    private int? _leftSharedMemory;
    private bool _disposed;

    private LocalPostgresServer(PostgresCluster cluster, Guardian guardian, int port)
        : base(PostgresProbe.ConnectionString(port, PostgresCluster.Role, cluster.Password)) =>
        (_cluster, _guardian) = (cluster, guardian);

    public override bool IsOwned => true;

    public override int PostmasterPid => _pid;

    public override string Folder => _cluster.Folder.Path;

    public override string SmallDiskFolder => _smallDisk?.Folder ?? "";

    internal int GuardianPid => _guardian.ProcessId;

    public static async Task<PostgresServer> RunAsync(
        PostgresBinaries binaries, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        for (var tries = 1; ; tries++)
        {
            try
            {
                return await StartOnceAsync(binaries, options, cancellationToken);
            }
            catch (ServerException taken) when (options.Port is null && tries < PortTriesMax && Says(taken, PortTaken))
            {
                // Somebody was quicker; the next port is another one.
            }
        }
    }

    public override Task<bool> IsRunningAsync(CancellationToken cancellationToken = default) => Task.FromResult(ProcessTable.IsRunningFrom(_pid, Folder));

    public override async Task KillAsync(CancellationToken cancellationToken = default)
    {
        await SignalAsync(Native.SigKill, "SIGKILL", cancellationToken);
        _leftSharedMemory = _sharedMemory;
        // Its backends notice within moments; until they are gone, they hold the memory that a new start asks for.
        if (!await Deadline.WaitAsync(() => !SharedMemory.IsAttached(_sharedMemory), StopLimit, Interval, cancellationToken))
            throw new ServerException($"The backends of the killed PostgreSQL in {Folder} have not ended within {StopLimit.TotalSeconds:0} s.");
    }

    public override Task StopImmediateAsync(CancellationToken cancellationToken = default) => SignalAsync(Native.SigQuit, "SIGQUIT", cancellationToken);

    public override Task StopAsync(CancellationToken cancellationToken = default) => SignalAsync(Native.SigInt, "SIGINT", cancellationToken);

    public override async Task StartAgainAsync(CancellationToken cancellationToken = default)
    {
        if (ProcessTable.IsRunningFrom(_pid, Folder))
            throw new ServerException($"PostgreSQL in {Folder} still runs (process {_pid}); stop or kill it before it is started again.");
        var deadline = new Deadline(_cluster.Options.StartLimit);
        while (true)
        {
            try
            {
                await LaunchAsync(cancellationToken);
                return;
            }
            catch (ServerException notYet) when (!deadline.Passed && Says(notYet, PortTaken, MemoryTaken, StillLocked))
            {
                // A backend of the killed server, or its port, is not free yet.
                await Task.Delay(Interval * 10, cancellationToken);
            }
        }
    }

    internal override Task<string> ReadLogAsync(CancellationToken cancellationToken) =>
        File.ReadAllTextAsync(_cluster.Folder.LogOf(Name), cancellationToken);

    public override async ValueTask DisposeAsync()
    {
        if (_disposed)
            return;
        _disposed = true;
        try
        {
            if (_cluster.Folder.IsKept && ProcessTable.IsRunningFrom(_pid, Folder))
                await StopAsync();
        }
        finally
        {
            await EndAsync();
            await _cluster.Folder.ReleaseAsync();
        }
    }

    private static async Task<PostgresServer> StartOnceAsync(
        PostgresBinaries binaries, PostgresServerOptions options, CancellationToken cancellationToken)
    {
        var folder = await InstanceFolder.OpenAsync("pg", options.DataFolder, cancellationToken);
        LocalPostgresServer? server = null;
        try
        {
            var cluster = await PostgresCluster.PrepareAsync(binaries, options, folder, cancellationToken);
            var port = options.Port ?? FreePort.Next();
            server = new LocalPostgresServer(cluster, Guard(cluster, port), port);
            if (options.SmallDiskMegabytes is { } megabytes)
                server._smallDisk = await SmallDisk.CreateAsync(folder, cluster.User, megabytes, cancellationToken);
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

    private static Guardian Guard(PostgresCluster cluster, int port)
    {
        var kept = cluster.Folder.IsKept;
        return Guardian.Start(new Guardian.Plan(
            cluster.Folder, Name, kept ? "INT" : "QUIT", TimeSpan.FromSeconds(kept ? 30 : 10), cluster.PidFile,
            RemovesFolder: !kept, cluster.ServerCommand(port)));
    }

    private static bool Says(ServerException failure, params ReadOnlySpan<string> texts)
    {
        foreach (var text in texts)
        {
            if (failure.Message.Contains(text, StringComparison.Ordinal))
                return true;
        }

        return false;
    }

    private async Task LaunchAsync(CancellationToken cancellationToken)
    {
        var deadline = new Deadline(_cluster.Options.StartLimit);
        var started = await _guardian.StartServerAsync(cancellationToken);
        _pid = started;
        while (await PostgresProbe.TryAsync(AdminConnectionString, cancellationToken) is { } noAnswer)
        {
            if (!ProcessTable.IsRunning(started))
                throw Failure("ended while it was starting", innerException: null);
            if (deadline.Passed)
                throw Failure($"did not answer within {_cluster.Options.StartLimit.TotalSeconds:0} s ({noAnswer.Message})", noAnswer);
            await Task.Delay(Interval, cancellationToken);
        }

        // With su or runuser in front, the guardian's child is not the server itself.
        _pid = ProcessTable.ReadPidFile(_cluster.PidFile) ?? started;
        _sharedMemory = SharedMemory.IdIn(_cluster.PidFile);
        _leftSharedMemory = null;
    }

    private async Task SignalAsync(int signal, string name, CancellationToken cancellationToken)
    {
        ProcessTable.SignalIfFrom(_pid, Folder, signal);
        if (!await Deadline.WaitAsync(() => !ProcessTable.IsStillRunningFrom(_pid, Folder), StopLimit, Interval, cancellationToken))
            throw Failure($"has not ended within {StopLimit.TotalSeconds:0} s after {name}", innerException: null);
    }

    private async Task EndAsync()
    {
        try
        {
            await _guardian.DisposeAsync();
            if (_leftSharedMemory is { } id && !_cluster.Folder.IsKept)
                SharedMemory.Remove(id);
        }
        finally
        {
            if (_smallDisk is not null)
                await _smallDisk.DisposeAsync();
        }
    }

    private ServerException Failure(string what, Exception? innerException) => new(
        string.Create(CultureInfo.InvariantCulture, $"PostgreSQL ({_cluster.Binaries.Server}, process {_pid}) {what}.{LogTail.Of(_cluster.Folder.LogOf(Name))}"),
        innerException);
}
