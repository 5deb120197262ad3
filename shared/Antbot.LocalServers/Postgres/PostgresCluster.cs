using Antbot.LocalServers.Processes;

namespace Antbot.LocalServers.Postgres;

/// <summary>The data folder of a local instance and the command that serves it.</summary>
internal sealed record PostgresCluster(
    PostgresBinaries Binaries, PostgresServerOptions Options, InstanceFolder Folder, UnprivilegedUser User, string Password)
{
    public const string Role = "antbot";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private static readonly TimeSpan InitLimit = TimeSpan.FromSeconds(60);

    public string Data => Folder.In("data");

    /// <summary>The postmaster writes its id here, and what it uses of the kernel.</summary>
    public string PidFile => Path.Combine(Data, "postmaster.pid");

    public static async Task<PostgresCluster> PrepareAsync(
        PostgresBinaries binaries, PostgresServerOptions options, InstanceFolder folder, CancellationToken cancellationToken)
    {
        var user = await UnprivilegedUser.FindAsync("postgres", cancellationToken);
        var cluster = new PostgresCluster(binaries, options, folder, user, LocalServers.Password.OfInstance(folder, user));
        if (!File.Exists(Path.Combine(cluster.Data, "PG_VERSION")))
            await cluster.InitAsync(cancellationToken);
        return cluster;
    }

    public IReadOnlyList<string> ServerCommand(int port)
    {
        var settings = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["listen_addresses"] = "127.0.0.1",
            ["port"] = $"{port}",
            ["unix_socket_directories"] = "",
            ["max_connections"] = $"{Options.ConnectionsMax}",
            ["fsync"] = Options.Fsync ? "on" : "off",
            ["logging_collector"] = "off",
            ["log_destination"] = "stderr",
        };
        // A killed throw-away server would leave its segments in /dev/shm, where nobody looks for them.
        if (!Folder.IsKept)
            settings["dynamic_shared_memory_type"] = "mmap";
        foreach (var (name, value) in Options.Settings)
            settings[name] = value;
        return User.Command([Binaries.Server, "-D", Data, .. settings.SelectMany(setting => new[] { "-c", $"{setting.Key}={setting.Value}" })]);
    }

    private async Task InitAsync(CancellationToken cancellationToken)
    {
        // What an interrupted initdb left would stop the next one.
        if (Directory.Exists(Data))
            Directory.Delete(Data, recursive: true);
        User.Give(Data, OwnerOnly);
        var command = new List<string>
        {
            Binaries.InitDb, "-D", Data, $"--username={Role}", "--auth=scram-sha-256", $"--pwfile={Folder.In("password")}",
            "--encoding=UTF8", "--locale=C",
        };
        if (!Folder.IsKept)
            command.Add("--no-sync");
        var result = await ShortCommand.RunAsync(
            User.Command(command), InitLimit, environment: Guardian.RemoveForeignSettings, cancellationToken: cancellationToken);
        if (result.Succeeded)
            return;
        // Its last step writes PG_VERSION's neighbours; a half-made cluster must not look like one.
        Directory.Delete(Data, recursive: true);
        throw new ServerException($"initdb could not make a PostgreSQL cluster in {Data} (exit code {result.ExitCode}).{LogTail.OfText(result.Everything)}");
    }
}
